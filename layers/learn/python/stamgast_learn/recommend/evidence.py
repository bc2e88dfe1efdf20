"""What speaks for each item with each person, as numbers that a line can weigh."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from stamgast_learn.calibration import Floats
from stamgast_learn.parquet import Column
from stamgast_learn.recommend.baskets import Baskets, Codes
from stamgast_learn.recommend.known import Known, bought_in, repeat_rates
from stamgast_learn.recommend.neighbours import similarities

NAMES = ("recently", "often", "last", "repeats", "alike", "popular", "active")
"""The first four are of what the person bought, and nothing where they did not. The last is of the
person alone: it orders no items, and keeps the others from standing for who buys much."""
OWN, ALIKE, POPULAR, ACTIVE = slice(0, 4), 4, 5, 6
RECENT_DAYS = 30.0
SHRINKAGE = 50.0
EVERYBODY = ""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a cut-off says of items: neighbours, rates of repeats, and log-odds by cell of people.

    `popular` is (cells, items); the first cell is everybody.
    """

    alike: csr_array
    repeats: Floats
    cells: Column
    popular: Floats

    def cell_of(self, cells: Column) -> Codes:
        """The row of each cell in `popular`; that of everybody where it is unknown."""
        place = np.searchsorted(self.cells, cells)
        place = np.minimum(place, len(self.cells) - 1)
        return np.where(self.cells[place] == cells, place, 0)


def learnt_at(
    baskets: Baskets, known: Known, meant: Codes, cell: Column, within_days: int
) -> Learnt:
    """What items are like at a cut-off, of everything before it."""
    cells = np.unique(np.append(cell, EVERYBODY))
    of = np.searchsorted(cells, cell)
    recent = bought_in(baskets, known.cut - within_days, known.cut)[meant]
    everybody = _rates(recent, None)
    rows = [everybody] + [_rates(recent[of == place], everybody) for place in range(1, len(cells))]
    rates = np.clip(np.vstack(rows), 1e-6, 1 - 1e-6)
    return Learnt(
        alike=similarities(known),
        repeats=repeat_rates(baskets, known.cut, within_days),
        cells=cells,
        popular=np.log(rates / (1 - rates)),
    )


def _rates(bought: csr_array, overall: Floats | None) -> Floats:
    """The share of people who bought each item, drawn to that of everybody."""
    buyers = np.asarray(bought.sum(axis=0)).ravel()
    if overall is None:
        told: Floats = (buyers + 0.5) / (bought.shape[0] + 1)
        return told
    drawn: Floats = (buyers + SHRINKAGE * overall) / (bought.shape[0] + SHRINKAGE)
    return drawn


@dataclass(frozen=True, slots=True)
class Owned:
    """What people bought before a cut-off: a place in `numbers` for each pair, and its weight.

    `places` is (people, items); `numbers` has the four numbers of each pair.
    """

    places: csr_array
    numbers: Floats
    weight: Floats


def owned(known: Known, learnt: Learnt) -> Owned:
    """What is known of pairs, as numbers."""
    near = np.exp2((known.last - known.cut) / RECENT_DAYS)
    told = (np.log1p(known.weight), np.log1p(known.days), near, learnt.repeats[known.item])
    starts = np.searchsorted(known.person, np.arange(known.shape[0] + 1))
    places = csr_array((np.arange(len(near)), known.item, starts), shape=known.shape)
    return Owned(places, np.column_stack(told), known.weight)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for items with some people, a row each; most of it is nothing, so it is sparse.

    `own_row`, `own_item` and `own` are pairs that were bought; `alike` is (people, items).
    """

    own_row: Codes
    own_item: Codes
    own: Floats
    alike: csr_array
    popular: Floats
    active: Floats

    def parts(self, slopes: Floats) -> tuple[Floats, Floats]:
        """What was bought, and what goes with it, under weights (people, items)."""
        bought = np.zeros(self.popular.shape)
        bought[self.own_row, self.own_item] = self.own @ slopes[OWN]
        alike: Floats = self.alike.toarray() * slopes[ALIKE]
        return bought, alike

    def of(self, rows: Codes, items: Codes) -> Floats:
        """The numbers of some pairs (pairs, numbers)."""
        if not len(rows):
            return np.zeros((0, len(NAMES)))
        places = csr_array(
            (np.arange(1, len(self.own) + 1), (self.own_row, self.own_item)), self.popular.shape
        )
        place = np.asarray(places[rows, items]).ravel()
        own = np.vstack([np.zeros(self.own.shape[1]), self.own])[place]
        alike = np.asarray(self.alike[rows, items]).ravel()
        return np.column_stack([own, alike, self.popular[rows, items], self.active[rows]])


def evidence(learnt: Learnt, of: Owned, people: Codes, cells: Codes) -> Evidence:
    """What speaks for each item with each of some people, who are in these cells."""
    mine = of.places[people]
    weight = csr_array((of.weight[mine.data], mine.indices, mine.indptr), shape=mine.shape)
    total = np.maximum(np.asarray(weight.sum(axis=1)).ravel(), 1e-9)
    alike = (weight @ learnt.alike).tocsr()
    alike.data = np.sqrt(alike.data / np.repeat(total, np.diff(alike.indptr)))
    rows = np.repeat(np.arange(len(people)), np.diff(mine.indptr))
    own, popular = of.numbers[mine.data], learnt.popular[cells]
    return Evidence(rows, mine.indices, own, alike, popular, np.log1p(total))
