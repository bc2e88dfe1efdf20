"""What is known of each person and item at a cut-off, and what they bought after it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from stamgast_learn.calibration import Floats
from stamgast_learn.recommend.baskets import Baskets, Codes

HALF_LIFE_DAYS = 60.0
SHRINKAGE = 20.0
"""A rate is drawn to that of everything as if it had so many people more."""


@dataclass(frozen=True, slots=True)
class Known:
    """Pairs of person and item before a cut-off, sorted: a pair's days, their weight, the last.

    A day weighs half as much each 60 days. `offered` says which items had enough buyers by then.
    """

    cut: int
    shape: tuple[int, int]
    person: Codes
    item: Codes
    days: Floats
    weight: Floats
    last: Codes
    offered: NDArray[np.bool_]

    def matrix(self, values: Floats) -> csr_array:
        """Values of the pairs as a sparse matrix (people, items)."""
        return csr_array((values, (self.person, self.item)), shape=self.shape)


def known_at(baskets: Baskets, cut: int, least_buyers: int) -> Known:
    """What was known at the start of day `cut`: nothing of that day, nothing after it."""
    before = baskets.day < cut
    person, item, day = (one[before] for one in (baskets.person, baskets.item, baskets.day))
    shape = (len(baskets.people), len(baskets.items))
    starts = _starts(person, item)
    if not len(starts):
        nothing = np.zeros(0)
        none = np.zeros(0, np.int64)
        return Known(cut, shape, none, none, nothing, nothing, none, np.zeros(shape[1], np.bool_))
    weight = np.exp2((day - cut) / HALF_LIFE_DAYS)
    buyers = np.bincount(item[starts], minlength=shape[1])
    return Known(
        cut=cut,
        shape=shape,
        person=person[starts],
        item=item[starts],
        days=np.diff(np.append(starts, len(day))).astype(np.float64),
        weight=np.add.reduceat(weight, starts),
        last=np.maximum.reduceat(day, starts),
        offered=buyers >= least_buyers,
    )


def _starts(person: Codes, item: Codes) -> Codes:
    """Where each pair begins, in sorted rows."""
    if not len(person):
        return np.zeros(0, np.int64)
    is_new = (np.diff(person) != 0) | (np.diff(item) != 0)
    return np.flatnonzero(np.append(True, is_new))


def bought_in(baskets: Baskets, start: int, end: int) -> csr_array:
    """Whether each person bought each item from day `start` up to, not in, day `end`."""
    here = (baskets.day >= start) & (baskets.day < end)
    shape = (len(baskets.people), len(baskets.items))
    ones = np.ones(int(here.sum()))
    told = csr_array((ones, (baskets.person[here], baskets.item[here])), shape=shape)
    told.data[:] = 1.0
    return told


def repeat_rates(baskets: Baskets, cut: int, within_days: int) -> Floats:
    """Of those who bought an item in the horizon before the last, how many did so in the last."""
    earlier = bought_in(baskets, cut - 2 * within_days, cut - within_days)
    again = earlier * bought_in(baskets, cut - within_days, cut)
    bought, repeated = (np.asarray(one.sum(axis=0)).ravel() for one in (earlier, again))
    overall = (repeated.sum() + 1) / (bought.sum() + SHRINKAGE)
    rates: Floats = (repeated + SHRINKAGE * overall) / (bought + SHRINKAGE)
    return rates
