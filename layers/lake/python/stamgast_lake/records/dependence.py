"""Columns that tell each other: what a column weighs once its neighbours are known to agree.

A household shares an address and often a surname, a postcode lies in one town, an address is made
of a name. Sums of weights count such agreement twice. Each dependent column has *parents*; of the
pairs that agree in one, it is counted how often others agree in the column too. The pairs are those
that blocking reaches, so that the count is a lower bound, and the larger of it and of what random
pairs show is believed (a tree of dependences: Chow and Liu, 1968).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MISSING, EQUAL, NEARLY, ALIKE, DIFFERENT = range(5)
CLASSES = 5
"""A parent is nearly equal at the first of its levels between equal and different: mistyped, most
often. At the others it may as well be somebody else's."""
BELIEVED_PAIRS = 10.0
DOUBT = 5
"""So few pairs of others prove nothing: they may be matches that were not recognised."""
LEAST_SHARE = 1e-9
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
    """How often a column shows each of its levels, for each parent's class."""

    of_matches: Floats
    of_others: Floats

    def gain(self, m: Floats, u: Floats) -> Floats:
        """What the parent's class (row) adds to the weight of the column's level."""
        gain: Floats = np.log(self.of_matches / m) - np.log(self.of_others / u)
        return gain


@dataclass(frozen=True, slots=True)
class Seen:
    """Patterns: levels by pattern and column, −1 where missing, and how many pairs show each."""

    levels: Ints
    sizes: Sequence[int]
    pairs: Floats

    def of(self, edge: Edge) -> tuple[Ints, list[Ints], Ints]:
        """The levels of an edge's column, the classes of its parents, and which parent counts."""
        classes = [self._classes(place) for place in edge.columns]
        parents = [together([classes[at] for at in parent]) for parent in edge.parents]
        return self.levels[:, edge.columns[0]], parents, which_counts(parents)

    def _classes(self, place: int) -> Ints:
        levels, size = self.levels[:, place], self.sizes[place]
        answer: Ints = np.select(
            [levels < 0, levels == 0, levels == size - 1, levels == 1],
            [MISSING, EQUAL, DIFFERENT, NEARLY],
            ALIKE,
        ).astype(np.int64)
        return answer


def together(classes: Sequence[Ints]) -> Ints:
    """The class of several columns at once: equal when all are, different when one is."""
    told = np.stack(classes)
    answer: Ints = np.where((told == MISSING).any(axis=0), MISSING, told.max(axis=0))
    return answer


def by_class(shares: Floats) -> Floats:
    """Shares by level as shares of equal, nearly equal, alike and different."""
    nearly = float(shares[1]) if len(shares) > 2 else 0.0
    alike = max(float(shares[2:-1].sum()), LEAST_SHARE)
    return np.array([shares[0], max(nearly, LEAST_SHARE), alike, shares[-1]])


@dataclass(frozen=True, slots=True)
class Sampled:
    """Random pairs, and how many of all pairs one of them stands for.

    They tell how often common parents agree with a column, which blocking reaches in part.
    """

    seen: Seen
    worth: float

    def counts(self, edge: Edge) -> list[Floats]:
        """The random pairs by class of each parent (row) and level of the column."""
        child, parents, by = self.seen.of(edge)
        size = self.seen.sizes[edge.columns[0]]
        return [
            _counted(child, parents, by, size, nth, self.seen.pairs)
            for nth in range(ways(len(parents)))
        ]

    def others(self, counted: Floats, matches: Floats) -> Floats:
        """How many of all others they stand for; nothing where chance may have made as many."""
        left = counted - matches / self.worth
        answer: Floats = np.where(left > DOUBT + 3 * np.sqrt(counted), left * self.worth, 0.0)
        return answer


def _counted(
    child: Ints, parents: Sequence[Ints], by: Ints, size: int, nth: int, weights: Floats
) -> Floats:
    """Pairs by the class of the `nth` parent and the level of the column.

    Where those before it are silent, how often others agree shows in all pairs that agree in it,
    whatever the silent ones would have said; where it differs, in the pairs for which it counts.
    """
    parent, here = parents[place_of(nth, len(parents))], by == nth
    if nth < len(parents):
        here |= (parent != MISSING) & (parent != DIFFERENT)
    return _table(child, parent, size, here, weights)


def _table(
    child: Ints, parent: Ints, size: int, here: NDArray[np.bool_], weights: Floats
) -> Floats:
    told = here & (child >= 0)
    code = (parent[told] - 1) * size + child[told]
    rows = CLASSES - 1
    counted = np.bincount(code, weights=weights[told], minlength=rows * size)
    return np.asarray(counted, np.float64).reshape(rows, size)


class Dependent:
    """One edge over the patterns of a fit; a round of the fit asks it for what it adds."""

    def __init__(self, edge: Edge, seen: Seen, random: Sampled) -> None:
        self.edge = edge
        self._random = random
        self._pairs = seen.pairs
        self._size = seen.sizes[edge.columns[0]]
        self._child, self._parents, self._by = seen.of(edge)

    def shares(
        self, matches: Floats, m: Sequence[Floats], u: Sequence[Floats], all_pairs: Floats
    ) -> list[Shares]:
        """For each way a parent counts, how often the column agrees under each of its classes."""
        child = self.edge.columns[0]
        own_m, own_u = m[child], u[child]
        others = self._pairs - matches
        answer = []
        for nth, seen in enumerate(self._random.counts(self.edge)):
            parent = self.edge.parents[place_of(nth, len(self.edge.parents))]
            matched = self._counted(nth, matches)
            unmatched = self._unmatched(
                np.maximum(self._counted(nth, others), self._random.others(seen, matched)),
                own_u,
                typed=_typed(own_m),
                likely=self._likely(parent, u) * all_pairs[child] - matched.sum(axis=1),
                typed_parent=_typed(self._likely(parent, m)),
            )
            answer.append(Shares(self._matched(matched, own_m), unmatched))
        return answer

    def gain(self, shares: Sequence[Shares], m: Sequence[Floats], u: Sequence[Floats]) -> Floats:
        """What the edge adds to the weight of each pattern (natural logarithm)."""
        answer = np.zeros(len(self._child))
        for nth, gains in enumerate(self.gains(shares, m, u)):
            parent = self._parents[place_of(nth, len(self._parents))]
            here = (self._by == nth) & (self._child >= 0)
            answer[here] = gains[parent[here] - 1, self._child[here]]
        return answer

    def gains(
        self, shares: Sequence[Shares], m: Sequence[Floats], u: Sequence[Floats]
    ) -> list[Floats]:
        """What each way a parent counts adds, by its class (row) and the level of the column."""
        child = self.edge.columns[0]
        return [one.gain(m[child], u[child]) for one in shares]

    def _counted(self, nth: int, weights: Floats) -> Floats:
        return _counted(self._child, self._parents, self._by, self._size, nth, weights)

    def _matched(self, counted: Floats, own: Floats) -> Floats:
        if not self.edge.moves:
            return np.tile(own, (CLASSES - 1, 1))
        believed = counted + BELIEVED_PAIRS * own
        answer: Floats = believed / believed.sum(axis=1, keepdims=True)
        return answer

    def _unmatched(
        self, counted: Floats, own: Floats, *, typed: Floats, likely: Floats, typed_parent: Floats
    ) -> Floats:
        """The child's shares by parent class; where the parents differ, those of random pairs.

        `likely` others agree in the parent at most, with those that blocking does not reach. Who
        shares a value mistypes it as often as one person does: `typed` pairs at each level for each
        equal one. So no level that is less than equal says more than equal does.
        """
        of_parent = np.maximum(np.maximum(likely, counted.sum(axis=1)), 1.0)
        shown = _believed(counted, of_parent, own)
        equal = np.maximum(shown[EQUAL - 1], shown[EQUAL - 1][0] * typed)
        rows = [equal]
        for place in (NEARLY - 1, ALIKE - 1):
            shared = min(1.0, of_parent[0] * typed_parent[place] / of_parent[place])
            rows.append(np.maximum(shown[place], equal * shared))
        return np.stack([*(_with_rest(one) for one in rows), own])

    def _likely(self, parent: tuple[int, ...], u: Sequence[Floats]) -> Floats:
        told = np.stack([by_class(u[self.edge.columns[at]]) for at in parent])
        up_to = told[:, :-1].cumsum(axis=1).prod(axis=0)
        return np.append(np.diff(up_to, prepend=0.0), 1 - up_to[-1])


def _believed(counted: Floats, of_parent: Floats, own: Floats) -> Floats:
    """How often others agree at all, by parent class; at least as often as random pairs do."""
    agreeing, chance = counted[:, :-1], own[:-1]
    told = np.maximum(agreeing - DOUBT, 0.0) + BELIEVED_PAIRS * chance
    answer: Floats = np.maximum(told / (of_parent + BELIEVED_PAIRS)[:, None], chance)
    return answer


def _with_rest(agreeing: Floats) -> Floats:
    kept = agreeing * min(1.0, (1 - LEAST_DIFFERENT) / agreeing.sum())
    return np.append(kept, 1 - kept.sum())


def _typed(shares: Floats) -> Floats:
    """For each equal pair, how many show each of the others but different."""
    answer: Floats = shares[:-1] / shares[0]
    return answer


def ways(parents: int) -> int:
    """In how many ways one of so many parents counts: each, and all but the first contradicted."""
    return 2 * parents - 1


def place_of(nth: int, parents: int) -> int:
    """Which parent counts in the `nth` way."""
    return nth if nth < parents else nth - parents + 1


def which_counts(parents: Sequence[Ints]) -> Ints:
    """Which parent counts for each pattern, and how: the first that agrees, else the first known.

    One that agrees although one before it differs is contradicted: who shares a postcode and not
    the street is a neighbour, and who shares a postcode beside a street that is missing may live
    together. −1 without a parent.
    """
    answer = np.full(len(parents[0]), -1, dtype=np.int64)
    differs = np.zeros(len(parents[0]), dtype=np.bool_)
    is_found = np.zeros(len(parents[0]), dtype=np.bool_)
    for place, told in enumerate(parents):
        agrees = (told != MISSING) & (told != DIFFERENT) & ~is_found
        answer[agrees] = place
        answer[agrees & differs] = len(parents) + place - 1
        is_found |= agrees
        answer[(answer < 0) & (told == DIFFERENT)] = place
        differs |= told == DIFFERENT
    return answer
