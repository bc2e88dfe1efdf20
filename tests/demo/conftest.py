"""A shop of a few households in the form of the real data."""

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

HOUSEHOLDS, BASKETS = 6, 40
FIRST = datetime(2017, 1, 2, 9)  # noqa: DTZ001  the data's own clock names no zone


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three Parquet files that the demo reads."""
    folder = tmp_path_factory.mktemp("shop")
    lines = [
        {
            "household_id": basket % HOUSEHOLDS + 1,
            "store_id": 300 + basket % 2,
            "basket_id": 31_000_000_000 + basket,
            "product_id": 1_000 + line,
            "quantity": line + 1,
            "sales_value": 0.1 + basket + line,
            "retail_disc": 0.2,
            "coupon_disc": 0.0,
            "coupon_match_disc": 0.0,
            "transaction_timestamp": FIRST + timedelta(days=9 * basket),
        }
        for basket in range(BASKETS)
        for line in range(basket % 3 + 1)
    ]
    pq.write_table(pa.Table.from_pylist(lines), folder / "transactions.parquet")
    products = [{"product_id": 1_000, "product_category": "BREAD"}]
    pq.write_table(pa.Table.from_pylist(products), folder / "products.parquet")
    people = [{"household_id": 1, "age": "35-44", "income": "50-74K", "household_size": "2"}]
    pq.write_table(pa.Table.from_pylist(people), folder / "demographics.parquet")
    return folder
