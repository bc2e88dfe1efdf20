"""How far one feature tells the outcome by itself: by its value, by having one, by some values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.ranking import area, auc_of
from stamgast_learn.reliability import wilson

LEAST_TOLD, TAIL = 30, 0.025
MOST_VALUES, BINS = 64, 32
DRAWN_IN = 5.0
"""A value's rate is drawn to the base rate as if it had so many rows more."""
SEED = 19_830_401


@dataclass(frozen=True, slots=True)
class Same:
    """Rows of one value of a feature, or one range, and to which part of them it happened."""

    rows: Labels
    rate: float
    at_least: float


def few(chosen: Labels, most: int) -> Labels:
    """As many of the chosen rows as are enough to see what is plain, at even distances."""
    rows = np.flatnonzero(chosen)
    told = np.zeros(len(chosen), np.bool_)
    told[rows[:: max(1, -(-len(rows) // most))]] = True
    return told


def column_of(panel: Panel, name: str) -> Floats:
    """A feature by its name."""
    column: Floats = panel.measured[:, panel.features.index(name)]
    return column


def are_told(labels: Labels) -> bool:
    """Whether there is enough of both outcomes to say anything."""
    return min(int(labels.sum()), int((~labels).sum())) >= LEAST_TOLD


def plain_order(column: Floats, labels: Labels) -> float:
    """The area under the curve by a feature's value, or by having one, whichever is larger."""
    is_unknown = np.isnan(column)
    known = ~is_unknown
    parts = [(column[known], labels[known]), (is_unknown.astype(np.float64), labels)]
    areas = [auc_of(values, came) for values, came in parts if are_told(came)]
    return max((max(one, 1 - one) for one in areas), default=0.5)


def codes(column: Floats, of: Floats | None = None) -> NDArray[np.int64]:
    """Which value each row has, or which range of values; what is unknown is one more.

    Ranges are those of the column itself, or of another.
    """
    known = column if of is None else of
    known = known[~np.isnan(known)]
    edges = np.unique(known)
    if len(edges) > MOST_VALUES:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    places = np.searchsorted(edges, column, side="left")
    return np.where(np.isnan(column), len(edges) + 1, places)


def least_skill(view: Panel, column: Floats) -> float:
    """The lower end of the area by the outcome's rate at each value, as other people tell it.

    So it is seen, too, where a feature goes up and down, or tells by one value among many.
    """
    labels, of = view.label == 1, codes(column)
    half = half_of(view.person)
    if not (are_told(labels[half]) and are_told(labels[~half])):
        return 0.5
    stated = np.zeros(len(labels))
    for one in (half, ~half):
        stated[one] = rates(of[~one], labels[~one], int(of.max()) + 1)[of[one]]
    return area(stated, labels, view.person).low


def sure_values(view: Panel, column: Floats, least: float) -> list[Same]:
    """The values to whose people the outcome came in a share of at least this, beyond chance.

    The surest of many values is so by chance: 97.5 % is for all of them at once (Bonferroni).
    """
    of, labels = codes(column), view.label == 1
    values = [~np.isnan(column), *(of == value for value in np.unique(of))]
    for_all, told = float(norm.isf(TAIL / len(values))), []
    for here in values:
        rows, came = int(here.sum()), int(labels[here].sum())
        is_sure = rows >= LEAST_TOLD and wilson(came, rows, for_all)[0] >= least
        if is_sure and are_enough(view, here):
            told.append(Same(here, came / rows, wilson(came, rows)[0]))
    return told


def are_enough(view: Panel, rows: Labels) -> bool:
    """Whether there are people enough to say anything, however many cut-offs each is seen at."""
    return len(np.unique(view.person[rows])) >= LEAST_TOLD


def half_of(person: NDArray[Any]) -> Labels:
    """Half of the people, drawn by a fixed seed."""
    _, of = np.unique(person, return_inverse=True)
    drawn: Labels = np.random.default_rng(SEED).random(int(of.max()) + 1) < 0.5
    return drawn[of]


def rates(of: NDArray[np.int64], labels: Labels, size: int) -> Floats:
    """The outcome's rate at each value, where there are few drawn to everybody's."""
    came = np.bincount(of, labels, size) + DRAWN_IN * labels.mean()
    told: Floats = came / (np.bincount(of, minlength=size) + DRAWN_IN)
    return told
