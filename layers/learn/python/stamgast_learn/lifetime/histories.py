"""What the lifetime models know of each customer: repeats, recency, age and mean spend."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.faults import BadHistoryError

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Histories:
    """Customers of one population at one cut-off, a position each.

    `repeats` is x, the days with a purchase after the first one; `recency` is t_x, the time from
    the first purchase to the last; `age` is T, the time from the first purchase to the cut-off;
    both in one unit of time. `mean_spend` is the mean of a repeat purchase in money, 0 where there
    is none. Raises BadHistoryError where a customer's numbers contradict each other.
    """

    repeats: Counts
    recency: Floats
    age: Floats
    mean_spend: Floats | None = None

    def __post_init__(self) -> None:
        """Refuses what no customer can have."""
        _require(len(self.repeats) == len(self.recency) == len(self.age), "unequal lengths")
        _require(_finite(self.recency) and _finite(self.age), "a time that is not finite")
        _require(bool((self.repeats >= 0).all()), "a negative number of repeats")
        _require(bool((self.recency >= 0).all()), "a last purchase before the first")
        _require(bool((self.recency <= self.age).all()), "a purchase after the cut-off")
        alone = (self.repeats == 0) & (self.recency > 0)
        _require(not alone.any(), "a recency without a repeat")
        spent = self.mean_spend
        _require(spent is None or len(spent) == len(self.repeats), "unequal lengths")
        _require(spent is None or (_finite(spent) and bool((spent >= 0).all())), "negative spend")

    def __len__(self) -> int:
        """How many customers."""
        return len(self.repeats)

    def at(self, rows: Counts | slice) -> "Histories":
        """The customers at these positions."""
        spent = None if self.mean_spend is None else self.mean_spend[rows]
        return Histories(self.repeats[rows], self.recency[rows], self.age[rows], spent)


def _finite(values: Floats) -> bool:
    return bool(np.isfinite(values).all())


def _require(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise BadHistoryError(f"purchase histories hold {otherwise}")
