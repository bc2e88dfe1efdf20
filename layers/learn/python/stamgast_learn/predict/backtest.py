"""The same procedure on the past: each cut-off is predicted from older ones alone, then judged.

A cut-off is older only if its whole horizon had passed: whoever predicts on a day cannot know what
the thirty days before it will have brought. And whoever is judged was not learnt of, at no cut-off:
trees know people again by what never changes of them, and so seem better than of anybody new.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.baselines import BASELINES, baselines_of
from stamgast_learn.predict.folds import folds
from stamgast_learn.predict.panel import Panel, with_last
from stamgast_learn.predict.predictor import learn
from stamgast_learn.progress import counted

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
    """Every cut-off that has two older ones behind it, predicted from these and of other people.

    Raises AbstainedError where none has.
    """
    parts = list(_parts(with_last(panel, within_days), within_days))
    if not parts:
        raise AbstainedError(
            f"{len(panel.cuts)} cut-offs with people in them; needs three, {within_days} days apart"
        )
    names = [name for name in BASELINES if all(name in part.baselines for part in parts)]
    told = {name: np.concatenate([part.baselines[name] for part in parts]) for name in names}
    judged = joined([part.judged for part in parts])
    return Backtest(judged, np.concatenate([part.stated for part in parts]), told)


def _parts(panel: Panel, within_days: int) -> Iterator[Backtest]:
    """The people of each fold at each cut-off."""
    held_out = list(folds(panel.person))
    for older, now in counted("past cut-offs foretold", list(_cuts(panel, within_days))):
        for held in held_out:
            if (held & now).any():
                yield _part(panel.at(older & ~held), panel.at(held & now))


def _cuts(panel: Panel, within_days: int) -> Iterator[tuple[Labels, Labels]]:
    """The rows of each cut-off that has enough older ones behind it, after the rows of these."""
    for cut in panel.cuts:
        older = panel.cut_on + within_days <= cut
        if len(np.unique(panel.cut_on[older])) >= LEAST_CUTS:
            yield older, panel.cut_on == cut


def _part(older: Panel, judged: Panel) -> Backtest:
    return Backtest(judged, learn(older).probabilities(judged), baselines_of(older, judged))


def challenge(panel: Panel, within_days: int, since: int) -> tuple[Panel, Floats] | None:
    """Everybody at each cut-off from a day on, predicted as a version in use predicts: of older
    cut-offs, the same people with them. None where there is no such cut-off."""
    told = [
        (panel.at(now), learn(panel.at(older)).probabilities(panel.at(now)))
        for older, now in _cuts(panel, within_days)
        if int(panel.cut_on[now][0]) >= since
    ]
    if not told:
        return None
    return joined([judged for judged, _ in told]), np.concatenate([stated for _, stated in told])


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
