"""Each person's share of discounted purchases, drawn to everybody's as far as it is unsure.

A beta-binomial model: shares of people follow a beta distribution, fitted by its likelihood
(Skellam 1948, A probability distribution derived from the binomial distribution).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln
from scipy.stats import beta, betabinom

from stamgast_learn.calibration import Floats
from stamgast_learn.faults import AbstainedError

LEVEL = 0.9
LARGEST = 12.0
LEAST_CHANCE = 1e-300


@dataclass(frozen=True, slots=True)
class Shares:
    """The beta distribution of people's shares, and how many lines say as much as one by itself.

    Lines of one order are discounted together, so that a dozen of them are fewer than a dozen.
    """

    a: float
    b: float
    design_effect: float

    def of(self, lines: Floats, discounted: Floats) -> Floats:
        """The expected share of each person, given what they bought."""
        n, k = lines / self.design_effect, discounted / self.design_effect
        told: Floats = (self.a + k) / (self.a + self.b + n)
        return told

    def bounds(self, lines: Floats, discounted: Floats) -> tuple[Floats, Floats]:
        """Bounds of each person's share at 90 %."""
        n, k = lines / self.design_effect, discounted / self.design_effect
        return _bounds(self.a + k, self.b + n - k)

    def coverage(
        self, lines: Floats, discounted: Floats, later: Floats, later_discounted: Floats
    ) -> Floats:
        """Which part of each person's outcome lay between the tails of what was stated, at 90 %.

        The lines to come, as many as say as much by themselves, follow a beta-binomial. They are
        counts: an interval of whole ones holds 90 % or more, of few lines far more. So what came
        counts by the part of its own probability that lies between the tails, and 90 % of it does
        on average where what was stated is true (Czado, Gneiting & Held 2009).
        """
        n, k = lines / self.design_effect, discounted / self.design_effect
        many = np.maximum(np.round(later / self.design_effect), 1)
        came = np.round(many * later_discounted / later)
        below, at = _chances(came.astype(np.int64), many, self.a + k, self.b + n - k)
        tail = (1 - LEVEL) / 2
        within = np.minimum(below + at, 1 - tail) - np.maximum(below, tail)
        told: Floats = np.clip(within / np.maximum(at, LEAST_CHANCE), 0, 1)
        return told


def _chances(came: NDArray[np.int64], later: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The probability of fewer than came, and of as many."""
    person = np.repeat(np.arange(len(came)), came)
    fewer = np.arange(len(person)) - np.repeat(np.cumsum(came) - came, came)
    each = betabinom.pmf(fewer, later[person], a[person], b[person])
    return np.bincount(person, each, len(came)), betabinom.pmf(came, later, a, b)


def _bounds(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    tail = (1 - LEVEL) / 2
    return beta.ppf(tail, a, b), beta.ppf(1 - tail, a, b)


def fit(lines: Floats, discounted: Floats, design_effect: float) -> Shares:
    """The distribution of shares; raises AbstainedError where nothing or all was discounted."""
    total = float(discounted.sum())
    if total in (0.0, float(lines.sum())):
        told = "no" if total == 0 else "every"
        raise AbstainedError(f"{told} line of an order was discounted")
    pairs, counts = np.unique(np.column_stack([lines, discounted]), axis=0, return_counts=True)
    n, k = pairs.T / design_effect

    def unlikely(logs: Floats) -> float:
        a, b = np.exp(logs)
        return -float((counts * (betaln(a + k, b + n - k) - betaln(a, b))).sum())

    start = np.log([1.0, 1.0])
    found = minimize(unlikely, start, method="L-BFGS-B", bounds=[(-LARGEST, LARGEST)] * 2)
    a, b = np.exp(found.x)
    return Shares(float(a), float(b), design_effect)
