"""The SQL reading of an anchor's facts says what the pure fold says, for any events."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache, reduce
from itertools import count
from pathlib import Path
from random import Random
from tempfile import gettempdir

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stamgast.identity.assurance import Assurance
from stamgast.identity.event import Event, Order, Seen
from stamgast.identity.settings import Kind
from stamgast.profile.facts import RECENT_ORDERS, Facts, facts_of, merge
from stamgast_lake import anchors
from stamgast_lake.anchors import facts_of_anchors
from stamgast_lake.engine import EngineSettings, connect
from stamgast_lake.loading.staged import batch_of, row_of_event

LAW = settings(deadline=None, suppress_health_check=list(HealthCheck))
NOW_MS = 1_795_000_000_000
names = st.sampled_from(["a", "a.b", "", "$x", "é", 'q"', "n" * 300])
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=5)
values = scalars | st.floats(allow_nan=False, allow_infinity=False) | st.just("x" * 2000)
traits = st.dictionaries(names, values | st.lists(values, max_size=2), max_size=4)
moments = st.integers(0, 12).map(lambda step: NOW_MS + step * 1000)
order = st.builds(
    Order,
    st.none() | st.sampled_from(["o1", "o" * 80]),
    st.integers(-100, 10**12),
    st.sampled_from(["EUR", "JPY"]),
)


@st.composite
def event(draw: st.DrawFn) -> Event:
    anchor = draw(st.sampled_from(["user_id:1a", "email:1b"]))
    kind = draw(st.sampled_from(["identify", "track", "page"]))
    return Event(
        message_key="",
        message_id="",
        receipt_id="r",
        payload_hash="h",
        source_id=draw(st.sampled_from(["web", "shop"])),
        type=kind,
        name=draw(st.none() | st.sampled_from(["Seen", "Order Completed", "é" * 120])),
        received_ms=NOW_MS,
        original_ms=None,
        event_ms=draw(moments),
        assurance=draw(st.sampled_from(Assurance)),
        identifiers=(Seen(anchor, "user_id", Kind.LINKED, 0, ""),),
        refusals=(),
        traits=draw(traits) if kind == "identify" else {},
        properties={},
        context={},
        order=draw(st.none() | order) if kind == "track" else None,
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events whose message keys are in another order than they are listed."""
    drawn = draw(st.lists(event(), max_size=40))
    keys = draw(st.permutations(range(len(drawn))))
    return [
        replace(one, message_key=f"1{key:03}".ljust(26, "a"), message_id=str(key))
        for one, key in zip(drawn, keys, strict=True)
    ]


@cache
def engine() -> duckdb.DuckDBPyConnection:
    return connect(EngineSettings(256, 1, Path(gettempdir())))


def by_sql(events: Iterable[Event]) -> dict[str, Facts]:
    rows = [row_of_event(one, ("raw", line)) for one, line in zip(events, count(), strict=False)]
    if not rows:
        return {}
    engine().register("events", pa.Table.from_batches([batch_of(rows)]))
    return {one.anchor: one.sourced.facts for one in facts_of_anchors(engine(), "events")}


def by_python(events: Iterable[Event]) -> dict[str, Facts]:
    found: dict[str, list[Facts]] = {}
    for one in events:
        found.setdefault(str(one.anchor), []).append(facts_of(one))
    return {anchor: reduce(merge, parts) for anchor, parts in found.items()}


@LAW
@given(histories())
def test_sql_and_python_fold_an_anchor_alike(events: list[Event]) -> None:
    assert by_sql(events) == by_python(events)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("statement", "right", "wrong"),
    [
        (
            "TRAITS",
            "assurance desc, ms desc, message_key desc) as place",
            "ms desc, assurance desc) as place",
        ),
        (
            "TRAITS",
            "assurance desc, ms desc, message_key desc) as place",
            "assurance desc, ms desc, name) as place",
        ),
        ("TRAITS", "where told.traits is not null", "where trait.type <> 'NULL'"),
        ("SPANS", "min(struct_pack(ms, short))", "struct_pack(ms := min(ms), short := min(short))"),
        ("COUNTERS", "count(*)", "count(distinct ms)"),
    ],
)
def test_a_statement_that_breaks_one_rule_is_found_out(
    monkeypatch: pytest.MonkeyPatch, statement: str, right: str, wrong: str
) -> None:
    text = getattr(anchors, statement)
    assert right in text
    monkeypatch.setattr(anchors, statement, text.replace(right, wrong))

    @settings(LAW, max_examples=1000, phases=(Phase.generate,), derandomize=True)
    @given(histories())
    def holds(events: list[Event]) -> None:
        assert by_sql(events) == by_python(events)

    with pytest.raises(AssertionError):
        holds()


def shopper(rng: Random) -> list[Event]:
    """One anchor with more orders than a profile lists, many of them at one moment."""
    told = Event(
        *("", "", "r", "h", "shop", "track", "Order Completed", NOW_MS, None, NOW_MS),
        Assurance.VERIFIED,
        (Seen("user_id:1a", "user_id", Kind.LINKED, 0, ""),),
        *((), {}, {}, {}),
    )
    return [
        replace(
            told,
            message_key=f"1{rng.randrange(10**9):09}".ljust(26, "a"),
            event_ms=NOW_MS + rng.randrange(9),
            order=Order("o", number, "EUR"),
        )
        for number in range(RECENT_ORDERS + 9)
    ]


def test_the_newest_orders_are_the_same_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    histories_of_orders = [shopper(Random(seed)) for seed in range(20)]
    assert all(by_sql(events) == by_python(events) for events in histories_of_orders)
    text = anchors.RECENT
    monkeypatch.setattr(anchors, "RECENT", text.replace("order by ms desc, ", "order by "))
    assert any(by_sql(events) != by_python(events) for events in histories_of_orders)
