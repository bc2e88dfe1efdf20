"""The SQL reading of the RFM rules says what the pure one says, for any buyers."""

from collections.abc import Mapping
from functools import cache

import duckdb
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from stamgast.segments.rfm import DAY_MS, Spending, score
from stamgast_lake.rfm import rfm_sql

MOMENT_MS = 1_795_000_000_000
SCHEMA = pa.schema(
    {
        "person_id": pa.string(),
        "currency": pa.string(),
        "orders": pa.int64(),
        "revenue_minor": pa.int64(),
        "last_ms": pa.int64(),
    }
)
amounts = st.integers(-500, 3000)
spending = st.builds(
    Spending,
    st.sampled_from(["EUR", "USD", "JPY"]),
    st.integers(0, 4),
    amounts,
    st.sampled_from([-1, 0, 1, 2, 30, 400]).map(lambda days: MOMENT_MS - days * DAY_MS),
)
histories = st.dictionaries(
    st.integers(0, 40).map("p{:02}".format),
    st.lists(spending, max_size=3, unique_by=lambda spent: spent.currency),
    max_size=25,
)


@cache
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'; set threads = 1")
    return connection


def by_sql(
    histories: Mapping[str, list[Spending]], statement: str
) -> dict[str, tuple[object, ...]]:
    rows = [
        (person, s.currency, s.orders, s.revenue_minor, s.last_ms)
        for person, spent in histories.items()
        for s in spent
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    engine().register("spendings", pa.table(dict(zip(SCHEMA.names, columns, strict=True)), SCHEMA))
    return {row[0]: row[1:] for row in engine().execute(statement).fetchall()}


def by_python(histories: Mapping[str, list[Spending]]) -> dict[str, tuple[object, ...]]:
    return {
        person: (
            found.recency_days,
            found.last_order_on,
            found.frequency,
            found.monetary_minor,
            found.currency,
            found.recency_score,
            found.frequency_score,
            found.monetary_score,
            found.cell.value,
            found.population,
        )
        for person, found in score(histories, MOMENT_MS).items()
    }


@given(histories)
def test_sql_and_python_score_every_buyer_alike(histories: Mapping[str, list[Spending]]) -> None:
    assert by_sql(histories, rfm_sql("spendings", MOMENT_MS)) == by_python(histories)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("rank() over (order by recency_days)", "row_number() over (order by recency_days)"),
        ("partition by currency order by monetary_minor", "order by monetary_minor"),
        ("case when frequency <= 1 then 1 else", "case when false then 1 else"),
        ("greatest(0, ", "(0 + "),
    ],
)
def test_a_statement_that_breaks_one_rule_is_found_out(right: str, wrong: str) -> None:
    statement = rfm_sql("spendings", MOMENT_MS)
    assert right in statement

    @settings(max_examples=100, phases=(Phase.generate,), derandomize=True)
    @given(histories)
    def holds(histories: Mapping[str, list[Spending]]) -> None:
        assert by_sql(histories, statement.replace(right, wrong)) == by_python(histories)

    with pytest.raises(AssertionError):
        holds()
