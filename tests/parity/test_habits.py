"""Columns of rhythm and stage of life: both readings, beside the days counted by hand."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from stamgast.segments import rhythm
from stamgast.segments.language.check import compile_rule
from stamgast.segments.language.days import start_of
from stamgast.segments.language.rules import Rule, rules_of
from stamgast.segments.language.windows import Now
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.rules import habits
from tests.parity.rule_world import Happening, Someone, by_python, by_sql

ZONE = ZoneInfo("Europe/Amsterdam")
TODAY = date(2026, 11, 22)
NOW = Now(start_of(TODAY, ZONE) + 9 * 3_600_000, ZONE)
LEFT_THE_NEWSLETTER = """
    did (event = 'Newsletter Unsubscribed')
    and date(max(event_at, event = 'Newsletter Unsubscribed')) < rhythm.late_since
    and date(max(event_at, event = 'Newsletter Unsubscribed')) > rhythm.last_on - 90 days
    and lifecycle = 'late'
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(512, 1, folder)) as connection:
        yield connection


def ordered(days_ago: int, hour: int = 12) -> Happening:
    at_ms = start_of(TODAY - timedelta(days=days_ago), ZONE) + hour * 3_600_000
    return Happening(f"m{days_ago}.{hour}", at_ms, "Order Completed", {}, 1_000)


def left(days_ago: int) -> Happening:
    at_ms = start_of(TODAY - timedelta(days=days_ago), ZONE)
    return Happening(f"u{days_ago}", at_ms, "Newsletter Unsubscribed", {})


def compiled(*texts: str) -> tuple[Rule, ...]:
    return rules_of({f"s{place}": compile_rule(text) for place, text in enumerate(texts)})


def members(engine: DuckDBPyConnection, text: str, *crowd: Someone) -> set[str]:
    rules = compiled(text)
    found = by_sql(engine, rules, crowd, NOW)["s0"]
    assert found == by_python(rules, crowd, NOW)["s0"]
    return found


WEEKLY = [ordered(days) for days in (70, 63, 56, 49, 42, 35)]


def test_who_left_the_newsletter_and_then_slowed_down_is_one_rule(
    engine: DuckDBPyConnection,
) -> None:
    crowd = [
        Someone("slowed", [*WEEKLY, left(40)]),
        Someone("slowed_but_reads", WEEKLY),
        Someone("left_but_comes", [*WEEKLY, *(ordered(d) for d in (28, 21, 14, 7)), left(40)]),
        Someone("left_long_after", [*WEEKLY, left(2)]),
        Someone("never_ordered", [left(40)]),
    ]
    assert members(engine, LEFT_THE_NEWSLETTER, *crowd) == {"slowed"}


CASES = {
    "nobody ordered": ([], "prospect", None, None),
    "one day": ([3], "new", None, None),
    "one day long ago": ([61], "late", None, None),
    "a year and a day": ([366], "lapsed", None, None),
    "three gaps of a week": ([24, 17, 10, 3], "active", 7.0, 3 / 7),
    "a day beyond twice the gap": ([36, 29, 22, 15], "late", 7.0, 15 / 7),
    "three times that": ([64, 57, 50, 43], "lapsed", 7.0, 43 / 7),
    "back after a year": ([500, 1], "returned", None, None),
}


@pytest.mark.parametrize("case", CASES)
def test_a_stage_follows_from_the_days_with_an_order(engine: DuckDBPyConnection, case: str) -> None:
    days, stage, usual, slowness = CASES[case]
    someone = Someone("p", [ordered(day) for day in days])
    asked = f"lifecycle = '{stage}'"
    asked += (
        " and rhythm.usual_days is null" if usual is None else f" and rhythm.usual_days = {usual}"
    )
    asked += (
        " and rhythm.slowness is null"
        if slowness is None
        else f" and rhythm.slowness between {slowness - 1e-9:.12f} and {slowness + 1e-9:.12f}"
    )
    assert members(engine, asked, someone) == {"p"}


def test_orders_after_now_are_no_part_of_a_rhythm(engine: DuckDBPyConnection) -> None:
    crowd = [Someone("p", [ordered(3), ordered(0, hour=23)])]
    assert members(engine, "rhythm.order_days = 1 and rhythm.last_on = today - 3 days", *crowd)


ASKED = (
    *("lifecycle = 'active'", "lifecycle = 'late'", "lifecycle in ('lapsed', 'returned')"),
    *("rhythm.slowness > 1.5", "rhythm.usual_days < 9", "rhythm.late_after_days >= 20"),
    *("rhythm.late_since <= today", "rhythm.lapsed_since > today + 30 days"),
    *("rhythm.order_days >= 4", "rhythm.last_on < date(now() - 48 hours)"),
)


@settings(max_examples=25, phases=[Phase.explicit, Phase.generate], deadline=None)
@given(st.lists(st.lists(st.integers(0, 90), max_size=9, unique=True), min_size=1, max_size=6))
def test_both_readings_agree_about_habits(
    engine: DuckDBPyConnection, crowd: list[list[int]]
) -> None:
    people = [Someone(f"p{n}", [ordered(d) for d in days]) for n, days in enumerate(crowd)]
    rules = compiled(*ASKED)
    assert by_sql(engine, rules, people, NOW) == by_python(rules, people, NOW)


def test_a_python_reading_that_forgets_the_habit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rhythm, "late_after", lambda _: None)
    rules = compiled("lifecycle = 'late'")
    crowd = [Someone("p", [ordered(days) for days in (36, 29, 22, 15)])]
    assert by_python(rules, crowd, NOW)["s0"] != {"p"}


def test_a_sql_reading_that_forgets_the_habit_is_found(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = habits.COLUMNS.replace("coalesce(late_after_days, {late_days})", "{late_days}")
    monkeypatch.setattr(habits, "COLUMNS", broken)
    crowd = [Someone("p", [ordered(days) for days in (36, 29, 22, 15)])]
    assert by_sql(engine, compiled("lifecycle = 'late'"), crowd, NOW)["s0"] != {"p"}
