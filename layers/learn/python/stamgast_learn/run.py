"""The stage `train_links` of a run: pairs in, a model or the reason for none, and scores out."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
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
    """What was learnt: the model in use, whether it is new, why not, and the report."""

    version: str
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
    outcome = _trained(order, columns) if order.is_training else None
    told = outcome.model if outcome and outcome.is_used else order.pinned
    model = model_of(told) if told else None
    _write_scores(model, order, columns, scores)
    return outcome or _kept(order)


def _trained(order: Order, columns: Columns) -> Outcome:
    labelled = columns["label"] >= 0
    labels = columns["label"][labelled] == 1
    counts = {"labels": int(labelled.sum()), "positives": int(labels.sum())}
    try:
        trained = train(
            order.version,
            order.features,
            _measured(order.features, columns)[labelled],
            labels,
            columns["panel"][labelled].astype(np.int64),
            order.least_labels,
        )
    except AbstainedError as error:
        return Outcome(order.version, True, False, str(error), None, counts)
    ends = {"train_until": trained.split.train_until, "judged_from": trained.split.calibrate_until}
    report = {**counts, **ends, "held_out": trained.reliability.to_json()}
    try:
        require_better(trained)
    except AbstainedError as error:
        return Outcome(order.version, True, False, str(error), trained.model.to_json(), report)
    return Outcome(order.version, True, True, None, trained.model.to_json(), report)


def _kept(order: Order) -> Outcome:
    if order.pinned is None:
        return Outcome(order.version, False, False, "no model was ever trained", None, {})
    return Outcome(order.pinned["version"], False, True, None, order.pinned, {})


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
