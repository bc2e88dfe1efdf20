"""Rules beside an implementation of their own in pandas: written apart from every reading."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from duckdb import DuckDBPyConnection

from stamgast.segments.language.check import compile_rule
from stamgast.segments.language.rules import rules_of
from stamgast.segments.language.windows import Now
from stamgast_lake.engine import EngineSettings, session
from tests.parity.rule_world import Happening, Someone, by_python, by_sql

HOUR_MS = 3_600_000
ODD: tuple[Any, ...] = (
    *(None, 12, "12", 12.0, -3, 0, 0.1, 1e300, 10**17, True, False, "true", "", "Café", "café"),
    *(["12", 12], [12, None], [], {"x": 1}, "2026-03-29", "a%b", "CAFÉ", "x_y", "xzy"),
)
# The hour before and after the clocks change, a plain day, and the last of a leap February.
MOMENTS = {
    "Europe/Amsterdam": ("2026-03-29 13:00", "2026-10-25 23:30", "2026-10-26 00:30"),
    "America/New_York": ("2026-03-09 02:00", "2026-11-02 04:59"),
    "Australia/Lord_Howe": ("2026-04-05 16:00",),
    "UTC": ("2028-02-29 12:00",),
}
Frame = Any
Series = Any
Judge = Callable[[Frame, Frame, Any], Series]


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def each(persons: Frame, trait: str, test: Callable[[Any], bool]) -> Series:
    return persons[trait].map(test).astype(bool)


def days_ago(events: Frame, now: Any) -> Series:
    """Whole days of the zone, by the calendar: nothing after now is any day ago."""
    on = events["at"].dt.tz_convert(now.tz).dt.tz_localize(None).dt.normalize()
    return (now.tz_localize(None).normalize() - on).dt.days.where(events["at"] <= now, -1)


def counted(persons: Frame, events: Frame, keep: Series) -> Series:
    return events[keep].groupby("person").size().reindex(persons.index, fill_value=0)


def last_days(events: Frame, now: Any, days: int) -> Series:
    return days_ago(events, now).between(0, days - 1)


def then_within(persons: Frame, events: Frame, now: Any) -> Series:
    told = events[events["at"] <= now]
    pairs = told[told.event == "A"].merge(told[told.event == "B"], on="person")
    gap = pairs["at_y"] - pairs["at_x"]
    keep = (gap > pd.Timedelta(0)) & (gap <= pd.Timedelta(days=7))
    return pd.Series(persons.index.isin(pairs[keep].person), persons.index)


def not_since(persons: Frame, events: Frame, now: Any) -> Series:
    told = events[events["at"] <= now]
    a = told[told.event == "A"].groupby("person")["at"].max().reindex(persons.index)
    b = told[told.event == "B"].groupby("person")["at"].max().reindex(persons.index)
    return a.notna() & ~(b > a)


def summed(persons: Frame, events: Frame, now: Any) -> Series:
    keep = last_days(events, now, 30) & events.x.map(is_number) & (events.x.map(_size) <= 1e12)
    told = events[keep]
    return told.x.astype(float).groupby(told.person).sum().reindex(persons.index, fill_value=0)


def _size(value: Any) -> float:
    return abs(value) if is_number(value) else 0.0


def mean_price(persons: Frame, events: Frame, now: Any) -> Series:
    keep = (events["at"] <= now) & (events.event == "A") & events.x.map(is_number)
    keep &= events.x.map(_size) <= 1e12
    told = events[keep]
    return told.x.astype(float).groupby(told.person).mean().reindex(persons.index)


JUDGED: dict[str, Judge] = {
    "traits.a = 12": lambda p, e, n: each(p, "a", lambda v: is_number(v) and v == 12),
    "traits.a = '12'": lambda p, e, n: each(p, "a", lambda v: v == "12" and isinstance(v, str)),
    "traits.a != 12": lambda p, e, n: each(p, "a", lambda v: is_number(v) and v != 12),
    "traits.a = true": lambda p, e, n: each(p, "a", lambda v: v is True),
    "traits.a": lambda p, e, n: each(p, "a", lambda v: v is True),
    "not traits.a": lambda p, e, n: each(p, "a", lambda v: v is False),
    "traits.a is null": lambda p, e, n: each(p, "a", lambda v: v is None),
    "traits.a > 0 or traits.b > 0": lambda p, e, n: (
        each(p, "a", lambda v: is_number(v) and v > 0)
        | each(p, "b", lambda v: is_number(v) and v > 0)
    ),
    "not (traits.a > 0 and traits.b > 0)": lambda p, e, n: (
        each(p, "a", lambda v: is_number(v) and v <= 0)
        | each(p, "b", lambda v: is_number(v) and v <= 0)
    ),
    "12 / traits.b > 1": lambda p, e, n: each(
        p, "b", lambda v: is_number(v) and v != 0 and 12 / v > 1
    ),
    "traits.a * traits.a > 1e9 * 1e9": lambda p, e, n: each(
        p, "a", lambda v: is_number(v) and 1e18 < float(v) * float(v) < float("inf")
    ),
    "traits.a not in (12, -3)": lambda p, e, n: each(
        p, "a", lambda v: is_number(v) and v not in (12, -3)
    ),
    "traits.a like 'caf_'": lambda p, e, n: each(p, "a", lambda v: v in ("café",)),
    "traits.a ilike 'CAF_'": lambda p, e, n: each(
        p, "a", lambda v: isinstance(v, str) and v in ("Café", "café", "CAFÉ")
    ),
    "traits.a like 'a\\%_'": lambda p, e, n: each(p, "a", lambda v: v == "a%b"),
    "traits.a like 'x\\_y'": lambda p, e, n: each(p, "a", lambda v: v == "x_y"),
    "traits.a like '%'": lambda p, e, n: each(p, "a", lambda v: isinstance(v, str)),
    "'12' in traits.a": lambda p, e, n: each(
        p, "a", lambda v: isinstance(v, list) and any(o == "12" for o in v)
    ),
    "traits.a contains 12": lambda p, e, n: each(
        p, "a", lambda v: isinstance(v, list) and any(is_number(o) and o == 12 for o in v)
    ),
    "count(last 1 day) >= 1": lambda p, e, n: counted(p, e, last_days(e, n, 1)) >= 1,
    "count(event = 'A', last 7 days) >= 2": lambda p, e, n: (
        counted(p, e, (e.event == "A") & last_days(e, n, 7)) >= 2
    ),
    "count(between 1 and 2 days ago) = 1": lambda p, e, n: (
        counted(p, e, days_ago(e, n).between(1, 2)) == 1
    ),
    "count(last 24 hours) >= 1": lambda p, e, n: (
        counted(p, e, (e["at"] <= n) & (e["at"] > n - pd.Timedelta(hours=24))) >= 1
    ),
    "count(properties.x = '12') > 0": lambda p, e, n: (
        counted(p, e, (e["at"] <= n) & e.x.map(lambda v: v == "12")) > 0
    ),
    "sum(properties.x, last 30 days) < 0": lambda p, e, n: summed(p, e, n).round(6) < 0,
    "sum(properties.x, last 30 days) = 0": lambda p, e, n: summed(p, e, n).round(6) == 0,
    "avg(properties.x, event = 'A') >= 6": lambda p, e, n: mean_price(p, e, n) >= 6,
    "did 'A' then 'B' within 7 days": then_within,
    "did 'A' and not 'B' since": not_since,
}


def crowd(random: Random, now_ms: int) -> list[Someone]:
    people = []
    for number in range(60):
        events = [
            Happening(
                f"m{number}.{place:02}",
                _near(random, now_ms),
                random.choice(("A", "B", "C")),
                {"x": random.choice(ODD)} if random.random() < 0.8 else {},
            )
            for place in range(random.randrange(8))
        ]
        traits = {n: random.choice(ODD) for n in ("a", "b") if random.random() < 0.9}
        people.append(Someone(f"p{number}", events, traits))
    return people


def _near(random: Random, now_ms: int) -> int:
    """Often at the edge of an hour; sometimes after now."""
    hours = random.choice((random.randrange(-2, 60), random.randrange(24 * 40)))
    at_ms = now_ms - hours * HOUR_MS
    return at_ms // HOUR_MS * HOUR_MS + random.choice((-1, 0, 1))


def frames(people: list[Someone]) -> tuple[Frame, Frame]:
    columns = {name: [(p.traits or {}).get(name) for p in people] for name in ("a", "b")}
    persons = pd.DataFrame(columns, index=[p.person_id for p in people], dtype=object)
    rows = [
        (p.person_id, one.event, one.at_ms, json.loads(json.dumps(one.properties)).get("x"))
        for p in people
        for one in p.events
    ]
    events = pd.DataFrame(rows, columns=["person", "event", "ms", "x"]).astype({"x": object})
    events["at"] = pd.to_datetime(events.ms, unit="ms", utc=True)
    return persons, events


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(512, 1, folder)) as connection:
        yield connection


PLACES = [(zone, told) for zone, moments in MOMENTS.items() for told in moments]


@pytest.mark.failure_line(33)
@pytest.mark.parametrize(("zone", "moment"), PLACES)
def test_memberships_are_those_that_pandas_finds(
    engine: DuckDBPyConnection, zone: str, moment: str
) -> None:
    """Line 33: nulls, missing fields, mixed types, windows that pass, changes of the clocks."""
    now = pd.Timestamp(moment, tz="UTC").tz_convert(zone)
    asked = Now(now.value // 1_000_000, ZoneInfo(zone))
    people = crowd(Random(moment), asked.ms)
    persons, events = frames(people)
    rules = rules_of({f"s{n}": compile_rule(text) for n, text in enumerate(JUDGED)})
    in_sql, in_python = by_sql(engine, rules, people, asked), by_python(rules, people, asked)
    for place, (text, judge) in enumerate(JUDGED.items()):
        found = judge(persons, events, now).astype(bool)
        wanted = set(persons.index[found])
        assert in_sql[f"s{place}"] == wanted, text
        assert in_python[f"s{place}"] == wanted, text
