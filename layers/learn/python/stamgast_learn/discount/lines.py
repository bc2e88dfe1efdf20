"""Lines of orders out of a panel's file: by person before and after a day, by product and week."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Floats
from stamgast_learn.parquet import Column

LEAST_WEEKS = 8
BY_PERSON = """
    with ordered as (
        select person_id, order_id, any_value(cut_on) as day, count(*) as lines,
            count(*) filter (where discount_minor > 0) as discounted
        from read_parquet($file)
        where product is not null and cut_on < $until
            and person_id in (
                select person_id from read_parquet($file)
                where product is null and cut_on = $meant and (label is null) = $is_scored)
        group by person_id, order_id
    ), person as (
        select person_id,
            coalesce(sum(lines) filter (where day < $cut), 0) as lines,
            coalesce(sum(discounted) filter (where day < $cut), 0) as discounted,
            coalesce(sum(lines) filter (where day >= $cut), 0) as later,
            coalesce(sum(discounted) filter (where day >= $cut), 0) as later_discounted
        from ordered group by person_id
    ), scattered as (
        select person_id,
            sum((o.discounted - o.lines * p.discounted / p.lines) ** 2) as squares,
            (any_value(p.discounted * (p.lines - p.discounted))
                - sum(o.discounted * (o.lines - o.discounted))) / any_value(p.lines) as expected
        from ordered o join person p using (person_id)
        where o.day < $cut and p.lines > 0 group by person_id
    )
    select person.*, coalesce(squares, 0) as squares, coalesce(expected, 0) as expected
    from person left join scattered using (person_id) order by person_id
"""
BY_WEEK = """
    with line as (
        select product, cut_on, quantity, price_minor, currency
        from read_parquet($file)
        where product is not null and price_minor > 0 and quantity > 0 and cut_on < $until
    ), usual as (
        select currency from line group by currency order by count(*) desc, currency limit 1
    ), week as (
        select product, (cast(cut_on as date) - date '1970-01-05') // 7 as week,
            sum(quantity) as units, sum(price_minor * quantity) / sum(quantity) as price
        from line where currency = (select currency from usual) group by product, week
    )
    select dense_rank() over (order by product) - 1 as product,
        dense_rank() over (order by week) - 1 as week, units, ln(price) as price
    from week
    where product in (
        select product from week group by product
        having count(*) >= $least and max(price) > min(price))
    order by 1, 2
"""
CUTS = """
    select distinct cast(cut_on as date) - date '1970-01-01' as cut, label is null as is_scored
    from read_parquet($file) where product is null order by 1
"""


@dataclass(frozen=True, slots=True)
class People:
    """Lines of each person before a cut-off, and within the horizon after it; of each, how many
    were discounted.

    `squares` are those by which the discounted lines of the orders before it lie off the person's
    share, `expected` what they would be if each line were by itself: as often as of two lines of
    different orders one is discounted and one is not, which is so however few lines there are.
    """

    person: Column
    lines: Floats
    discounted: Floats
    later: Floats
    later_discounted: Floats
    squares: Floats
    expected: Floats

    @property
    def design_effect(self) -> float:
        """How many lines of an order say as much as one by itself; at least 1 (Kish 1965)."""
        expected = float(self.expected.sum())
        return max(1.0, float(self.squares.sum()) / expected) if expected else 1.0


@dataclass(frozen=True, slots=True)
class Weeks:
    """Products over weeks: the units sold, and the logarithm of the mean price paid for one."""

    product: NDArray[np.int64]
    week: NDArray[np.int64]
    units: Floats
    price: Floats


def cuts_of(file: Path) -> tuple[list[int], int | None]:
    """The cut-offs that are learnt from, and the one to score at, in days since 1970."""
    with duckdb.connect() as engine:
        rows = engine.execute(CUTS, {"file": str(file)}).fetchall()
    scored = [int(cut) for cut, is_scored in rows if is_scored]
    return [int(cut) for cut, is_scored in rows if not is_scored], scored[0] if scored else None


def people_at(file: Path, cut: int, within_days: int, *, is_scored: bool = False) -> People:
    """The people of a cut-off who had bought anything by its horizon's end."""
    asked = {
        "file": str(file),
        "cut": _day(cut),
        "meant": _day(cut),
        "until": _day(cut + within_days),
        "is_scored": is_scored,
    }
    with duckdb.connect() as engine:
        told = engine.execute(BY_PERSON, asked).fetchnumpy()
    counts = ("lines", "discounted", "later", "later_discounted", "squares", "expected")
    return People(
        np.asarray(told["person_id"], dtype=object),
        *(told[name].astype(np.float64) for name in counts),
    )


def weeks_until(file: Path, cut: int) -> Weeks:
    """The weeks before a cut-off of products that sold in eight of them, at more than one price."""
    asked = {"file": str(file), "until": _day(cut), "least": LEAST_WEEKS}
    with duckdb.connect() as engine:
        told = engine.execute(BY_WEEK, asked).fetchnumpy()
    return Weeks(
        product=told["product"].astype(np.int64),
        week=told["week"].astype(np.int64),
        units=told["units"].astype(np.float64),
        price=told["price"].astype(np.float64),
    )


def _day(cut: int) -> str:
    return str(np.datetime64(cut, "D"))
