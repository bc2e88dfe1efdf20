"""What a model may not be made of, or not be used for; each refusal says why."""

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.ranking import auc_of

HORIZONS = 3
TOO_GOOD = 0.99
"""A single feature that orders people this well knows the outcome: it was made after it."""
LEAST_TOLD = 30
ENOUGH_TO_SEE = 50_000


def require_enough(panel: Panel, least: int, history_days: int, within_days: int) -> None:
    """Raises AbstainedError where there is too little to learn of, and says what is missing."""
    positives = int(panel.label.sum())
    negatives = len(panel) - positives
    if min(positives, negatives) < least:
        raise AbstainedError(
            f"{positives} people with the outcome and {negatives} without it in all cut-offs;"
            f" needs {least} of each"
        )
    require_history(history_days, within_days)


def require_history(history_days: int, within_days: int) -> None:
    """Raises AbstainedError where too little time was seen to learn of."""
    if history_days < HORIZONS * within_days:
        raise AbstainedError(
            f"{history_days} days of history; needs {HORIZONS * within_days},"
            f" {HORIZONS} times the {within_days} days ahead"
        )


def require_both(labels: Labels, what: str) -> None:
    """Raises AbstainedError for a fold of one class."""
    if labels.all() or not labels.any():
        told = "everybody" if len(labels) and labels.all() else "nobody"
        raise AbstainedError(f"the outcome came to {told} {what}")


def require_no_leak(panel: Panel) -> None:
    """Raises AbstainedError where one feature tells the outcome all but perfectly."""
    for name in telling_features(panel):
        raise AbstainedError(
            f"feature {name} alone orders people with an area under the curve of {TOO_GOOD} or"
            " more: it knows the outcome, so it was made after the cut-off; take it out"
        )


def telling_features(panel: Panel) -> tuple[str, ...]:
    """The features each of which, by its value or by having one, all but tells the outcome.

    At any cut-off: what was noted when it came tells of later outcomes, too, so that over all
    cut-offs people who have it are many to whom nothing comes yet.
    """
    labels = panel.label == 1
    folds = [_few(panel.cut_on == cut) for cut in panel.cuts] + [_few(panel.cut_on > -1)]
    told = zip(panel.features, panel.measured.T, strict=True)
    return tuple(
        name
        for name, column in told
        if any(_is_telling(column[rows], labels[rows]) for rows in folds)
    )


def _few(chosen: Labels) -> NDArray[np.int64]:
    """As many of the chosen rows as show what is this plain, at even distances."""
    rows = np.flatnonzero(chosen)
    return rows[:: max(1, len(rows) // ENOUGH_TO_SEE)]


def _is_telling(column: Floats, labels: Labels) -> bool:
    is_unknown = np.isnan(column).astype(np.float64)
    return max(_order(column, labels), _order(is_unknown, labels)) >= TOO_GOOD


def _order(column: Floats, labels: Labels) -> float:
    known = ~np.isnan(column)
    told = labels[known]
    if min(int(told.sum()), int((~told).sum())) < LEAST_TOLD:
        return 0.5
    area = auc_of(column[known], told)
    return max(area, 1 - area)


def constant_features(panel: Panel) -> tuple[str, ...]:
    """The features that say the same of everybody; they are left out, and the card says so."""
    told = []
    for name, column in zip(panel.features, panel.measured.T, strict=True):
        known = column[~np.isnan(column)]
        is_split = 0 < len(known) < len(column)
        if not is_split and (len(known) == 0 or known.min() == known.max()):
            told.append(name)
    return tuple(told)
