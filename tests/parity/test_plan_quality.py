"""The SQL reading of the tracking plan finds the faults that events meet on their way in."""

import json
from collections import Counter
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from stamgast.ingestion.tracking_plan import UNDECLARED, tracking_plan_of
from stamgast_lake.reports.quality import faults_sql

NAMES = ["a", "b.c", "d/e~", 'f"g', "利用"]
TYPES = ["text", "number", "boolean", "date", "moment", "list", "object", "any"]
TEXTS = [
    "x",
    "y",
    "",
    "2026-11-22",
    "2026-02-30",
    "2026-11-22T09:00:00Z",
    "it's",
    "2026-11-22 25:00",
]
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(TEXTS),
    st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(st.sampled_from(["k"]), st.integers(0, 3), max_size=1),
)
events = st.lists(st.dictionaries(st.sampled_from([*NAMES, "other"]), values), max_size=6)
# One property, mostly a text that its plan lists or does not: what a reading slips on first.
slippery = st.lists(
    st.dictionaries(st.just("a"), st.sampled_from([None, 1, *TEXTS]), max_size=1), min_size=1
)


@st.composite
def plans(
    draw: st.DrawFn, names: tuple[str, ...] = tuple(NAMES), types: tuple[str, ...] = tuple(TYPES)
) -> dict[str, Any]:
    """What is planned of one event."""
    properties = {}
    for name in draw(st.lists(st.sampled_from(names), unique=True)):
        kind = draw(st.sampled_from(types))
        listed = kind in ("text", "any") and draw(st.booleans())
        properties[name] = {
            "type": kind,
            "required": draw(st.booleans()),
            "values": draw(st.lists(st.sampled_from(TEXTS), min_size=1)) if listed else None,
        }
    undeclared = draw(st.sampled_from(["allow", "flag"]))
    return {
        "action": "allow",
        "on_fault": "flag",
        "undeclared": undeclared,
        "properties": properties,
    }


@cache
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'; set threads = 1")
    return connection


def by_sql(
    plan: dict[str, Any], told: list[dict[str, Any]], wrong: tuple[str, str] = ("", "")
) -> Any:
    rows = pa.table(
        {"properties": [json.dumps(one) for one in told], "lines": [0] * len(told)},
        pa.schema({"properties": pa.string(), "lines": pa.int64()}),
    )
    engine().register("sent", rows)
    found = Counter[tuple[str | None, str]]()
    for name, fault, sql in faults_sql(plan, "UTC"):
        statement = f"select count(*) from sent where {sql.replace(*wrong)}"
        found[name, fault] += engine().execute(statement).fetchall()[0][0]
    return +found


def by_python(plan: dict[str, Any], told: list[dict[str, Any]]) -> Any:
    judge = tracking_plan_of({"events": {"E": plan}}).judge
    found = Counter[tuple[str | None, str]]()
    for properties in told:
        faults = judge({"type": "track", "event": "E", "properties": properties})
        for _, code, path in faults:
            fault = code.removeprefix("plan_property_")
            found[path.removeprefix("properties."), fault] += code != UNDECLARED
        found[None, "undeclared"] += any(code == UNDECLARED for _, code, _ in faults)
    return +found


@given(plans(), events)
@settings(max_examples=40)
def test_both_readings_find_the_same_faults(plan: dict[str, Any], told: list[Any]) -> None:
    assert by_sql(plan, told) == by_python(plan, told)


@pytest.mark.parametrize(
    "wrong",
    [("<> 'NULL'", "<> ''"), ("'VARCHAR' and", "'VARCHAR' or")],
)
def test_a_reading_that_goes_wrong_is_found(wrong: tuple[str, str]) -> None:
    @given(plans(names=("a",), types=("text", "any")), slippery)
    @settings(max_examples=200, database=None, phases=[Phase.generate], derandomize=True)
    def agrees(plan: dict[str, Any], told: list[Any]) -> None:
        assert by_sql(plan, told, wrong) == by_python(plan, told)

    with pytest.raises(AssertionError):
        agrees()
