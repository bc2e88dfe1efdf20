"""Learnt weights of what speaks for an item, and the best items of each person by them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Floats
from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import Column
from stamgast_learn.recommend.baskets import Baskets, Codes
from stamgast_learn.recommend.evidence import (
    ACTIVE,
    NAMES,
    POPULAR,
    Evidence,
    Learnt,
    Owned,
    evidence,
    learnt_at,
    owned,
)
from stamgast_learn.recommend.exclusions import Exclusions
from stamgast_learn.recommend.known import Known, bought_in, known_at

SEED = 20_010_501
MOST_TAUGHT = 1_000
CANDIDATES = 100
SAME = 1e-9
NUMBERS_AT_ONCE = 2_000_000
"""Of people times items, which bounds a block at some 100 MB."""
Lessons: TypeAlias = tuple[Floats, NDArray[np.bool_]]


BECAUSE = ("bought before", "goes with what was bought", "popular")


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic line over what speaks for an item."""

    slopes: Floats
    intercept: float

    def odds(self, scores: Floats) -> Floats:
        """The probability that what has these scores is bought within the horizon."""
        told: Floats = 1 / (1 + np.exp(-(scores + self.intercept)))
        return told


@dataclass(frozen=True, slots=True)
class Offered:
    """The best items of each person, best first: codes, odds, and what spoke most for each.

    `because` is a place in `BECAUSE`. Who may be offered less than that many has item -1 there.
    """

    item: Codes
    odds: Floats
    because: Codes


@dataclass(frozen=True, slots=True)
class Moment:
    """A cut-off as a recommender sees it."""

    known: Known
    learnt: Learnt
    owned: Owned
    people: Codes
    cells: Codes


def moment_at(
    baskets: Baskets, cut: int, people: Codes, cell: Column, within_days: int, least_buyers: int
) -> Moment:
    """What is known, and learnt of items, at a cut-off."""
    known = known_at(baskets, cut, least_buyers)
    learnt = learnt_at(baskets, known, people, cell, within_days)
    return Moment(known, learnt, owned(known, learnt), people, learnt.cell_of(cell))


def blocks(moment: Moment) -> Iterator[tuple[Codes, Evidence]]:
    """Positions of some of the people, and what speaks for each item with them."""
    for rows in positions(moment):
        people, cells = moment.people[rows], moment.cells[rows]
        yield rows, evidence(moment.learnt, moment.owned, people, cells)


def positions(moment: Moment) -> Iterator[Codes]:
    """Positions of the people, so many at a time as memory has room for."""
    size = max(1, NUMBERS_AT_ONCE // max(1, moment.known.shape[1]))
    for start in range(0, len(moment.people), size):
        yield np.arange(start, min(start + size, len(moment.people)))


def lessons(baskets: Baskets, moment: Moment, within_days: int, out: Exclusions) -> Lessons:
    """What spoke for items, and whether they were bought, of 1,000 people at most.

    Of each person it takes what they had bought and the hundred items that speak most by likeness,
    and by popularity: a choice that knows nothing of what came.
    """
    random = np.random.default_rng((SEED, moment.known.cut))
    chosen = np.sort(random.permutation(len(moment.people))[:MOST_TAUGHT])
    few = replace(moment, people=moment.people[chosen], cells=moment.cells[chosen])
    cut = moment.known.cut
    then = bought_in(baskets, cut, cut + within_days)
    told, came = [np.zeros((0, len(NAMES)))], [np.zeros(0, np.bool_)]
    for rows, of in blocks(few):
        people = few.people[rows]
        bought = then[people].toarray() > 0
        taken = _likely(of) & ~out.of(few.known, people)
        row, item = np.nonzero(taken)
        told.append(of.of(row, item))
        came.append(bought[row, item])
    return np.concatenate(told), np.concatenate(came)


def _likely(of: Evidence) -> NDArray[np.bool_]:
    taken = np.zeros(of.popular.shape, np.bool_)
    taken[of.own_row, of.own_item] = True
    most = min(CANDIDATES, of.popular.shape[1])
    for scores in (of.alike.toarray(), of.popular):
        best = np.argpartition(-scores, most - 1, axis=1)[:, :most]
        np.put_along_axis(taken, best, values=True, axis=1)
    return taken


def teach(parts: Sequence[Lessons]) -> Weights:
    """Weights of the lessons of older cut-offs; raises AbstainedError where nothing was bought."""
    from sklearn.linear_model import LogisticRegression

    told = np.concatenate([rows for rows, _ in parts])
    came = np.concatenate([labels for _, labels in parts])
    if came.all() or not came.any():
        raise AbstainedError("nobody bought anything of what is offered after the older cut-offs")
    spread = told.std(axis=0)
    moves = spread > SAME
    line = LogisticRegression(solver="newton-cholesky")
    line.fit(told[:, moves] / spread[moves], came)
    slopes = np.zeros(len(spread))
    slopes[moves] = line.coef_[0] / spread[moves]
    return Weights(slopes, float(line.intercept_[0]))


def offer(moment: Moment, weights: Weights, out: Exclusions, number: int) -> Offered:
    """The best items of everybody whom a cut-off is about."""
    parts = []
    for rows, of in blocks(moment):
        bought, alike = of.parts(weights.slopes)
        scores = bought + alike + of.popular * weights.slopes[POPULAR]
        scores += of.active[:, None] * weights.slopes[ACTIVE]
        scores[out.of(moment.known, moment.people[rows])] = -np.inf
        best = best_of(scores, number)
        bought, alike, scores = (
            np.take_along_axis(one, best, axis=1) for one in (bought, alike, scores)
        )
        item = np.where(np.isinf(scores), -1, best)
        parts.append((item, weights.odds(scores), _spoke_most(bought, alike)))
    if not parts:
        none = np.zeros((0, number), np.int64)
        return Offered(none, np.zeros((0, number)), none)
    return Offered(*(np.concatenate(one) for one in zip(*parts, strict=True)))


def _spoke_most(bought: Floats, alike: Floats) -> Codes:
    """Which of `BECAUSE` spoke most for each offer."""
    told = np.where(bought >= alike, 0, 1)
    return np.where(np.maximum(bought, alike) <= 0, 2, told)


def best_of(scores: Floats, number: int) -> Codes:
    """The places of the highest scores of each row, the highest first; ties by place."""
    number = min(number, scores.shape[1])
    found = np.sort(np.argpartition(-scores, number - 1, axis=1)[:, :number], axis=1)
    order = np.argsort(-np.take_along_axis(scores, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)
