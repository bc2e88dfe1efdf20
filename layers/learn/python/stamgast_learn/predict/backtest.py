"""The same procedure on the past: each cut-off is predicted from older ones alone, then judged.

A cut-off is older only if its whole horizon had passed: whoever predicts on a day cannot know what
the thirty days before it will have brought.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.baselines import BASELINES
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.predictor import learn

LEAST_CUTS = 2
"""One to train on, one to calibrate on."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """Predictions of people whose outcome came later: the model's, and each baseline's.

    `ordering` orders people where what was `stated` does not: probabilities of several calibrators
    are true each, and not in one order.
    """

    judged: Panel
    stated: Floats
    baselines: dict[str, Floats]
    ordering: Floats | None = None

    @property
    def order(self) -> Floats:
        """What people are ordered by."""
        return self.stated if self.ordering is None else self.ordering


def backtest(panel: Panel, within_days: int) -> Backtest:
    """Every cut-off that has two older ones behind it, predicted from these.

    Raises AbstainedError where none has.
    """
    folds = list(_folds(panel, within_days))
    if not folds:
        raise AbstainedError(
            f"{len(panel.cuts)} cut-offs with people in them; needs three, {within_days} days apart"
        )
    names = [name for name in BASELINES if all(name in fold.baselines for fold in folds)]
    told = {name: np.concatenate([fold.baselines[name] for fold in folds]) for name in names}
    judged = joined([fold.judged for fold in folds])
    return Backtest(judged, np.concatenate([fold.stated for fold in folds]), told)


def _folds(panel: Panel, within_days: int) -> Iterator[Backtest]:
    for cut in panel.cuts:
        older = panel.at(panel.cut_on + within_days <= cut)
        if len(older.cuts) < LEAST_CUTS:
            continue
        judged = panel.at(panel.cut_on == cut)
        told = {name: one(older, judged) for name, one in BASELINES.items()}
        stated = learn(older).probabilities(judged)
        yield Backtest(judged, stated, {name: one for name, one in told.items() if one is not None})


def joined(panels: list[Panel]) -> Panel:
    """Panels of the same features below each other."""
    first = panels[0]
    return Panel(
        person=np.concatenate([one.person for one in panels]),
        cut_on=np.concatenate([one.cut_on for one in panels]),
        label=np.concatenate([one.label for one in panels]),
        measured=np.concatenate([one.measured for one in panels]),
        features=first.features,
    )
