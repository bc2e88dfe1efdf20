"""The SQL reading of the purchase rhythm says what the pure one says, for any days."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

import duckdb
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from stamgast.segments.rhythm import Rhythm, rhythm_of
from stamgast_lake.rhythm import rhythm_sql

START = date(2025, 1, 1)
SCHEMA = pa.schema({"person_id": pa.string(), "ordered_on": pa.date32()})
Days = Mapping[str, list[date]]
steps = st.lists(st.sampled_from([0, 1, 2, 7, 7, 8, 30, 200, 400]), min_size=1, max_size=14)
histories = st.dictionaries(
    st.integers(0, 20).map("p{:02}".format),
    steps.map(lambda gaps: [START + timedelta(days=sum(gaps[:n])) for n in range(1, len(gaps))]),
    max_size=8,
)


@cache
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'; set threads = 1")
    return connection


def by_sql(told: Days, statement: str) -> dict[str, Rhythm]:
    rows = [(person, on) for person, days in told.items() for on in days]
    columns = [[row[n] for row in rows] for n in (0, 1)]
    engine().register("order_days", pa.table(dict(zip(SCHEMA.names, columns, strict=True)), SCHEMA))
    return {row[0]: Rhythm(*row[1:]) for row in engine().execute(statement).fetchall()}


def by_python(told: Days) -> dict[str, Rhythm]:
    return {person: found for person, days in told.items() if (found := rhythm_of(days))}


@given(histories)
@settings(max_examples=60)
def test_both_readings_agree(told: Days) -> None:
    assert by_sql(told, rhythm_sql("order_days")) == by_python(told)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("select distinct person_id", "select person_id"),
        ("(gaps - 1) >= ", "gaps >= "),
        ("min(case when 100 * place >= 50", "max(case when 100 * place >= 50"),
    ],
)
def test_a_reading_that_goes_wrong_is_found(right: str, wrong: str) -> None:
    broken = rhythm_sql("order_days").replace(right, wrong)
    assert broken != rhythm_sql("order_days")

    @given(histories)
    @settings(max_examples=300, database=None, phases=[Phase.generate], derandomize=True)
    def agrees(told: Days) -> None:
        assert by_sql(told, broken) == by_python(told)

    with pytest.raises(AssertionError):
        agrees()
