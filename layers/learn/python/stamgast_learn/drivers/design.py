"""Behaviours as columns of a regression: standardised, what repeats another left out and told."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr

from stamgast_learn.calibration import Floats
from stamgast_learn.predict.honesty import constant_features
from stamgast_learn.predict.panel import Panel

SAME = 1e-8
COLLINEAR = 10.0
"""A variance inflation factor beyond this is told (Belsley, Kuh and Welsch, 1980)."""


@dataclass(frozen=True, slots=True)
class Design:
    """Columns of a regression: `told` behaviours first, then controls and the constant.

    `spread` is the standard deviation of each behaviour; `repeated` names those that others make
    up, `constant` those that say the same of everybody; both are left out. A control says that a
    behaviour is unknown, or which cut-off it is.
    """

    columns: Floats
    told: tuple[str, ...]
    spread: Floats
    inflation: Floats
    nearest: tuple[str | None, ...]
    repeated: tuple[str, ...]
    constant: tuple[str, ...]


def design_of(panel: Panel) -> Design:
    """The design of a panel; unknown values are the median, and said to be unknown."""
    constant = constant_features(panel)
    names = [name for name in panel.features if name not in constant]
    places = [panel.features.index(name) for name in names]
    measured = panel.measured[:, places]
    is_unknown = np.isnan(measured)
    known = np.where(is_unknown, _medians(measured), measured)
    spread = known.std(axis=0)
    moves = spread > 0
    names = [name for name, one in zip(names, moves, strict=True) if one]
    scaled = (known[:, moves] - known[:, moves].mean(axis=0)) / spread[moves]
    kept = _independent(scaled)
    controls = _independent_of(scaled[:, kept], _controls(panel, is_unknown))
    inflation, nearest = _inflation(scaled[:, kept], [names[n] for n in kept])
    return Design(
        columns=np.column_stack([scaled[:, kept], controls, np.ones(len(panel))]),
        told=tuple(names[n] for n in kept),
        spread=spread[moves][kept],
        inflation=inflation,
        nearest=nearest,
        repeated=tuple(name for n, name in enumerate(names) if n not in kept),
        constant=constant,
    )


def _medians(measured: Floats) -> Floats:
    """The median of what is known in each column, 0 where nothing is."""
    told = [column[~np.isnan(column)] for column in measured.T]
    return np.array([float(np.median(one)) if len(one) else 0.0 for one in told])


def _controls(panel: Panel, is_unknown: Floats) -> Floats:
    cuts = (panel.cut_on[:, None] == panel.cuts[None, 1:]).astype(np.float64)
    unknown = np.unique(is_unknown.astype(np.float64), axis=1) if is_unknown.size else is_unknown
    told = np.column_stack([cuts, unknown.reshape(len(panel), -1)])
    return np.asarray(told - told.mean(axis=0), np.float64)


def _independent(columns: Floats) -> list[int]:
    """The columns that those before them do not make up."""
    kept: list[int] = []
    for place in range(columns.shape[1]):
        if _residual(columns[:, kept], columns[:, place]) > SAME:
            kept.append(place)
    return kept


def _independent_of(told: Floats, controls: Floats) -> Floats:
    if not controls.shape[1]:
        return controls
    both = np.column_stack([told, controls])
    _, made, order = qr(both - both.mean(axis=0), mode="economic", pivoting=True)
    size = np.abs(np.diag(made))
    kept = set(order[: int((size > 1e-6 * max(size[0], 1e-12)).sum())].tolist())
    places = [n for n in range(controls.shape[1]) if n + told.shape[1] in kept]
    free = [n for n in places if _residual(told, controls[:, n]) > SAME]
    return controls[:, free]


def _residual(columns: Floats, column: Floats) -> float:
    """Which part of a column's variance the others leave."""
    total = float((column**2).sum())
    if not columns.shape[1] or not total:
        return 1.0 if total else 0.0
    made = columns @ np.linalg.lstsq(columns, column, rcond=None)[0]
    return float(((column - made) ** 2).sum()) / total


def _inflation(scaled: Floats, names: list[str]) -> tuple[Floats, tuple[str | None, ...]]:
    """Each behaviour's variance inflation, and with which other it goes most, where it is large."""
    if scaled.shape[1] < 2:
        return np.ones(scaled.shape[1]), (None,) * scaled.shape[1]
    together = np.atleast_2d(np.corrcoef(scaled.T))
    factors = np.diag(np.linalg.pinv(together))
    apart = np.abs(together - np.eye(len(together)))
    most = apart.argmax(axis=1)
    nearest = (names[m] if f > COLLINEAR else None for m, f in zip(most, factors, strict=True))
    return factors, tuple(nearest)
