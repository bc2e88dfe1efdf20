"""The stage `train_links` over records: the model's own scores, calibrated by later log-ins.

The model of records is trained without labels elsewhere; here its scores become probabilities.
Labels are cut by time: older weeks calibrate, the latest judge, and where there are too few, or
nothing is gained, the calibration before stays, or the scores stand as they are, and it is told.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats, apply, calibrator_of, fit_calibrator
from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import Columns, read_columns, write_columns
from stamgast_learn.reliability import Reliability, reliability
from stamgast_learn.run import Outcome
from stamgast_learn.split import halves_by_time

UNCALIBRATED = "probabilities are the model's own"


@dataclass(frozen=True, slots=True)
class RecordOrder:
    """What a run asks for: whether to calibrate, from how many labels, and what holds so far.

    `pinned` is the document of the model in use, with its calibration where there is one; `why`
    says why there is no model at all.
    """

    version: str
    is_calibrating: bool
    least_labels: int
    least_probability: float
    pinned: Mapping[str, Any] | None
    model: Mapping[str, Any] | None
    report: Mapping[str, Any]
    why: str | None


def calibrate_run(order: RecordOrder, labels: Path, raw: Path, scores: Path) -> Outcome:
    """Calibrates if asked, and writes what is probable enough of the scored pairs."""
    kept = (order.pinned or {}).get("calibration")
    report: dict[str, Any] = dict(order.report)
    why = order.why
    calibration = kept
    if order.is_calibrating and order.model is not None:
        columns = read_columns(labels)
        report |= {"labels": len(columns["label"]), "positives": int(columns["label"].sum())}
        try:
            calibration = _calibration(columns, order.least_labels)
        except AbstainedError as error:
            why = f"not calibrated anew: {error}" if kept else f"not calibrated: {error}"
    if order.model is not None:
        report |= _told(calibration)
    _write_scores(order, calibration, raw, scores)
    version = _version(order, calibration)
    return Outcome(
        version,
        version if order.model else None,
        order.is_calibrating,
        order.model is not None,
        why,
        {**order.model, "calibration": calibration} if order.model else None,
        report,
    )


def _calibration(labels: Columns, least: int) -> dict[str, Any]:
    """A calibrator with what it was worth on the latest labels, as plain data."""
    scored = labels["probability"].astype(np.float64)
    truth = labels["label"] == 1
    earlier = halves_by_time(labels["panel"].astype(np.int64), truth, least)
    fitted = fit_calibrator(scored[earlier], truth[earlier])
    base = float(truth[earlier].mean())
    told = reliability(apply(fitted, scored[~earlier]), truth[~earlier], base)
    plain = reliability(scored[~earlier], truth[~earlier], base)
    _require_better(told, plain)
    return {
        "calibrator": fitted.to_json(),
        "held_out": {**told.to_json(), "uncalibrated_brier": plain.brier},
    }


def _require_better(told: Reliability, plain: Reliability) -> None:
    """Raises AbstainedError for what is worse than the scores as they are, or than no model."""
    if not told.is_better_than_base_rate:
        raise AbstainedError(
            f"Brier score {told.brier:.4f} against {told.base_rate_brier:.4f} of the base rate:"
            " not shown to be better than no model"
        )
    if told.brier > plain.brier:
        raise AbstainedError(
            f"Brier score {told.brier:.4f} against {plain.brier:.4f} of the scores as they are"
        )


def _told(calibration: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the report says of a calibration."""
    if calibration is None:
        return {"calibrated": False, "calibration": UNCALIBRATED}
    fitted = calibration["calibrator"]
    return {
        "calibrated": True,
        "calibration": f"{fitted['method']} on {fitted['labels']} earlier labels",
        "held_out": calibration["held_out"],
    }


def _version(order: RecordOrder, calibration: Mapping[str, Any] | None) -> str:
    """The model's version, and after a dot that of its calibration where it has one."""
    if calibration is None:
        return order.version
    text = json.dumps(calibration["calibrator"], sort_keys=True)
    return f"{order.version}.{sha256(text.encode()).hexdigest()[:6]}"


def _write_scores(
    order: RecordOrder, calibration: Mapping[str, Any] | None, raw: Path, scores: Path
) -> None:
    columns = read_columns(raw)
    scored = columns["probability"].astype(np.float64)
    stated: Floats = scored
    if calibration is not None:
        stated = apply(calibrator_of(calibration["calibrator"]), scored)
    kept = stated >= order.least_probability
    told = {name: columns[name][kept] for name in ("a", "b", "reasons")}
    write_columns(scores, {**told, "probability": stated[kept]})
