"""What a model of some features expects of people that it has not seen, for its own judgement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.alone import SEED, are_told, half_of
from stamgast_learn.predict.estimate import Estimate, fit
from stamgast_learn.predict.panel import Panel


@dataclass(frozen=True, slots=True)
class Lessons:
    """What was learnt of each half of the people, to be asked of the other half (`held`)."""

    names: tuple[str, ...]
    columns: Floats
    base: float
    learnt: tuple[tuple[Labels, Estimate], ...]

    def scores(self) -> Floats:
        """What is said of each row."""
        return self._scores(self.columns)

    def scores_without(self, name: str) -> Floats:
        """The same where the feature's values are exchanged among people: a lesson that was learnt
        without it says no less than this."""
        place, columns = self.names.index(name), self.columns.copy()
        columns[:, place] = np.random.default_rng(SEED).permutation(columns[:, place])
        return self._scores(columns)

    def _scores(self, columns: Floats) -> Floats:
        told = np.full(len(columns), self.base)
        for held, estimate in self.learnt:
            told[held] = estimate.scores(columns[held])
        return told


def lessons(view: Panel, names: Sequence[str]) -> Lessons:
    """A model of these features of each half, where there is enough of both outcomes."""
    columns = view.measured[:, [view.features.index(name) for name in names]]
    learnt = tuple(_halves(columns, view)) if names else ()
    return Lessons(tuple(names), columns, float((view.label == 1).mean()), learnt)


def _halves(columns: Floats, view: Panel) -> Iterator[tuple[Labels, Estimate]]:
    labels, half = view.label == 1, half_of(view.person)
    for held in (half, ~half):
        if held.any() and are_told(labels[~held]):
            yield held, fit(columns[~held], labels[~held])


def expected(view: Panel, names: Sequence[str]) -> Floats:
    """What a model of these features says of each row, learnt of the other half of the people."""
    return lessons(view, names).scores()


def odds_of(share: float) -> float:
    """Log-odds, kept off the ends."""
    bounded = min(max(share, 1e-4), 1 - 1e-4)
    return float(np.log(bounded / (1 - bounded)))
