"""The two readings of a rule agree for every rule and every person."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from stamgast.segments.language import history, partial, scalars, windows
from stamgast.segments.language.check import checked
from stamgast.segments.language.columns import Schema
from stamgast.segments.language.days import start_of
from stamgast.segments.language.rules import Rule, rules_of
from stamgast.segments.language.tree import Compare, Type
from stamgast.segments.language.view import Reader
from stamgast.segments.language.windows import Now
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.rules import aggregates, extractions, funnels, lists
from stamgast_lake.rules.expressions import Expressions
from stamgast_lake.rules.literals import read_json
from tests.parity.rule_cases import HOUR_MS, conditions, happenings, nows, people
from tests.parity.rule_world import Happening, Someone, by_python, by_sql

SCHEMA = Schema(frozenset(f"s{place}" for place in range(12)))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(512, 1, folder)) as connection:
        yield connection


def compiled(texts: list[str]) -> tuple[Rule, ...]:
    trees = {}
    for place, text in enumerate(texts):
        tree, faults = checked(text, SCHEMA)
        assert not faults, (text, [str(fault) for fault in faults])
        trees[f"s{place}"] = tree
    return rules_of(trees)


def settle(examples: int) -> settings:
    return settings(max_examples=examples, phases=[Phase.explicit, Phase.generate])


def agreement(engine: DuckDBPyConnection, data: st.DataObject) -> None:
    now = data.draw(nows())
    texts = data.draw(st.lists(conditions(), min_size=1, max_size=8))
    crowd, anchored = data.draw(people(now)), data.draw(st.booleans())
    rules = compiled(texts)
    least = data.draw(st.sampled_from((1, 100)))
    told = by_sql(engine, rules, crowd, now, anchored=anchored, least=least)
    assert told == by_python(rules, crowd, now)


@settle(40)
@given(st.data())
def test_both_readings_agree(engine: DuckDBPyConnection, data: st.DataObject) -> None:
    agreement(engine, data)


@pytest.mark.deep
@settle(2_000)
@given(st.data())
def test_both_readings_agree_for_many_more(engine: DuckDBPyConnection, data: st.DataObject) -> None:
    agreement(engine, data)


NOW = Now(1_774_746_000_000 + 15 * HOUR_MS, ZoneInfo("Europe/Amsterdam"))


def someone(person_id: str, *events: Happening, **told: Any) -> Someone:
    return Someone(person_id, events, **told)


def seen(key: str, hours_ago: float, event: str = "Seen", **properties: Any) -> Happening:
    return Happening(key, NOW.ms - int(hours_ago * HOUR_MS), event, properties)


# One small crowd for each rule of the reading; a variant without that rule gives other members.
CASES: dict[str, tuple[str, list[Someone]]] = {
    "null is not false": (
        "not (traits.a = 'x')",
        [someone("p1"), someone("p2", traits={"a": "y"}), someone("p3", traits={"a": 1})],
    ),
    "a text is no number": (
        "traits.a > 5",
        [someone("p1", traits={"a": "7"}), someone("p2", traits={"a": 7})],
    ),
    "a day is one of the zone": (
        "count(last 1 day) = 1",
        [someone("p1", seen("m1", 16.5)), someone("p2", seen("m2", 17.5))],
    ),
    "an element has a type": (
        "'1' in traits.tags",
        [someone("p1", traits={"tags": [1]}), someone("p2", traits={"tags": ["1"]})],
    ),
    "a sum is exact": (
        "sum(properties.x) = 0.3",
        [someone("p1", seen("m1", 1, x=0.1), seen("m2", 2, x=0.1), seen("m3", 3, x=0.1))],
    ),
    "a later step is later": (
        "did 'A' then 'B' within 1 day",
        [
            someone("p1", seen("m1", 2, "A"), seen("m2", 2, "B")),
            someone("p2", seen("m3", 2, "A"), seen("m4", 1, "B")),
        ],
    ),
    "nothing after now counts": (
        "count() = 1",
        [someone("p1", seen("m1", 1), seen("m2", -1)), someone("p2", seen("m3", -1))],
    ),
    "an unknown consent is no consent": (
        "consent.email",
        [someone("p1"), someone("p2", consent={"email": True})],
    ),
}
EXPECTED = {
    "null is not false": {"p2"},
    "a text is no number": {"p2"},
    "a day is one of the zone": {"p1"},
    "an element has a type": {"p2"},
    "a sum is exact": {"p1"},
    "a later step is later": {"p2"},
    "nothing after now counts": {"p1"},
    "an unknown consent is no consent": {"p2"},
}


@pytest.mark.failure_line(33)
@pytest.mark.parametrize("case", CASES)
def test_the_rule_holds_in_both_readings(engine: DuckDBPyConnection, case: str) -> None:
    """Line 33: null, a missing field, mixed types, days across the change of the clocks."""
    text, crowd = CASES[case]
    rules = compiled([text])
    assert by_python(rules, crowd, NOW)["s0"] == EXPECTED[case]
    assert by_sql(engine, rules, crowd, NOW)["s0"] == EXPECTED[case]


def two_valued(op: str, left: Reader, value: Any) -> Reader:
    return lambda view: left(view) is not None and scalars.OPERATORS[op](left(view), value)


def as_texts(elements: Reader, item: Reader) -> Reader:
    return lambda view: str(item(view)) in map(str, elements(view) or ())


def break_python(case: str, patch: pytest.MonkeyPatch) -> None:
    """Leaves one rule of the Python reading out."""
    match case:
        case "null is not false":
            patch.setattr(scalars, "compared_with", two_valued)
        case "a text is no number":
            patch.setitem(scalars.SIMPLE, Type.NUMBER, lambda told: told and float(told))
        case "a day is one of the zone":
            patch.setattr(windows, "start_of", lambda day, _: start_of(day, ZoneInfo("UTC")))
        case "an element has a type":
            patch.setattr(scalars, "contained", as_texts)
        case "a sum is exact":
            patch.setattr(partial, "micros_of", lambda number: number)
            patch.setattr(partial, "number_of_micros", lambda number: number)
        case "a later step is later":
            patch.setattr(history, "_at", lambda _: 0)
        case "nothing after now counts":
            patch.setattr(history, "bounds_of", lambda *_: (-(2**62), 2**62))
        case "an unknown consent is no consent":
            patch.setitem(scalars.SIMPLE, Type.BOOLEAN, lambda told: told is not False)


@pytest.mark.parametrize("case", CASES)
def test_a_python_reading_that_breaks_the_rule_is_found(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, crowd = CASES[case]
    break_python(case, monkeypatch)
    assert by_python(compiled([text]), crowd, NOW)["s0"] != EXPECTED[case]


def untyped(kind: Type, json: str, zone: str) -> str:
    if kind is Type.NUMBER:
        return f"try_cast(json_extract_string({json}, '$') as double)"
    return read_json(kind, json, zone)


def break_sql(case: str, patch: pytest.MonkeyPatch) -> None:
    """Leaves one rule of the SQL reading out."""
    match case:
        case "null is not false":
            patch.setattr(Expressions, "_compare", two_valued_sql)
        case "a text is no number":
            patch.setattr(extractions, "read_json", untyped)
        case "a day is one of the zone":
            patch.setattr(windows, "start_of", lambda day, _: start_of(day, ZoneInfo("UTC")))
        case "an element has a type":
            patch.setattr(lists, "_among", lambda of, _, __, item: f"contains({of}::text, {item})")
        case "a sum is exact":
            patch.setattr(aggregates, "micros_sql", lambda number: number)
            patch.setattr(aggregates, "_of_micros", lambda summed: summed)
        case "a later step is later":
            late = funnels.EARLIER.replace("1 preceding", "current row")
            patch.setattr(funnels, "EARLIER", late)
        case "nothing after now counts":
            patch.setattr(aggregates, "moment_sql", lambda _: "timestamptz '2999-01-01'")
        case "an unknown consent is no consent":
            patch.setattr(extractions, "read_json", lambda *_: "true")


def two_valued_sql(self: Expressions, node: Compare) -> str:
    return f"coalesce({self.sql(node.left)} = {self.sql(node.right)}, false)"


@pytest.mark.parametrize("case", CASES)
def test_a_sql_reading_that_breaks_the_rule_is_found(
    engine: DuckDBPyConnection, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, crowd = CASES[case]
    break_sql(case, monkeypatch)
    assert by_sql(engine, compiled([text]), crowd, NOW)["s0"] != EXPECTED[case]


def naive(events: Sequence[Happening], now: Now, days: int) -> int:
    """How many lie in the last days, by calendar dates alone: written apart from every reading."""
    zone, today = now.zone, datetime.fromtimestamp(now.ms / 1000, now.zone).date()
    dates = [datetime.fromtimestamp(one.at_ms / 1000, zone).date() for one in events]
    told = zip(events, dates, strict=True)
    return sum(one.at_ms <= now.ms and (today - on).days < days for one, on in told)


@settle(60)
@given(st.data())
def test_windows_are_the_days_that_a_calendar_has(data: st.DataObject) -> None:
    now = data.draw(nows())
    events = [data.draw(happenings(now, f"m{place}")) for place in range(8)]
    for days in (1, 2, 7, 30):
        wanted = naive(events, now, days)
        rules = compiled([f"count(last {days} days) = {wanted}"])
        assert by_python(rules, [Someone("p", events)], now)["s0"] == {"p"}
