"""Who bought what on which day, and whom a cut-off is about, out of a panel's file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from stamgast_learn.parquet import Column

Codes = NDArray[np.int64]

LINES = """
    create temp table bought as
    select person_id, {item} as item, min(category) as category, cast(cut_on as date) as day
    from read_parquet($file) where product is not null and {item} is not null
    group by person_id, item, day
"""
ITEMS = """
    create temp table item as
    select item, min(category) as category, row_number() over (order by item) - 1 as code
    from bought group by item having count(distinct person_id) >= $least
"""
PEOPLE = """
    create temp table person as
    select person_id, row_number() over (order by person_id) - 1 as code
    from (select distinct person_id from read_parquet($file))
"""
CODED = """
    select person.code as person, item.code as item, bought.day - date '1970-01-01' as day
    from bought join person using (person_id) join item using (item) order by 1, 2, 3
"""
MEANT = """
    select person.code as person, cast(cut_on as date) - date '1970-01-01' as cut_on, cell,
        label is null as is_scored
    from read_parquet($file) join person using (person_id) where product is null order by 2, 1
"""


@dataclass(frozen=True, slots=True)
class Baskets:
    """Purchases by codes of people and items; a person, an item and a day stand together once.

    `person`, `item` and `day` (days since 1970) are sorted by all three. `meant`, `cut_on`, `cell`
    and `is_scored` say whom each cut-off is about, and in which cell of people each is.
    """

    people: Column
    items: Column
    categories: Column
    person: Codes
    item: Codes
    day: Codes
    meant: Codes
    cut_on: Codes
    cell: Column
    is_scored: NDArray[np.bool_]

    @property
    def cuts(self) -> Codes:
        """The cut-offs that are learnt from, the oldest first."""
        return np.unique(self.cut_on[~self.is_scored])

    def meant_at(self, cut: int, *, is_scored: bool = False) -> tuple[Codes, Column]:
        """Whom a cut-off is about, and the cell of each."""
        here = (self.cut_on == cut) & (self.is_scored == is_scored)
        return self.meant[here], self.cell[here]


def read_baskets(path: Path, settings: Mapping[str, Any]) -> Baskets:
    """The purchases of a panel's file, of products or of their categories.

    What too few people ever bought is left out; of the rest, each cut-off offers what enough people
    had bought by then.
    """
    item = "category" if settings["of"] == "category" else "product"
    with duckdb.connect() as engine:
        for statement in (LINES.format(item=item), PEOPLE):
            engine.execute(statement, {"file": str(path)})
        engine.execute(ITEMS, {"least": settings["least_buyers"]})
        people, items = (
            engine.table(name).order("code").fetchnumpy() for name in ("person", "item")
        )
        bought = engine.sql(CODED).fetchnumpy()
        meant = engine.execute(MEANT, {"file": str(path)}).fetchnumpy()
    return Baskets(
        people=_texts(people["person_id"]),
        items=_texts(items["item"]),
        categories=_texts(items["category"]),
        meant=meant["person"].astype(np.int64),
        cut_on=meant["cut_on"].astype(np.int64),
        cell=_texts(meant["cell"]),
        is_scored=np.asarray(meant["is_scored"], dtype=np.bool_),
        **{name: bought[name].astype(np.int64) for name in ("person", "item", "day")},
    )


def _texts(column: Any) -> Column:
    """Texts as objects; what is null is empty."""
    told = np.ma.getdata(column).astype(object)
    told[np.ma.getmaskarray(column)] = ""
    return np.array(["" if one is None else str(one) for one in told], dtype=object)
