"""Expectation maximisation over all pairs that blocking reaches, without a label.

Fellegi and Sunter (1969); the E step is Bayes' rule over agreement patterns as in Winkler (2000).
`observed` is how often random pairs show a level: matches are among them, so that what others show
is `u = (observed - prior * m) / (1 - prior)`, solved anew in every round.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stamgast_lake.records.dependence import (
    Dependent,
    Edge,
    Floats,
    Ints,
    Sampled,
    Seen,
    Shares,
)

ROUNDS = 200
CONVERGED = 1e-5
BELIEVED_PAIRS = 10.0
"""How many matches the first belief in `m` weighs as much as."""
BELIEVED_DIFFERENT, HALF = 0.05, 0.5
"""Where too many differ in what people are born with, this share of matches is taken to."""
FEWEST_MATCHES = 2.0
LEAST_SHARE = 0.02
"""`u` stays above this share of what random pairs show, however many of them match."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Agreement patterns: `levels` (pattern, column), −1 where missing, and how many pairs each.

    `filled` is the share of all pairs in which both records have a value in a column.
    """

    levels: Ints
    pairs: Floats
    all_pairs: float
    filled: Floats


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What is taken for true before a pair is seen.

    `observed` levels of random pairs, `m` at first, and for each column the largest share of
    matches that may differ in it: what differs more often is another class than the records of one
    person, such as those of a household or of a street. For columns `named_apart` that is told by
    matches that do not live together, which differ in a column of `living`. For the first of each
    of `vouched` it is told by matches that are equal in the second.
    """

    observed: Sequence[Floats]
    m: Sequence[Floats]
    most_different: Sequence[float]
    edges: Sequence[Edge]
    random: Patterns
    prior: float
    living: Sequence[int] = ()
    named_apart: Sequence[int] = ()
    vouched: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Fitted:
    """The share of pairs that match, `m` and `u` by column and level, and matches by pattern.

    `gains` has for each edge what each parent adds (natural logarithm), by its class and the level
    of the column.
    """

    prior: float
    m: tuple[Floats, ...]
    u: tuple[Floats, ...]
    gains: tuple[tuple[Floats, ...], ...]
    matches: Floats


def fit(patterns: Patterns, beliefs: Beliefs) -> Fitted:
    """The parameters under which the patterns are likeliest, from a first belief on.

    At first every pair that agrees in dependent columns is taken for chance: what must be a match
    shows by the other columns, and households do not start as persons.
    """
    m, prior = tuple(beliefs.m), beliefs.prior
    u = _others(patterns, beliefs.observed, np.zeros(len(patterns.pairs)), m, prior)
    edges = _dependents(patterns, beliefs)
    of_child = patterns.all_pairs * patterns.filled
    nothing = np.zeros(len(patterns.pairs))
    shares = [one.shares(nothing, m, u, of_child) for one in edges]
    most = list(beliefs.most_different)
    for _ in range(ROUNDS):
        matches = _likely(patterns, m, u, prior, _gain(edges, shares, m, u))
        was, prior = prior, _prior(matches, patterns)
        told = [
            _shares(patterns.levels[:, place], matches, one) for place, one in enumerate(beliefs.m)
        ]
        most = [
            BELIEVED_DIFFERENT if shares[-1] > limit and limit < HALF else limit
            for shares, limit in zip(told, most, strict=True)
        ]
        bounds = _bounds(most, patterns, matches, beliefs)
        m = tuple(_capped(one, limit) for one, limit in zip(told, bounds, strict=True))
        u = _others(patterns, beliefs.observed, np.zeros(len(patterns.pairs)), m, prior)
        shares = [one.shares(matches, m, u, of_child) for one in edges]
        if abs(prior - was) <= CONVERGED * was:
            break
    if float(matches.sum()) < FEWEST_MATCHES:
        m = tuple(beliefs.m)
        shares = [one.shares(nothing, m, u, of_child) for one in edges]
        weight = _gain(edges, shares, m, u) + _weight(patterns, m, u)
        prior, matches = _excess(patterns, weight, beliefs.prior)
    gains = tuple(tuple(one.gains(told, m, u)) for one, told in zip(edges, shares, strict=True))
    return Fitted(prior, m, u, gains, matches)


def _bounds(
    most: Sequence[float], patterns: Patterns, matches: Floats, beliefs: Beliefs
) -> list[float]:
    """How many matches may differ in each column.

    Twins, taken for one person, would teach that a person's given name often differs, and this
    that more of them are one. Matches that do not live together cannot teach that. Nor can matches
    of one given name teach of spouses that a birth date differs.
    """
    bounds = list(most)
    apart = np.zeros(len(patterns.pairs), dtype=np.bool_)
    for place in beliefs.living:
        apart |= patterns.levels[:, place] == len(beliefs.m[place]) - 1
    for place in beliefs.named_apart if beliefs.living else ():
        told = _shares(patterns.levels[apart, place], matches[apart], beliefs.m[place])
        bounds[place] = min(bounds[place], float(told[-1]))
    for place, other in beliefs.vouched:
        equal = patterns.levels[:, other] == 0
        told = _shares(patterns.levels[equal, place], matches[equal], beliefs.m[place])
        bounds[place] = min(bounds[place], float(told[-1]))
    return bounds


def _excess(patterns: Patterns, weight: Floats, prior: float) -> tuple[float, Floats]:
    """The prior by how many more pairs agree than chance explains, and the matches by pattern.

    Where no pattern alone is more likely a match than not, as with names and nothing else, their
    sum may still say how many there are: each pair then counts for as much as it is likely.
    """
    matches = np.zeros(len(patterns.pairs))
    for _ in range(ROUNDS):
        odds = np.exp(np.clip(weight + np.log(prior / (1 - prior)), -500, 500))
        matches = patterns.pairs * odds / (1 + odds)
        was, prior = prior, _prior(matches, patterns)
        if abs(prior - was) <= CONVERGED * was:
            break
    return prior, matches


def _dependents(patterns: Patterns, beliefs: Beliefs) -> list[Dependent]:
    sizes = [len(one) for one in beliefs.m]
    random = Sampled(
        Seen(beliefs.random.levels, sizes, beliefs.random.pairs),
        worth=patterns.all_pairs / beliefs.random.all_pairs,
    )
    seen = Seen(patterns.levels, sizes, patterns.pairs)
    return [Dependent(edge, seen, random) for edge in beliefs.edges]


def _gain(
    edges: Sequence[Dependent],
    shares: Sequence[Sequence[Shares]],
    m: Sequence[Floats],
    u: Sequence[Floats],
) -> Floats:
    told = [one.gain(found, m, u) for one, found in zip(edges, shares, strict=True)]
    return np.asarray(np.sum(told, axis=0), dtype=np.float64)


def _prior(matches: Floats, patterns: Patterns) -> float:
    return min(0.5, max(1.0, float(matches.sum())) / max(2.0, patterns.all_pairs))


def _likely(
    patterns: Patterns, m: Sequence[Floats], u: Sequence[Floats], prior: float, gain: Floats
) -> Floats:
    """How many matches each pattern has, of the patterns that are matches rather than not.

    Millions of unlikely pairs would else add up to more matches than there are, and draw the
    class of matches to namesakes and neighbours (classification EM: Celeux and Govaert, 1992).
    """
    weight = np.log(prior / (1 - prior)) + gain + _weight(patterns, m, u)
    probability = 1 / (1 + np.exp(-np.clip(weight, -500, 500)))
    answer: Floats = np.where(weight > 0, patterns.pairs * probability, 0.0)
    return answer


def _weight(patterns: Patterns, m: Sequence[Floats], u: Sequence[Floats]) -> Floats:
    """What all columns weigh for each pattern (natural logarithm)."""
    weight: Floats = np.zeros(len(patterns.pairs))
    for place, (of_matches, of_others) in enumerate(zip(m, u, strict=True)):
        told = np.append(np.log(of_matches / of_others), 0.0)
        weight = weight + told[patterns.levels[:, place]]
    return weight


def _shares(levels: Ints, matches: Floats, believed: Floats) -> Floats:
    counted = _count(levels, matches, len(believed))
    shares: Floats = (counted + BELIEVED_PAIRS * believed) / (counted.sum() + BELIEVED_PAIRS)
    return shares


def _count(levels: Ints, weights: Floats, size: int) -> Floats:
    seen = levels >= 0
    counted = np.bincount(levels[seen], weights=weights[seen], minlength=size)
    return np.asarray(counted, np.float64)


def _capped(shares: Floats, most: float) -> Floats:
    if shares[-1] <= most:
        return shares
    return np.append(shares[:-1] * (1 - most) / shares[:-1].sum(), most)


def _others(
    patterns: Patterns,
    observed: Sequence[Floats],
    matches: Floats,
    m: Sequence[Floats],
    prior: float,
) -> tuple[Floats, ...]:
    """How often others show each level: what random pairs leave, and at least what is seen."""
    answer = []
    for place, (shown, of_matches) in enumerate(zip(observed, m, strict=True)):
        left = np.maximum((shown - prior * of_matches) / (1 - prior), LEAST_SHARE * shown)
        counted = _count(patterns.levels[:, place], patterns.pairs - matches, len(shown))
        seen = counted / max(1.0, patterns.all_pairs * float(patterns.filled[place]))
        answer.append(np.maximum(left, seen))
    return tuple(answer)
