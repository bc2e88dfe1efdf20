"""The stage `train_links` of a run: pairs in, a model or the reason for none, and scores out."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.devices import (
    DeviceModel,
    contributions,
    model_of,
    probabilities,
    require_better,
    train,
)
from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import Columns, read_columns, write_columns

TOLD_WEIGHTS = 6
"""How many features a link names among its reasons: those that moved it most."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a run asks for: a version to train, or the model pinned for it, and the bounds."""

    version: str
    features: tuple[str, ...]
    is_training: bool
    least_labels: int
    least_probability: float
    pinned: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Order":
        """The order that a run's document tells."""
        return cls(**{**told, "features": tuple(told["features"])})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was learnt: a version, whether it is used, why not, and the report.

    `scored_by` is the version that scored the pairs; None where no model is in use.
    """

    version: str
    scored_by: str | None
    is_new: bool
    is_used: bool
    why: str | None
    model: Mapping[str, Any] | None
    report: Mapping[str, Any]

    def to_json(self) -> bytes:
        """The outcome as a run keeps it."""
        return json.dumps(asdict(self)).encode()


def learn_run(order: Order, pairs: Path, scores: Path) -> Outcome:
    """Trains if asked, scores the pairs of the newest panel into file `scores`.

    A version that abstains leaves the pinned model in use: a bad week takes nothing away.
    """
    columns = read_columns(pairs)
    outcome = _trained(order, columns) if order.is_training else _kept(order)
    told = outcome.model if outcome.is_used else order.pinned
    model = model_of(told) if told else None
    _write_scores(model, order, columns, scores)
    return replace(outcome, scored_by=model.version if model else None)


def _trained(order: Order, columns: Columns) -> Outcome:
    labelled = columns["label"] >= 0
    labels = columns["label"][labelled] == 1
    report: dict[str, Any] = {"labels": int(labelled.sum()), "positives": int(labels.sum())}
    model: dict[str, Any] | None = None
    why = None
    try:
        trained = train(
            order.version,
            order.features,
            _measured(order.features, columns)[labelled],
            labels,
            columns["panel"][labelled].astype(np.int64),
            order.least_labels,
        )
        model = trained.model.to_json()
        report |= {
            "train_until": trained.split.train_until,
            "calibrate_until": trained.split.calibrate_until,
            "held_out": trained.reliability.to_json(),
        }
        require_better(trained)
    except AbstainedError as error:
        why = str(error)
    return Outcome(order.version, None, True, why is None, why, model, report)


def _kept(order: Order) -> Outcome:
    """What holds when nothing is to be trained: the pinned model, where there is one."""
    version = order.pinned["version"] if order.pinned else order.version
    return Outcome(version, None, False, order.pinned is not None, None, order.pinned, {})


def _write_scores(model: DeviceModel | None, order: Order, columns: Columns, scores: Path) -> None:
    asked = columns["label"] < 0
    measured = _measured(order.features, columns)[asked]
    stated = np.zeros(len(measured)) if model is None else probabilities(model, measured)
    kept = stated >= order.least_probability
    weights = np.zeros((0, 0)) if model is None else contributions(model, measured[kept])
    names = order.features if model is None else model.features
    write_columns(
        scores,
        {
            "a": columns["a"][asked][kept],
            "b": columns["b"][asked][kept],
            "probability": stated[kept],
            "reasons": np.array([_reasons(names, row) for row in weights], dtype=object),
        },
    )


def _measured(features: tuple[str, ...], columns: Columns) -> Floats:
    return np.column_stack([columns[name].astype(np.float64) for name in features])


def _reasons(names: tuple[str, ...], weights: Floats) -> str:
    """The features that moved this pair most, with their weights in log-odds."""
    ranked = sorted(zip(names, weights, strict=True), key=lambda one: (-abs(one[1]), one[0]))
    return json.dumps({name: round(float(weight), 2) for name, weight in ranked[:TOLD_WEIGHTS]})
