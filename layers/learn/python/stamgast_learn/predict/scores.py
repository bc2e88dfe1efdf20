"""People as a model sees them now: a probability, its place among all, and what made it."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast.models.bands import BANDS
from stamgast_learn.calibration import Floats
from stamgast_learn.parquet import Column
from stamgast_learn.predict.contributions import contributions
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.predictor import Predictor

TOLD = 5
EXPLAINED_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Scores:
    """A row a person: the value, its percentile (0 to 100, ties alike), its band, its reasons."""

    person: Column
    value: Floats
    percentile: Floats
    band: Column
    reasons: Column

    def columns(self) -> dict[str, Column]:
        """The scores as columns of a file."""
        return {
            "person_id": self.person,
            "value": self.value,
            "percentile": self.percentile,
            "band": self.band,
            "reasons": self.reasons,
        }


def scores_of(predictor: Predictor, panel: Panel) -> Scores:
    """The scores of everybody in a panel."""
    value = predictor.probabilities(panel)
    percentile = percentiles(value)
    return Scores(panel.person, value, percentile, bands(percentile), _reasons(predictor, panel))


def percentiles(values: Floats) -> Floats:
    """The share of people with a lower value, half of those with an equal one with them."""
    if not len(values):
        return np.zeros(0)
    ordered = np.sort(values)
    below, until = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return np.asarray(np.round(50.0 * (below + until) / len(values), 2))


def bands(percentile: Floats) -> Column:
    """The band of each percentile."""
    told = np.full(len(percentile), BANDS[-1][1], dtype=object)
    for share, name in reversed(BANDS):
        told[percentile >= 100 * share] = name
    return told


def _reasons(predictor: Predictor, panel: Panel) -> Column:
    """For each person, as JSON, the features that moved the log-odds most."""
    measured = predictor.chosen(panel)
    told: list[str] = []
    for start in range(0, len(measured), EXPLAINED_AT_ONCE):
        part = measured[start : start + EXPLAINED_AT_ONCE]
        told += _told(predictor.features, part, contributions(predictor.estimate, part))
    return np.array(told, dtype=object)


def _told(names: tuple[str, ...], measured: Floats, moved: Floats) -> list[str]:
    most = np.argsort(-np.abs(moved), axis=1, kind="stable")[:, :TOLD]
    rows: NDArray[Any] = np.arange(len(moved))[:, None]
    return [
        json.dumps([_reason(names[place], *of) for place, *of in zip(*row, strict=True)])
        for row in zip(most, measured[rows, most], moved[rows, most], strict=True)
    ]


def _reason(name: str, value: float, moved: float) -> dict[str, Any]:
    """A feature, its value (null where unknown), and what it adds to the log-odds."""
    told = None if np.isnan(value) else round(float(value), 4)
    return {"feature": name, "value": told, "log_odds": round(float(moved), 3)}
