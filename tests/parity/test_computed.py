"""The two readings of computed traits agree for every trait and every person."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stamgast.segments.computed import TraitBook
from stamgast.segments.definitions import ComputedTrait, Making
from stamgast.segments.kept import at_day
from stamgast.segments.language.check import checked_window, compile_filter, compile_value
from stamgast.segments.language.event_check import valued
from stamgast.segments.language.names import Scope
from stamgast.segments.language.tree import Type
from stamgast.segments.language.types import type_of
from stamgast.segments.language.windows import Now
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.rules.computed import COMPUTED, computed
from tests.parity.rule_cases import filters, nows, people, windows
from tests.parity.rule_world import EVENT, PERSON, Someone

World = tuple[list[ComputedTrait], list[Someone], Now]
Computed = dict[str, dict[str, Any]]
WITHOUT_VALUE = {Making.COUNT, Making.DAYS_SINCE, Making.USUAL_INTERVAL, Making.SHARE}
OF_EVENTS = ("properties.x", "properties.y", "event", "order.revenue", "date(event_at)")
OF_LISTS = ("products.category", "properties.x", "event_at", *OF_EVENTS)
OF_PERSON = ("orders.revenue / orders.count", "date(last_at)", "last_at", "traits.tags", "traits.a")
SUMMED = {Making.SUM, Making.AVERAGE}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(512, 1, folder)) as connection:
        yield connection


@st.composite
def traits(draw: st.DrawFn, name: str, makings: Sequence[Making]) -> ComputedTrait:
    making = draw(st.sampled_from(makings))
    if making is Making.EXPRESSION:
        told = compile_value(draw(st.sampled_from(OF_PERSON)), scope=Scope.PERSON)
        return ComputedTrait(name, making, type_of(told), "1", told)
    of = None
    if making not in WITHOUT_VALUE:
        many = making in {Making.MOST_FREQUENT, Making.UNIQUE_LIST}
        choices = OF_LISTS if many else OF_EVENTS[:2] if making in SUMMED else OF_EVENTS
        of = valued(making.value, compile_value(draw(st.sampled_from(choices))))
    is_one = len(makings) == 1
    where = None if is_one else draw(st.one_of(st.none(), filters().map(compile_filter)))
    matching = compile_filter(draw(filters())) if making is Making.SHARE else None
    window, _ = checked_window("lifetime" if is_one else draw(windows) or "lifetime")
    kind = Type.LIST if making is Making.UNIQUE_LIST else _type(making, of)
    limit = draw(st.integers(1, 4))
    return ComputedTrait(name, making, kind, "1", of, where, matching, window, limit)


def _type(making: Making, of: Any) -> Type:
    counted = {Making.SUM, Making.AVERAGE, Making.UNIQUE_COUNT}
    return Type.NUMBER if of is None or making in counted else type_of(of)


def by_python(told: Sequence[ComputedTrait], crowd: Sequence[Someone], now: Now) -> Computed:
    book = TraitBook(told)
    return {
        person.person_id: book.evaluate(person.view(now), [one.document for one in person.events])
        for person in crowd
    }


def by_sql(
    engine: DuckDBPyConnection, statements: Sequence[str], crowd: Sequence[Someone]
) -> Computed:
    events = [one.row(p.person_id, p.currency) for p in crowd for one in p.events]
    engine.register("rule_person", pa.Table.from_pylist([p.row for p in crowd], PERSON))
    engine.register("rule_event", pa.Table.from_pylist(events, EVENT))
    for statement in statements:
        engine.execute(statement)
    return said(engine, "computed")


def said(engine: DuckDBPyConnection, column: str) -> Computed:
    rows = engine.execute(f"select person_id, {column} from {COMPUTED}").fetchall()
    return {person_id: orjson.loads(told) for person_id, told in rows}


@st.composite
def worlds(draw: st.DrawFn, makings: Sequence[Making] = tuple(Making)) -> World:
    now = draw(nows())
    count = draw(st.integers(1, 6))
    return [draw(traits(f"t{n}", makings)) for n in range(count)], draw(people(now)), now


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(worlds())
def test_both_readings_agree(engine: DuckDBPyConnection, world: World) -> None:
    told, crowd, now = world
    assert by_sql(engine, computed(told, now), crowd) == by_python(told, crowd, now)
    kept = said(engine, "kept")
    assert {who: at_day(one, now.today) for who, one in kept.items()} == said(engine, "computed")


def test_a_kept_count_of_days_grows_by_itself() -> None:
    kept = {"days": {"$since": "2026-03-28"}, "sum": 7.0, "none": None}
    assert at_day(kept, date(2026, 3, 30)) == {"days": 2.0, "sum": 7.0, "none": None}
    assert at_day(kept, date(2026, 4, 1))["days"] == 4.0


@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(world: World, random: Any) -> None:
    told, crowd, now = world
    for person in crowd:
        events = [one.document for one in person.events]
        first = TraitBook(told).evaluate(person.view(now), events)
        random.shuffle(events)
        assert TraitBook(told).evaluate(person.view(now), events) == first


@pytest.mark.deep
@pytest.mark.parametrize(
    ("making", "right", "wrong"),
    [
        (Making.MOST_FREQUENT, "order by often desc, latest desc", "order by often desc, latest"),
        (Making.UNIQUE_LIST, "place <= ", "place < "),
        (Making.USUAL_INTERVAL, "distinct person_id, ordered_on", "person_id, ordered_on"),
        (Making.SHARE, "count(case", "1 + count(case"),
    ],
)
def test_a_reading_that_breaks_one_rule_is_found(
    engine: DuckDBPyConnection, making: Making, right: str, wrong: str
) -> None:
    @settings(
        max_examples=400,
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        derandomize=True,
    )
    @given(worlds([making]))
    def agree(world: World) -> None:
        told, crowd, now = world
        broken = [one.replace(right, wrong) for one in computed(told, now)]
        if broken != computed(told, now):
            assert by_sql(engine, broken, crowd) == by_python(told, crowd, now)

    with pytest.raises(AssertionError):
        agree()
