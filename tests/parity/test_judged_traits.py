"""Computed traits beside an implementation of their own in pandas, worked examples included."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median_low
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from duckdb import DuckDBPyConnection

from stamgast.segments.definitions import ComputedTrait, computed_traits_of
from stamgast.segments.language.windows import Now
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.rules.computed import computed
from tests.parity.rule_world import Happening, Someone
from tests.parity.test_computed import by_python, by_sql
from tests.parity.test_judged import ODD, days_ago, is_number

ZONE = "Europe/Amsterdam"
NOW_MS = 1_793_009_400_000
HOUR_MS = 3_600_000
BAGS = ("GOLF BAG", "SKIS", None)
Rows = Any
YAML = """
traits:
  flights: {making: count, where: event = 'Flight Booked'}
  spent: {making: sum, value: properties.price, window: last 30 days}
  mean: {making: average, value: properties.price, where: event = 'Flight Booked'}
  least: {making: minimum, value: properties.price}
  most: {making: maximum, value: properties.price}
  first_price: {making: first, value: properties.price}
  last_price: {making: last, value: properties.price, where: event = 'Flight Booked'}
  favourite: {making: most_frequent, value: properties.price}
  different: {making: unique_count, value: properties.price}
  listed: {making: unique_list, value: properties.price, limit: 3}
  since: {making: days_since, where: event = 'Flight Booked'}
  usual: {making: usual_interval, where: event = 'Flight Booked'}
  golf_bags_to_the_sun:
    making: share
    where: event = 'Flight Booked' and properties.climate = 'sunny'
    matching: "'GOLF BAG' in products.category"
"""


def traits() -> tuple[ComputedTrait, ...]:
    texts = {"sources.yaml": "sources: {web: {name: Web}}\n", "traits.yaml": YAML}
    return computed_traits_of(workspace_of(compile_files(texts)).traits)


def distinct(value: Any) -> Any:
    """What a value is counted as: 1 and 1.0 are one, '1' and true are others."""
    if isinstance(value, bool):
        return ("b", value)
    if isinstance(value, int | float):
        return ("n", float(value))
    return ("t", value) if isinstance(value, str) else None


def items(rows: Rows) -> list[tuple[Any, tuple[Any, str]]]:
    """Every value of every event with its place in time; a list counts by its elements."""
    return [
        (distinct(one), (row.ms, row.key))
        for row in rows.itertuples()
        for one in (row.price if isinstance(row.price, list) else [row.price])
        if distinct(one) is not None
    ]


def rank(found: dict[Any, tuple[Any, ...]]) -> list[Any]:
    """The last seen first; of those seen together numbers by size, then texts, then booleans.

    Sorting in reverse keeps equals in the order in which they stood.
    """
    order = {"n": 0, "t": 1, "b": 2}
    by_value = sorted(found, key=lambda one: (order[one[0]], one[1]))
    return [one[1] for one in sorted(by_value, key=lambda one: found[one], reverse=True)]


def latest(rows: Rows) -> dict[Any, tuple[Any, ...]]:
    seen: dict[Any, tuple[Any, ...]] = {}
    for value, place in items(rows):
        seen[value] = max(seen.get(value, place), place)
    return seen


def favourite(rows: Rows) -> Any:
    often = Counter(value for value, _ in items(rows))
    found = rank({value: (often[value], *at) for value, at in latest(rows).items()})
    return found[0] if found else None


def numbers(rows: Rows) -> list[float]:
    return [float(one) for one in rows.price if is_number(one)]


def small(rows: Rows) -> list[float]:
    """What sums take: amounts beyond 10^12 are left out."""
    return [one for one in numbers(rows) if abs(one) <= 1e12]


def usual(rows: Rows) -> float | None:
    days = sorted(set(rows.ago))
    gaps = [later - sooner for sooner, later in pairwise(days)]
    return float(median_low(gaps)) if len(gaps) >= 3 else None


def golf(rows: Rows) -> float | None:
    sunny = rows[rows.climate == "sunny"]
    bags = sunny.bags.map(lambda told: isinstance(told, list) and "GOLF BAG" in told)
    return float(bags.mean()) if len(sunny) else None


def flights(rows: Rows) -> Rows:
    return rows[rows.event == "Flight Booked"]


def valued(rows: Rows) -> list[Any]:
    return [one for one in rows.price if one is not None]


JUDGED: dict[str, Callable[[Rows], Any]] = {
    "flights": lambda rows: float(len(flights(rows))),
    "spent": lambda rows: round(sum(small(rows[rows.ago < 30])), 6) or 0.0,
    "mean": lambda rows: pd.Series(small(flights(rows)), dtype=float).mean(),
    "least": lambda rows: min(numbers(rows), default=None),
    "most": lambda rows: max(numbers(rows), default=None),
    "first_price": lambda rows: (valued(rows) or [None])[0],
    "last_price": lambda rows: (valued(flights(rows)) or [None])[-1],
    "favourite": favourite,
    "different": lambda rows: float(len({d for d in map(distinct, rows.price) if d is not None})),
    "listed": lambda rows: rank(latest(rows))[:3] or None,
    "since": lambda rows: None if flights(rows).empty else float(flights(rows).ago.min()),
    "usual": lambda rows: usual(flights(rows)),
    "golf_bags_to_the_sun": lambda rows: golf(flights(rows)),
}


def crowd(random: Random) -> list[Someone]:
    people = []
    for number in range(40):
        events = []
        for place in range(random.randrange(14)):
            at_ms = NOW_MS - random.randrange(-5, 24 * 60) * HOUR_MS + random.choice((-1, 0, 1))
            told = {"price": random.choice(ODD), "climate": random.choice(("sunny", "cold", None))}
            lines = random.choice((None, [], [random.choice(BAGS), random.choice(BAGS)]))
            name = random.choice(("Flight Booked", "Flight Booked", "Page"))
            key = f"m{number}.{place:02}"
            events.append(Happening(key, at_ms, name, told, categories=lines))
        people.append(Someone(f"p{number}", events))
    return people


def rows_of(person: Someone, now: Any) -> Rows:
    told = [
        (one.key, one.at_ms, one.event, one.properties["price"], one.properties["climate"],
         one.categories)
        for one in person.events
    ]  # fmt: skip
    columns = ["key", "ms", "event", "price", "climate", "bags"]
    rows = pd.DataFrame(told, columns=columns, dtype=object)
    rows["at"] = pd.to_datetime(rows.ms.astype(int), unit="ms", utc=True)
    rows["ago"] = days_ago(rows, now).astype(int)
    return rows[rows.ms <= NOW_MS].sort_values(["ms", "key"])


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(512, 1, folder)) as connection:
        yield connection


@pytest.mark.failure_line(33)
@pytest.mark.parametrize("seed", range(2))
def test_traits_are_those_that_pandas_computes(engine: DuckDBPyConnection, seed: int) -> None:
    """Line 33: nulls, missing fields, mixed types, and a day on which the clocks changed."""
    listed, people = traits(), crowd(Random(seed))
    now = Now(NOW_MS, ZoneInfo(ZONE))
    in_sql = by_sql(engine, computed(listed, now), people)
    in_python = by_python(listed, people, now)
    moment = pd.Timestamp(NOW_MS, unit="ms", tz="UTC").tz_convert(ZONE)
    for person in people:
        rows = rows_of(person, moment)
        for name, judge in JUDGED.items():
            wanted = judge(rows)
            wanted = None if isinstance(wanted, float) and pd.isna(wanted) else wanted
            for found in (in_sql, in_python):
                said = found[person.person_id][name]
                where = (person.person_id, name)
                if isinstance(wanted, float):
                    assert said == pytest.approx(wanted, rel=1e-12, abs=1e-6), where
                else:
                    assert said == wanted, where
                    assert type(said) is type(wanted) or is_number(wanted), where
