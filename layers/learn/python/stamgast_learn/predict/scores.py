"""People as a model sees them now: a probability, its place among all, and what made it."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast.models.bands import BANDS, MOVED
from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.parquet import Column
from stamgast_learn.predict.contributions import explainer
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


def scores_of(predictor: Predictor, panel: Panel, *, is_explained: bool = True) -> Scores:
    """The scores of everybody in a panel, with reasons for whom it says something else than before.

    Reasons cost more than the scores themselves; of others they stand as they were told.
    """
    value = predictor.probabilities(panel)
    percentile = percentiles(value)
    reasons = np.full(len(panel), None, dtype=object)
    if is_explained:
        rows = _is_news(value, panel.was)
        reasons[rows] = _reasons(predictor, panel.at(rows))
    return Scores(panel.person, value, percentile, bands(percentile), reasons)


def _is_news(value: Floats, was: Floats | None) -> Labels:
    if was is None:
        return np.ones(len(value), dtype=bool)
    return ~(np.abs(value - was) <= MOVED)


def percentiles(values: Floats) -> Floats:
    """The share of people with a lower value, half of those with an equal one with them."""
    if not len(values):
        return np.zeros(0)
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    ends = np.append(starts[1:], len(values))
    told = np.empty(len(values))
    told[order] = np.repeat(np.round(50.0 * (starts + ends) / len(values), 2), ends - starts)
    return told


def bands(percentile: Floats) -> Column:
    """The band of each percentile."""
    rising = sorted(BANDS)
    names: Column = np.array([name for _, name in rising], dtype=object)
    least = np.array([100 * share for share, _ in rising])
    return names[np.maximum(np.searchsorted(least, percentile, side="right") - 1, 0)]


def _reasons(predictor: Predictor, panel: Panel) -> Column:
    """For each person, as JSON, the features that moved the log-odds most."""
    measured, explain = predictor.chosen(panel), explainer(predictor.estimate)
    told: list[str] = []
    for start in range(0, len(measured), EXPLAINED_AT_ONCE):
        part = measured[start : start + EXPLAINED_AT_ONCE]
        told += _told(predictor.features, part, explain(part))
    return np.array(told, dtype=object)


def _told(names: tuple[str, ...], measured: Floats, moved: Floats) -> list[str]:
    """A feature, its value (null where unknown), and what it adds to the log-odds, as JSON."""
    most = np.argsort(-np.abs(moved), axis=1, kind="stable")[:, :TOLD]
    rows: NDArray[Any] = np.arange(len(moved))[:, None]
    value, odds = np.round(measured[rows, most], 4).tolist(), np.round(moved[rows, most], 3)
    begins = [f'{{"feature": {json.dumps(name)}, "value": ' for name in names]
    return [
        f"[{', '.join(map(_reason, *row))}]"
        for row in zip(
            ([begins[place] for place in places] for places in most.tolist()),
            value,
            odds.tolist(),
            strict=True,
        )
    ]


def _reason(begin: str, value: float, moved: float) -> str:
    return f'{begin}{value if value == value else "null"}, "log_odds": {moved}}}'
