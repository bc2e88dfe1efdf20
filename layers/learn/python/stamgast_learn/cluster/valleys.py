"""Whether there are fewer people between two clusters than in them, or a cut through one hump.

Silverman (1981), Using kernel density estimates to investigate multimodality: the people of both
are put on the line through their centres and smoothed until no valley is left between these; draws
of so smooth a hump seldom show one. Nor may people spread evenly need to be smoothed as much, which
of all without a valley come nearest to one (Hartigan and Hartigan 1985, The dip test). Shape does
not matter: a skewed, bent or bounded cloud, which clusters cut the same way each time, has none.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Floats, Labels

SEED = 19_810_301
DRAWS, EVEN_DRAWS = 200, 39
STEPS = 12
"""Halvings after which a bandwidth is known to a thousandth of its range."""
NARROWEST, WIDEST = 0.01, 2.0
"""Bandwidths, in distances between both centres."""
GRID = np.linspace(-1.5, 2.5, 161)
MOST_ONE_HUMP = 0.05
"""Two clusters are apart where one hump would show this seldom what is seen between them."""
BETWEEN = (GRID >= 0) & (GRID <= 1)


def spread_out(points: Floats) -> Floats:
    """The same points, equal values of a feature spread as far as half-way to their neighbours.

    Between counts there is nobody, and that is no valley.
    """
    random = np.random.default_rng(SEED)
    columns = [_spread_out(one, random) for one in points.T]
    return np.column_stack(columns)


def _spread_out(column: Floats, random: np.random.Generator) -> Floats:
    values, of = np.unique(column, return_inverse=True)
    if len(values) < 2:
        return column
    middles = (values[1:] + values[:-1]) / 2
    low = np.append(2 * values[0] - middles[0], middles)
    high = np.append(middles, 2 * values[-1] - middles[-1])
    told: Floats = random.uniform(low[of], high[of])
    return told


def one_hump(points: Floats, labels: NDArray[np.int32], centres: Floats) -> float:
    """The largest probability, of any two clusters, that both are halves of one hump."""
    pairs = combinations(range(len(centres)), 2)
    return max(_of_pair(points[np.isin(labels, pair)], *centres[list(pair)]) for pair in pairs)


def _of_pair(points: Floats, one: Floats, other: Floats) -> float:
    apart = other - one
    along = (points - one) @ apart / max(float(apart @ apart), 1e-12)
    random, width = np.random.default_rng(SEED), _critical(_counted(along))
    told = _of_one_hump(along, width, random)
    return told if told > MOST_ONE_HUMP else max(told, _of_even(len(along), width, random))


def _of_one_hump(along: Floats, width: float, random: np.random.Generator) -> float:
    """How often draws of the roughest single hump show a valley where it is smoothed as much."""
    middle, kernel = float(along.mean()), _kernel(width)
    shrunk = 1 / np.sqrt(1 + width**2 / max(float(along.var()), 1e-12))
    drawn = (
        random.choice(along, len(along)) + width * random.normal(size=len(along))
        for _ in range(DRAWS)
    )
    found = sum(_has_valley(_counted(middle + (one - middle) * shrunk) @ kernel) for one in drawn)
    return found / DRAWS


def _of_even(people: int, width: float, random: np.random.Generator) -> float:
    """How often as many people, spread evenly about two centres, need to be smoothed as much."""
    drawn = (_counted(random.uniform(-0.5, 1.5, people)) for _ in range(EVEN_DRAWS))
    return sum(_critical(one) >= width for one in drawn) / EVEN_DRAWS


def _counted(along: Floats) -> Floats:
    """How many lie at each place of the grid; whoever lies beyond its ends, at them."""
    step = GRID[1] - GRID[0]
    places = np.clip(np.rint((along - GRID[0]) / step), 0, len(GRID) - 1).astype(np.int64)
    return np.bincount(places, minlength=len(GRID)).astype(np.float64)


def _kernel(width: float) -> Floats:
    told: Floats = np.exp(-(((GRID[:, None] - GRID[None, :]) / width) ** 2) / 2)
    return told


def _critical(counts: Floats) -> float:
    """The smallest bandwidth that leaves no valley between the centres."""
    low, high = np.log(NARROWEST), np.log(WIDEST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        is_too_small = _has_valley(counts @ _kernel(float(np.exp(middle))))
        low, high = (middle, high) if is_too_small else (low, middle)
    return float(np.exp(high))


def _has_valley(density: Floats) -> bool:
    """Whether it falls and rises again between both centres."""
    between: Labels = np.diff(density[BETWEEN]) > 0
    falls = np.flatnonzero(~between)
    return bool(len(falls) and between[falls[0] :].any())
