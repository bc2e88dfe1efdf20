"""Intervals of amounts that no distribution comes with: by what came to people of a like amount.

Split conformal prediction (Vovk, Gammerman and Shafer 2005; Lei et al. 2018), by level of what was
stated: of people who were not learnt of, as many lie outside as are said to.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.lifetime.forecast import Interval

LEAST_OF_A_LEVEL, MOST_LEVELS = 50, 20


@dataclass(frozen=True, slots=True)
class Levels:
    """Bounds of what comes to whoever is stated no more than each of `edges`, which rise."""

    edges: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def interval(self, stated: Floats) -> Interval:
        """The interval of each stated amount, which is within it."""
        place = np.minimum(np.searchsorted(self.edges, stated), len(self.edges) - 1)
        low, high = np.array(self.low)[place], np.array(self.high)[place]
        return Interval(np.minimum(low, stated), np.maximum(high, stated))

    def to_json(self) -> dict[str, Any]:
        """The levels as plain data."""
        return asdict(self)


def levels_from(told: Mapping[str, Any]) -> Levels:
    """The levels that `to_json` told."""
    return Levels(tuple(told["edges"]), tuple(told["low"]), tuple(told["high"]))


def levels_of(stated: Floats, came: Floats, level: float) -> Levels:
    """Bounds that hold what came to a share `level` of others; both are (people,), one at least.

    They reach up from 0 where nothing came to a lower tail.
    """
    order = np.argsort(stated, kind="stable")
    parts = np.array_split(order, max(1, min(MOST_LEVELS, len(order) // LEAST_OF_A_LEVEL)))
    bounds = [_bounds(came[part], level) for part in parts]
    low, high = zip(*bounds, strict=True)
    return Levels(tuple(float(stated[part].max()) for part in parts), low, high)


def _bounds(came: Floats, level: float) -> tuple[float, float]:
    """With the one to come they are one more, so that a tail is counted of n + 1."""
    tail, ranked = (1 - level) / 2, np.sort(came)
    low = _ranked(ranked, tail)
    return low, _ranked(ranked, level if low == 0 else 1 - tail)


def _ranked(ranked: Floats, share: float) -> float:
    many = len(ranked)
    place = np.ceil(share * (many + 1)) if share > 0.5 else np.floor(share * (many + 1))
    return float(ranked[int(np.clip(place, 1, many)) - 1])
