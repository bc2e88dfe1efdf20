"""How units sold go with the price paid: within products, over weeks, as observed.

A regression of the units sold in a week, a Poisson count that is seen where it is not 0 (Grogger &
Carson 1991), on log price with an effect for each product and each week, by weighted least squares
in turns (McCullagh & Nelder 1989, section 2.5); its error is that of leaving out one product after
another, so units may scatter more than counts do. Logarithms of units would be drawn to 0 where few
are sold: below five a week by a quarter and more. Prices are not set at random: they fall when
demand is low or stock must go; so this is no promise of what a price cut would do.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from stamgast_learn.calibration import Floats
from stamgast_learn.discount.lines import Weeks
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.ranking import Measure
from stamgast_learn.progress import counted

LEAST_PRODUCTS = 30
ROUNDS, TURNS, STEP = 200, 50, 2.0
SETTLED, SETTLED_SLOPE = 1e-8, 1e-6
LEAST_RATE, MOST_RATE = -8.0, 20.0


@dataclass(frozen=True, slots=True)
class Elasticity:
    """By how many per cent units go up for each per cent of price, with 95 %."""

    elasticity: Measure
    products: int
    weeks: int
    rows: int


@dataclass(frozen=True, slots=True)
class _Fitted:
    """The slope, each row's expected units, their variance, and the price within both effects."""

    slope: float
    mean: Floats
    variance: Floats
    price: Floats


def elasticity(weeks: Weeks) -> Elasticity:
    """The elasticity of all products; raises AbstainedError below 30 of them.

    A product that sold one unit in each of its weeks tells nothing, and is not counted.
    """
    told = _that_vary(weeks)
    products = len(np.unique(told.product))
    if products < LEAST_PRODUCTS:
        raise AbstainedError(
            f"{products} products sold in eight weeks at more than one price;"
            f" needs {LEAST_PRODUCTS}"
        )
    even = np.ones(len(told.units))
    if float((_within(told.price, told, even) ** 2).sum()) < SETTLED:
        raise AbstainedError("prices of all products move together: nothing sets them apart")
    fitted = _fit(told)
    half = float(t.ppf(0.975, products - 1)) * _error(fitted, told)
    measure = Measure(fitted.slope, fitted.slope - half, fitted.slope + half)
    return Elasticity(measure, products, len(np.unique(told.week)), len(told.units))


def _that_vary(weeks: Weeks) -> Weeks:
    """The rows of products of which more than one unit was sold in any week, numbered anew."""
    most = np.zeros(int(weeks.product.max(initial=-1)) + 1)
    np.maximum.at(most, weeks.product, weeks.units)
    kept = most[weeks.product] > 1
    product, week = (
        np.unique(one[kept], return_inverse=True)[1] for one in (weeks.product, weeks.week)
    )
    return Weeks(product, week, weeks.units[kept], weeks.price[kept])


def _fit(weeks: Weeks) -> _Fitted:
    """Fisher's scoring from what was sold, until the slope stands."""
    odds, slope = np.log(weeks.units), float("inf")
    for _ in counted("rounds of fitting prices, at most", range(TURNS)):
        mean, variance = _moments(odds)
        wished = odds + (weeks.units - mean) / variance
        told, price = (_within(one, weeks, variance) for one in (wished, weeks.price))
        before, slope = slope, float((variance * price * told).sum() / _moved(variance, price))
        odds = odds + np.clip(wished - (told - slope * price) - odds, -STEP, STEP)
        if abs(slope - before) < SETTLED_SLOPE:
            break
    mean, variance = _moments(odds)
    return _Fitted(slope, mean, variance, _within(weeks.price, weeks, variance))


def _moments(odds: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of a Poisson count above 0 whose rate has these logarithms."""
    rate = np.exp(np.clip(odds, LEAST_RATE, MOST_RATE))
    mean = rate / -np.expm1(-rate)
    return mean, mean * (1 + rate - mean)


def _error(fitted: _Fitted, weeks: Weeks) -> float:
    """The standard error of the slope, by leaving out one product after another."""
    of, off = weeks.product, fitted.price * (weeks.units - fitted.mean)
    moved = _moved(fitted.variance, fitted.price)
    left = 1 - np.bincount(of, weights=fitted.variance * fitted.price**2) / moved
    alone = np.bincount(of, weights=off) / np.maximum(left, 1e-9)
    few = (len(alone) - 1) / len(alone)
    return float(np.sqrt(few * (alone**2).sum())) / moved


def _moved(variance: Floats, price: Floats) -> float:
    return float((variance * price**2).sum())


def _within(values: Floats, weeks: Weeks, weights: Floats) -> Floats:
    """The values less the weighted means of product and week, in turns until nothing moves."""
    totals = [np.bincount(of, weights=weights) for of in (weeks.product, weeks.week)]
    for _ in range(ROUNDS):
        before = values
        for of, total in zip((weeks.product, weeks.week), totals, strict=True):
            values = values - (np.bincount(of, weights=weights * values) / total)[of]
        if np.abs(values - before).max(initial=0.0) < SETTLED:
            break
    return values
