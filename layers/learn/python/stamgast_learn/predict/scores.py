"""People as a model sees them now: a probability, its place among all, and what made it."""

from dataclasses import dataclass

import numpy as np

from stamgast.models.bands import BANDS, MOVED
from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.parquet import Column
from stamgast_learn.predict.contributions import explainer
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.predictor import Predictor
from stamgast_learn.predict.reasons import told_reasons


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
        measured = predictor.chosen(panel.at(rows))
        reasons[rows] = told_reasons(
            predictor.features, measured, explainer(predictor.estimate), "log_odds"
        )
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
