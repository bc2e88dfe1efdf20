"""Purchases and money to come from each customer, with intervals that cover what they say.

Both models' posteriors are conjugate, so the distribution of purchases is exact and needs no draws:
given that one is alive, the purchases of a time t are the smaller of a negative binomial count and
the purchase after which one leaves (Fader, Hardie and Lee 2005, section 4, whose equation 10 is the
mean of it).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln
from scipy.stats import nbinom

from stamgast_learn.lifetime.bg_nbd import BgNbd, alive, expected_purchases
from stamgast_learn.lifetime.gamma_gamma import GammaGamma, expected_spend
from stamgast_learn.lifetime.histories import Counts, Floats, Histories

DRAWS = 400
ROWS = 2_000
"""Customers drawn for at a time, which bounds the memory at some 20 MB."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of each customer's amount, which lies between them with the stated probability."""

    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of each customer: P(alive), and the mean purchases and money of a time after the cut-off."""

    alive: Floats
    purchases: Floats
    value: Floats


def forecast(buying: BgNbd, spending: GammaGamma, of: Histories, within: float) -> Forecast:
    """What each customer is expected to do in a time `within` after the cut-off.

    Money is purchases times mean spend: the models take them as independent.
    """
    purchases = expected_purchases(buying, of, within)
    return Forecast(alive(buying, of), purchases, purchases * expected_spend(spending, of))


def at_least(model: BgNbd, of: Histories, within: float, purchases: int) -> Floats:
    """P(Y(t) ≥ n) of each customer, for n of at least 1."""
    x = of.repeats.astype(np.float64)
    chance = (model.alpha + of.age) / (model.alpha + of.age + within)
    made = nbinom.sf(purchases - 1, model.r + x, chance)
    stays = betaln(model.a, model.b + x + purchases - 1) - betaln(model.a, model.b + x)
    told: Floats = alive(model, of) * made * np.exp(stays)
    return told


def purchases_interval(model: BgNbd, of: Histories, within: float, level: float) -> Interval:
    """The interval of purchases: counts, so it covers at least its level.

    It is central, and reaches up from 0 where 0 alone is likelier than the lower tail: there all
    the doubt lies above.
    """
    tail = (1 - level) / 2
    low, central, upper = (
        _quantile(model, of, within, share).astype(np.float64) for share in (tail, 1 - tail, level)
    )
    return Interval(low, np.where(low > 0, central, upper))


def _quantile(model: BgNbd, of: Histories, within: float, share: float) -> Counts:
    """The smallest n with P(Y ≤ n) ≥ share, counted up for those only who have not reached it."""
    found = np.zeros(len(of), np.int64)
    open_ones = np.arange(len(of))
    purchases = 0
    while len(open_ones):
        beyond = at_least(model, of.at(open_ones), within, purchases + 1) > 1 - share
        open_ones = open_ones[beyond]
        purchases += 1
        found[open_ones] = purchases
    return found


def value_interval(
    buying: BgNbd, spending: GammaGamma, of: Histories, within: float, level: float, seed: int
) -> Interval:
    """The interval of the money to come, by 400 draws from the posterior a customer.

    It reaches up from 0 as that of purchases does. Draws follow the customers' positions: the same
    customers in the same order and the same seed give the same bounds.
    """
    tail = (1 - level) / 2
    parts = []
    for start in range(0, len(of), ROWS):
        random = np.random.default_rng((seed, start))
        drawn = _drawn(buying, spending, of.at(slice(start, start + ROWS)), within, random)
        parts.append(np.quantile(drawn, [tail, 1 - tail, level], axis=1))
    low, central, upper = np.concatenate(parts, axis=1) if parts else np.zeros((3, 0))
    return Interval(low, np.where(low > 0, central, upper))


def _drawn(
    buying: BgNbd, spending: GammaGamma, of: Histories, within: float, random: np.random.Generator
) -> Floats:
    """Draws (customers, DRAWS) of the money to come."""
    shape = (len(of), DRAWS)
    x = of.repeats[:, None].astype(np.float64)
    rate = random.gamma(buying.r + x, 1 / (buying.alpha + of.age[:, None]), shape)
    leaves = random.geometric(np.maximum(random.beta(buying.a, buying.b + x, shape), 1e-12))
    made = np.minimum(random.poisson(rate * within), leaves)
    made = np.where(random.random(shape) < alive(buying, of)[:, None], made, 0)
    return _spent(spending, of, made, random)


def _spent(
    spending: GammaGamma, of: Histories, made: Counts, random: np.random.Generator
) -> Floats:
    mean = np.zeros(len(of)) if of.mean_spend is None else of.mean_spend
    known = np.where(mean > 0, of.repeats, 0)[:, None].astype(np.float64)
    scale = spending.gamma + known * mean[:, None]
    nu = random.gamma(spending.q + spending.p * known, 1 / scale, made.shape)
    sums = random.gamma(np.maximum(spending.p * made, 1e-300)) / np.maximum(nu, 1e-300)
    return np.where(made > 0, sums, 0.0)
