"""Each person's share of discounted purchases, drawn to everybody's as far as it is unsure.

A beta-binomial model: shares of people follow a beta distribution, fitted by its likelihood
(Skellam 1948, A probability distribution derived from the binomial distribution).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln
from scipy.stats import beta

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.faults import AbstainedError

LEVEL = 0.9
LARGEST = 12.0


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

    def bounds_of_later(
        self, lines: Floats, discounted: Floats, later: Floats
    ) -> tuple[Floats, Floats]:
        """Bounds at 90 % of which share of so many lines to come will be discounted.

        A beta distribution with the mean and the variance of both doubts: of the person's share,
        and of the lines to come.
        """
        mean = self.of(lines, discounted)
        weight = self.a + self.b + lines / self.design_effect
        chance = np.minimum(1.0, self.design_effect / np.maximum(later, 1))
        spread = 1 / (weight + 1) + chance * weight / (weight + 1)
        size = np.maximum(1 / spread - 1, 1e-6)
        return _bounds(mean * size, (1 - mean) * size)

    def coverage(
        self, lines: Floats, discounted: Floats, later: Floats, later_discounted: Floats
    ) -> Labels:
        """For whom the share that came lay within what was stated at 90 %."""
        low, high = self.bounds_of_later(lines, discounted, later)
        came = later_discounted / later
        apart = 1e-9 + 0.5 / later  # a share of n lines is a multiple of one n-th
        held: Labels = (low - apart <= came) & (came <= high + apart)
        return held


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
