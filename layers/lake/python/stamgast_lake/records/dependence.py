"""Columns that tell each other: what a column weighs once its neighbours are known to agree.

A household shares an address and often a surname, a postcode lies in one town, an address is made
of a name. Sums of weights count such agreement twice. Each dependent column has *parents*; of the
pairs whose first known parent agrees, it is counted how often others agree in the column too. The
pairs are those that blocking reaches, so that the count is a lower bound, and the larger of it and
of what random pairs show is believed (a tree of dependences: Chow and Liu, 1968).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MISSING, EQUAL, NEAR, DIFFERENT = range(4)
CLASSES = 4
BELIEVED_PAIRS = 10.0
DOUBT = 5
LEAST_DIFFERENT = 0.05
"""A share of the others keeps differing however often they are seen to agree."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A column and its parents, best first; a parent of several columns agrees when all do.

    `columns` are places of columns, the dependent one first; `parents` are places in `columns`.
    A column that moves with its parents differs along with them in one person's records, too, as
    all of an address does; a name does not.
    """

    columns: tuple[int, ...]
    parents: tuple[tuple[int, ...], ...]
    moves: bool


@dataclass(frozen=True, slots=True)
class Shares:
    """How often a column shows the classes equal, near and different, for each parent's class."""

    of_matches: Floats
    of_others: Floats

    def gain(self, m: Floats, u: Floats) -> Floats:
        """What the parent's class (row) adds to the weight of the column's class."""
        gain: Floats = np.log(self.of_matches / m) - np.log(self.of_others / u)
        return gain


@dataclass(frozen=True, slots=True)
class Gain:
    """What is added to the weight, and whether the parent agrees.

    If it does, a rare value of the column is no news: its frequency adds nothing to the weight.
    """

    weight: float
    is_expected: bool


def classes_of(levels: Ints, size: int) -> Ints:
    """Each level as missing, equal, near or different; a column has `size` levels."""
    answer: Ints = np.select(
        [levels < 0, levels == 0, levels == size - 1], [MISSING, EQUAL, DIFFERENT], NEAR
    ).astype(np.int64)
    return answer


def together(classes: Sequence[Ints]) -> Ints:
    """The class of several columns at once: equal when all are, different when one is."""
    told = np.stack(classes)
    answer: Ints = np.where((told == MISSING).any(axis=0), MISSING, told.max(axis=0))
    return answer


def by_class(shares: Floats) -> Floats:
    """Shares by level as shares of equal, near and different."""
    near = max(float(shares[1:-1].sum()), 1e-9)
    return np.array([shares[0], near, shares[-1]])


@dataclass(frozen=True, slots=True)
class Sampled:
    """Random pairs: their classes by column, how many show each pattern, and one's worth of all.

    They tell how often common parents agree with a column, which blocking reaches in part.
    """

    classes: Sequence[Ints]
    pairs: Floats
    worth: float

    def counts(self, edge: Edge) -> list[Floats]:
        """The random pairs by class of each parent (row) and of the column."""
        child, parents, by = _places(edge, self.classes)
        return [_table(child, told, by == place, self.pairs) for place, told in enumerate(parents)]

    def others(self, counted: Floats, matches: Floats) -> Floats:
        """How many of all others they stand for; nothing where chance may have made as many."""
        left = counted - matches / self.worth
        answer: Floats = np.where(left > DOUBT + 3 * np.sqrt(counted), left * self.worth, 0.0)
        return answer


def _places(edge: Edge, classes: Sequence[Ints]) -> tuple[Ints, list[Ints], Ints]:
    """The classes of an edge's column and of its parents, and which parent counts."""
    parents = [together([classes[edge.columns[at]] for at in parent]) for parent in edge.parents]
    return classes[edge.columns[0]], parents, _first_known(parents)


def _table(child: Ints, parent: Ints, here: NDArray[np.bool_], weights: Floats) -> Floats:
    told = here & (child != MISSING)
    code = (parent[told] - 1) * 3 + child[told] - 1
    counted: Floats = np.bincount(code, weights=weights[told], minlength=9).reshape(3, 3)
    return counted


class Dependent:
    """One edge over the patterns of a fit; a round of the fit asks it for what it adds."""

    def __init__(
        self, edge: Edge, classes: Sequence[Ints], pairs: Floats, random: "Sampled"
    ) -> None:
        self.edge = edge
        self._random = random
        self._pairs = pairs
        self._child, self._parents, self._by = _places(edge, classes)

    def shares(
        self, matches: Floats, m: Sequence[Floats], u: Sequence[Floats], all_pairs: Floats
    ) -> list[Shares]:
        """For each parent, how often the column agrees under each of the parent's classes."""
        child = self.edge.columns[0]
        own_m, own_u = by_class(m[child]), by_class(u[child])
        others = self._pairs - matches
        seen = self._random.counts(self.edge)
        return [
            Shares(
                self._matched(place, matches, own_m) if self.edge.moves else np.tile(own_m, (3, 1)),
                self._unmatched(
                    np.maximum(
                        self._counted(place, others),
                        self._random.others(seen[place], self._counted(place, matches)),
                    ),
                    own_u,
                    typed=_typed(own_m),
                    likely=self._likely(parent, u) * all_pairs[child]
                    - self._counted(place, matches).sum(axis=1),
                    typed_parent=_typed(self._likely(parent, m)),
                ),
            )
            for place, parent in enumerate(self.edge.parents)
        ]

    def gain(self, shares: Sequence[Shares], m: Sequence[Floats], u: Sequence[Floats]) -> Floats:
        """What the edge adds to the weight of each pattern (natural logarithm)."""
        child = self.edge.columns[0]
        answer = np.zeros(len(self._child))
        for place, one in enumerate(shares):
            told = np.zeros((CLASSES, CLASSES))
            told[1:, 1:] = one.gain(by_class(m[child]), by_class(u[child]))
            here = self._by == place
            answer[here] = told[self._parents[place][here], self._child[here]]
        return answer

    def codes(
        self, shares: Sequence[Shares], m: Sequence[Floats], u: Sequence[Floats]
    ) -> Mapping[int, Gain]:
        """What the edge adds by the code of the classes of its columns: `Σ class · 4^place`."""
        child = self.edge.columns[0]
        gains = [one.gain(by_class(m[child]), by_class(u[child])) for one in shares]
        told = {}
        for combined in product(range(CLASSES), repeat=len(self.edge.columns)):
            added = self._added(combined, gains)
            if added is not None:
                code = sum(one * CLASSES**place for place, one in enumerate(combined))
                told[code] = added
        return told

    def _added(self, combined: Sequence[int], gains: Sequence[Floats]) -> Gain | None:
        if combined[0] == MISSING:
            return None
        for place, parent in enumerate(self.edge.parents):
            found = [combined[at] for at in parent]
            if MISSING not in found:
                weight = float(gains[place][max(found) - 1, combined[0] - 1])
                return Gain(weight, max(found) != DIFFERENT)
        return None

    def _counted(self, place: int, weights: Floats) -> Floats:
        return _table(self._child, self._parents[place], self._by == place, weights)

    def _matched(self, place: int, matches: Floats, own: Floats) -> Floats:
        counted = self._counted(place, matches) + BELIEVED_PAIRS * own
        answer: Floats = counted / counted.sum(axis=1, keepdims=True)
        return answer

    def _unmatched(
        self, counted: Floats, own: Floats, *, typed: float, likely: Floats, typed_parent: float
    ) -> Floats:
        """The child's shares by parent class; where the parents differ, those of random pairs.

        `likely` others agree in the parent at most, with those that blocking does not reach. Who
        shares a value mistypes it as often as one person does: `typed` nearly equal pairs for each
        equal one.
        """
        of_parent = np.maximum(np.maximum(likely, counted.sum(axis=1)), 1.0)
        equal = np.maximum(counted[0, :2] / of_parent[0], own[:2])
        equal[1] = max(equal[1], equal[0] * typed)
        near = np.maximum(counted[1, :2] / of_parent[1], own[:2])
        near = np.maximum(near, equal * min(1.0, of_parent[0] * typed_parent / of_parent[1]))
        return np.stack([_with_rest(equal), _with_rest(near), own])

    def _likely(self, parent: tuple[int, ...], u: Sequence[Floats]) -> Floats:
        told = [by_class(u[self.edge.columns[at]]) for at in parent]
        equal = float(np.prod([one[0] for one in told]))
        agreeing = float(np.prod([one[0] + one[1] for one in told]))
        return np.array([equal, agreeing - equal, 1 - agreeing])


def _with_rest(agreeing: Floats) -> Floats:
    kept = agreeing * min(1.0, (1 - LEAST_DIFFERENT) / agreeing.sum())
    return np.append(kept, 1 - kept.sum())


def _typed(shares: Floats) -> float:
    return float(shares[1] / shares[0])


def _first_known(parents: Sequence[Ints]) -> Ints:
    """Which parent counts for each pattern: the first that is not missing, −1 without one."""
    answer = np.full(len(parents[0]), -1, dtype=np.int64)
    for place in reversed(range(len(parents))):
        answer[parents[place] != MISSING] = place
    return answer
