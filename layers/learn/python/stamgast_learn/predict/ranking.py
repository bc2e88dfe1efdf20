"""How well scores order people: area under the curve, average precision, and reach by precision.

Intervals are bootstraps by person (Efron, 1979): someone seen at several cut-offs is drawn whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.reliability import Z95, spread, wilson

REPLICATES, FEW_ROWS = 200, 20_000
"""Of few rows twice as many: of 200 draws the ends of an interval are themselves unsure."""
SEED = 19_790_101
FEW_TAKEN = 30
SHARES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
Groups = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure and the bounds between which it lies with 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Reach:
    """What one gets who takes the best-scored share of people.

    `precision` is the part of those taken to whom it happened, `recall` the part of those to whom
    it happened that is taken, `lift` the precision against the base rate.
    """

    share: float
    people: int
    threshold: float
    precision: Measure
    recall: Measure
    lift: Measure


@dataclass(frozen=True, slots=True)
class Ranking:
    """How scores order people, and the whole curve of reach against precision.

    `base` is the base rate with its interval.
    """

    people: int
    positives: int
    auc: Measure
    average_precision: Measure
    base_rate: float
    base: Measure
    reach: tuple[Reach, ...]

    def to_json(self) -> dict[str, Any]:
        """The ranking as plain data."""
        return asdict(self)


def ranking(
    scores: Floats, labels: Labels, person: NDArray[Any], stated: Floats | None = None
) -> Ranking:
    """The ranking of scores against what came; needs both classes.

    Where scores are no probabilities, `stated` are those that thresholds are told in.
    """
    order = np.argsort(-scores, kind="stable")
    told_in = (scores if stated is None else stated)[order]
    scores, labels = scores[order], labels[order]
    starts, taken = _starts(scores), [max(1, round(share * len(scores))) for share in SHARES]
    shares = np.array(taken) / len(labels)
    told = _figures(labels, np.ones(len(labels)), starts, shares)
    times = 2 if len(labels) < FEW_ROWS else 1
    drawn = [_figures(labels, one, starts, shares) for one in replicates(person[order], times)]
    lows, highs = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    auc, average, *curve = (
        Measure(float(value), float(low), float(high))
        for value, low, high in zip(told, lows, highs, strict=True)
    )
    return Ranking(
        people=len(labels),
        positives=int(labels.sum()),
        auc=auc,
        average_precision=average,
        base_rate=float(labels.mean()),
        base=clustered_mean(labels.astype(np.float64), person[order]),
        reach=tuple(_reached(told_in, taken, _widened(curve, person[order], taken))),
    )


def _starts(scores: Floats) -> NDArray[np.int64]:
    """Where each distinct score begins, in scores that fall."""
    return np.flatnonzero(np.append(True, np.diff(scores) != 0))


def auc_of(scores: Floats, labels: Labels) -> float:
    """Area under the receiver operating characteristic; ties count half."""
    order = np.argsort(-scores, kind="stable")
    return _auc(_grouped(labels[order], np.ones(len(labels)), _starts(scores[order])))


def area(scores: Floats, labels: Labels, person: NDArray[Any]) -> Measure:
    """The area with its 95 % interval, the rows of a person taken as one.

    DeLong et al. (1988), Comparing the areas under two or more correlated receiver operating
    characteristic curves, with Obuchowski's (1997) sums over clusters. Needs both classes.
    """
    ranks, own = rankdata(scores), np.zeros(len(scores))
    for one in (labels, ~labels):
        own[one] = rankdata(scores[one])
    positives, negatives = int(labels.sum()), int((~labels).sum())
    below = np.where(labels, (ranks - own) / negatives, 1 - (ranks - own) / positives)
    value = float(below[labels].mean())
    apart = (below - value) / np.where(labels, positives, negatives)
    _, of = np.unique(person, return_inverse=True)
    half = Z95 * float(np.sqrt((np.bincount(of, weights=apart) ** 2).sum()))
    return Measure(value, max(0.0, value - half), min(1.0, value + half))


def clustered_mean(values: Floats, person: NDArray[Any]) -> Measure:
    """The mean with its 95 % interval, the rows of a person taken as one (Liang & Zeger, 1986)."""
    mean, half = float(values.mean()), spread(values, person)
    return Measure(mean, mean - half, mean + half)


def ratio(above: Floats, below: Floats, person: NDArray[Any]) -> Measure:
    """The ratio of both sums with its 95 % interval (Cochran 1977, section 6.3), the rows of a
    person taken as one; `below` adds up to something."""
    total = float(below.sum())
    value = float(above.sum()) / total
    half = spread(above - value * below, person) * len(below) / abs(total)
    return Measure(value, value - half, value + half)


def replicates(person: NDArray[Any], times: int = 1) -> Iterator[Floats]:
    """How often each row's person was drawn, for one replicate after another."""
    _, of = np.unique(person, return_inverse=True)
    people = int(of.max()) + 1
    random = np.random.default_rng(SEED)
    for _ in range(times * REPLICATES):
        drawn = np.bincount(random.integers(0, people, people), minlength=people)
        yield drawn[of].astype(np.float64)


def _figures(
    labels: Labels, weights: Floats, starts: NDArray[np.int64], shares: Floats
) -> list[float]:
    """Area, average precision; precision, recall and lift of the best shares, under weights.

    A share is taken anew of whoever was drawn: the score from which on people are taken is found
    of the same people, and is as unsure as they are. Of people with one score each counts in part.
    """
    groups = _grouped(labels, weights, starts)
    people, positives = (np.append(0.0, np.cumsum(one)) for one in (sum(groups), groups[0]))
    taken, every = shares * people[-1], max(float(positives[-1]), 1e-9)
    right = np.interp(taken, people, positives)
    precision = right / np.maximum(taken, 1e-9)
    lift = precision * people[-1] / every
    return [_auc(groups), _average_precision(groups), *precision, *(right / every), *lift]


def _grouped(labels: Labels, weights: Floats, starts: NDArray[np.int64]) -> Groups:
    """Weights of those to whom it happened, and of the others, for each distinct score."""
    positive = np.add.reduceat(weights * labels, starts)
    return positive, np.add.reduceat(weights, starts) - positive


def _auc(groups: Groups) -> float:
    positive, negative = groups
    below = negative.sum() - np.cumsum(negative) + negative / 2
    both = positive.sum() * negative.sum()
    return float((positive * below).sum() / both) if both else float("nan")


def _average_precision(groups: Groups) -> float:
    positive, negative = groups
    taken = np.cumsum(positive + negative)
    precision = np.cumsum(positive) / np.where(taken > 0, taken, 1)
    total = positive.sum()
    return float((precision * positive).sum() / total) if total else float("nan")


def _widened(curve: Sequence[Measure], person: NDArray[Any], taken: Sequence[int]) -> list[Measure]:
    """The same points; precisions no surer than so many people make them (Wilson, 1927).

    Of nine people to all of whom it happened, every draw says that it happens to everybody. Of so
    few, recall and lift are no surer than the precision that they are made of.
    """
    first = np.sort(np.unique(person, return_index=True)[1])
    many, told = len(SHARES), list(curve)
    base, everybody = max(curve[many - 1].value, 1e-9), len(person)
    for place, rows in enumerate(taken):
        one, people = told[place], int(np.searchsorted(first, rows))
        low, high = wilson(one.value * people, people)
        told[place] = _no_surer(one, low, high, 1.0)
        if people < FEW_TAKEN:
            share = rows / everybody
            recall, lift = (told[place + many], told[place + 2 * many])
            told[place + many] = _no_surer(recall, low, min(high, base / share), share / base)
            told[place + 2 * many] = _no_surer(lift, low, high, 1 / base)
    return told


def _no_surer(one: Measure, low: float, high: float, each: float) -> Measure:
    """A figure between bounds at least as wide as those of a precision, times `each`."""
    return Measure(one.value, min(one.low, each * low), max(one.high, each * high))


def _reached(stated: Floats, taken: Sequence[int], curve: Sequence[Measure]) -> Iterator[Reach]:
    """The points of the curve, of which come all precisions first, then recalls, then lifts."""
    thirds = (curve[place :: len(SHARES)] for place in range(len(SHARES)))
    for share, people, told in zip(SHARES, taken, thirds, strict=True):
        yield Reach(share, people, float(stated[people - 1]), *told)
