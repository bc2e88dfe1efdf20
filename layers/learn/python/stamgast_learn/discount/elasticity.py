"""How units sold go with the price paid: within products, over weeks, as observed.

A regression of log units on log price with an effect for each product and each week (Wooldridge
2010, chapter 10), its error that of leaving out one product after another. Prices are not set at
random: they fall when demand is low or stock must go, and weeks without a sale are not seen; so
this is no promise of what a price cut would do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from stamgast_learn.calibration import Floats
from stamgast_learn.discount.lines import Weeks
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.ranking import Measure

LEAST_PRODUCTS = 30
ROUNDS = 200
SETTLED = 1e-9


@dataclass(frozen=True, slots=True)
class Elasticity:
    """By how many per cent units go up for each per cent of price, with 95 %."""

    elasticity: Measure
    products: int
    weeks: int
    rows: int


def elasticity(weeks: Weeks) -> Elasticity:
    """The elasticity of all products; raises AbstainedError below 30 of them."""
    products = len(np.unique(weeks.product))
    if products < LEAST_PRODUCTS:
        raise AbstainedError(
            f"{products} products sold in eight weeks at more than one price;"
            f" needs {LEAST_PRODUCTS}"
        )
    price, units = (_within(one, weeks) for one in (weeks.price, weeks.units))
    moved = float((price**2).sum())
    if moved < SETTLED:
        raise AbstainedError("prices of all products move together: nothing sets them apart")
    slope = float(price @ units) / moved
    scores = np.bincount(weeks.product, weights=price * (units - slope * price))
    alone = scores / np.maximum(1 - np.bincount(weeks.product, weights=price**2) / moved, 1e-9)
    error = float(np.sqrt((products - 1) / products * (alone**2).sum())) / moved
    half = float(t.ppf(0.975, products - 1)) * error
    told = Measure(slope, slope - half, slope + half)
    return Elasticity(told, products, len(np.unique(weeks.week)), len(units))


def _within(values: Floats, weeks: Weeks) -> Floats:
    """The values less the means of product and week, in turns until nothing moves."""
    for _ in range(ROUNDS):
        before = values
        for of in (weeks.product, weeks.week):
            values = values - _means(values, of)[of]
        if np.abs(values - before).max() < SETTLED:
            break
    return values


def _means(values: Floats, of: NDArray[np.int64]) -> Floats:
    counts = np.maximum(np.bincount(of), 1)
    means: Floats = np.bincount(of, weights=values) / counts
    return means
