"""What a model has to beat: named rules of thumb that need no model."""

from collections.abc import Callable, Mapping

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.predict.panel import Panel

Baseline = Callable[[Panel, Panel], Floats | None]
SCORES = ("rfm_r", "rfm_f", "rfm_m")
SHRINKAGE = 20.0
"""A cell's rate is drawn to the base rate as if it had so many people more."""


def base_rate(learnt: Panel, judged: Panel) -> Floats:
    """Everybody at the rate of the past."""
    return np.full(len(judged), float(learnt.label.mean()))


def rfm_cell(learnt: Panel, judged: Panel) -> Floats | None:
    """Everybody at the past rate of their recency, frequency and monetary scores."""
    if not set(SCORES) <= set(learnt.features):
        return None
    overall = float(learnt.label.mean())
    return _rates(_cells(learnt), learnt.label, _cells(judged), overall)


def last_outcome(learnt: Panel, judged: Panel) -> Floats | None:
    """Everybody at the past rate of those to whom it came, or did not, the last time, too."""
    if learnt.last is None or judged.last is None:
        return None
    was, is_now = (np.where(np.isnan(one), -1.0, one) for one in (learnt.last, judged.last))
    return _rates(was, learnt.label, is_now, float(learnt.label.mean()))


def _rates(cell: Floats, label: Floats, asked: Floats, overall: float) -> Floats:
    """The rate of each asked cell, drawn to that of everybody; that one where nobody was in it."""
    cells, of = np.unique(cell, return_inverse=True)
    positives = np.bincount(of, weights=label) + SHRINKAGE * overall
    rates = positives / (np.bincount(of) + SHRINKAGE)
    place = np.clip(np.searchsorted(cells, asked), 0, len(cells) - 1)
    return np.where(cells[place] == asked, rates[place], overall)


def _cells(panel: Panel) -> Floats:
    columns = [panel.measured[:, panel.features.index(name)] for name in SCORES]
    r, f, m = (np.nan_to_num(column, nan=0.0) for column in columns)
    return np.asarray(r * 36 + f * 6 + m)


BASELINES: Mapping[str, Baseline] = {
    "base_rate": base_rate,
    "rfm_cell": rfm_cell,
    "last_outcome": last_outcome,
}


def baselines_of(learnt: Panel, judged: Panel) -> dict[str, Floats]:
    """What each baseline that the features allow says of the judged."""
    told = {name: one(learnt, judged) for name, one in BASELINES.items()}
    return {name: one for name, one in told.items() if one is not None}
