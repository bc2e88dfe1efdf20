"""Items as they are stored: what is written is read again, small and of a known schema."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.identity.assurance import Assurance
from stamgast.identity.event import Event
from stamgast.profile.base_codec import base_attributes, base_of
from stamgast.profile.facts import (
    MOST_COUNTERS,
    MOST_CURRENCIES,
    OTHERS,
    Facts,
    Orders,
    ShortId,
    fitted,
)
from stamgast.profile.live import Base, Live, absorb, contribution_of, marked
from stamgast.profile.live_codec import live_attributes, live_of
from stamgast.profile.packing import PackingError, Reader, Writer, pack_ids, unpack_ids
from stamgast.profile.registers import Register
from stamgast.profile.ring import RING_SIZE, RunIds
from stamgast.profile.schema import SchemaError
from stamgast.profile.timeline import entry_of
from stamgast.profile.timeline_items import entries_of, items_of, place_of
from stamgast_aws.dynamo_values import attributes_of, item_of
from stamgast_aws.fact_store import key_of
from tests.fakes.dynamodb import size
from tests.fakes.told_events import ANCHOR, KEYS, NOON_MS, event, stream

SEEDS = st.integers(0, 2**32)


def live_after(seed: int) -> Live:
    """A live item after some events, some of which a run has."""
    random = Random(seed)
    events = stream(random)
    live = absorb(Live(), Base(), map(contribution_of, events)) or Live()
    some = random.sample(events, len(events) // 2)
    ids = RunIds((), frozenset(one.short_id for one in some))
    return marked(live, random.choice([1, 300]), ids)


@given(SEEDS)
def test_a_live_item_is_read_as_it_was_written(seed: int) -> None:
    live = live_after(seed)
    assert live_of(attributes_of(item_of(live_attributes(live)))) == live


class Asked:
    """A plan under which every event counts, in all forms that a state has."""

    id = 3_000_000_000

    def told_of(self, event: Event) -> tuple[tuple[int, str, Any], ...]:
        """States as `stamgast.segments.live.states` packs them."""
        last = [event.event_ms, event.short_id, {"é": [1, None]}]
        sums: tuple[tuple[int, str, Any], ...] = ((0, "", 1), (2, "EUR", -12_500_000))
        return (*sums, (300, "", "9" * 30), (7, "", [5, 2]), (8, "", last), (9, "", 1.0))


@given(SEEDS)
def test_what_events_add_to_measures_is_read_as_it_was_written(seed: int) -> None:
    asked = Asked()
    told = [contribution_of(one, asked) for one in stream(Random(seed))]
    live = absorb(Live(), Base(), told) or Live()
    again = live_of(attributes_of(item_of(live_attributes(live))))
    assert [(one.plan, one.told) for one in again.tail] == [(o.plan, o.told) for o in live.tail]
    assert all(len(one.told) == 6 for one in again.tail)


@given(SEEDS)
def test_without_live_rules_a_live_item_is_as_small_as_ever(seed: int) -> None:
    told = stream(Random(seed))
    bare = absorb(Live(), Base(), [contribution_of(one) for one in told]) or Live()
    full = absorb(Live(), Base(), [contribution_of(one, Asked()) for one in told]) or Live()
    assert size(item_of(live_attributes(bare))) <= size(item_of(live_attributes(full)))
    assert all(one.told == () for one in live_of(live_attributes(bare)).tail)


@given(SEEDS)
def test_a_base_is_read_as_it_was_written(seed: int) -> None:
    live = live_after(seed)
    orders = {"EUR": Orders(2, -5, 1, 9)}
    facts = Facts(live.traits, live.first, live.last, {"é": 3}, orders)
    base = Base(4, 17, NOON_MS, facts, {"ab12": {"EUR": {"d": [[739_000, 2]], "t": []}}})
    assert base_of(attributes_of(item_of(base_attributes(base)))) == base


@given(SEEDS)
def test_a_timeline_item_is_read_as_it_was_written_and_stays_small(seed: int) -> None:
    for one in stream(Random(seed), most=3):
        entry = entry_of(one, 90)
        ((place, attributes),) = items_of([entry])
        item = item_of(attributes)
        assert place == place_of(entry)
        assert entries_of(attributes_of(item)) == [entry]
        assert size(item) <= 900


def test_a_wide_event_leaves_a_timeline_item_below_900_bytes() -> None:
    properties = {f"property-{n}": "é" * 100 for n in range(100)} | {"deep": {"a": [1]}}
    wide = event(1, revenue=5, properties=properties)
    ((_, attributes),) = items_of([entry_of(wide, 90)])
    assert size(item_of(attributes)) <= 900


def test_a_busy_live_item_with_a_full_tail_stays_within_one_write_unit() -> None:
    told = [event(n, n, revenue=100 * n, name="Order Completed") for n in range(24)]
    told += [event(24 + n, n, name="Seen") for n in range(24)]
    person = {"email": "ann@example.org", "first_name": "Ann", "city": "Utrecht"}
    first = event(99, 50, traits=person)
    live = absorb(Live(), Base(), map(contribution_of, [*told, first])) or Live()
    assert len(live.ring.ids) <= RING_SIZE
    assert size({**key_of(ANCHOR, "L"), **item_of(live_attributes(live))}) <= 1024


@given(st.lists(st.tuples(st.integers(-(10**13), 2 * 10**14), st.integers(0, 99)), max_size=40))
def test_ids_take_seventeen_bytes_and_are_read_as_written(told: list[tuple[int, int]]) -> None:
    ids = tuple(ShortId(ms, KEYS.message_key("s", str(n))[:16]) for ms, n in told)
    assert len(pack_ids(ids)) == 17 * len(ids)
    assert unpack_ids(pack_ids(ids)) == ids


@given(st.lists(st.integers(-(2**70), 2**70)))
def test_integers_of_any_size_are_read_as_written(numbers: list[int]) -> None:
    writer = Writer()
    for number in numbers:
        writer.integer(number)
    reader = Reader(bytes(writer.text))
    assert [reader.integer() for _ in numbers] == numbers
    with pytest.raises(PackingError):
        reader.count()


def test_an_item_of_a_newer_schema_is_refused() -> None:
    with pytest.raises(SchemaError):
        live_of({**live_attributes(Live()), "schema": 2})


def test_an_item_of_the_schema_before_is_read() -> None:
    assert live_of({**live_attributes(Live()), "schema": 0}) == Live()


def test_facts_of_a_base_are_bounded_and_nothing_is_lost_from_the_sum() -> None:
    counters = {f"event {n}": n for n in range(1000)}
    orders = {f"C{n:02d}": Orders(1 + n, 10, n, n + 1) for n in range(90)}
    facts = fitted(Facts(counters=counters, orders=orders))
    assert len(facts.counters) == MOST_COUNTERS
    assert sum(facts.counters.values()) == sum(counters.values())
    assert facts.counters["event 999"] == 999
    assert OTHERS in facts.counters
    assert len(facts.orders) == MOST_CURRENCIES
    assert sum(one.count for one in facts.orders.values()) == sum(1 + n for n in range(90))
    assert facts.orders["XXX"].revenue_minor == 0
    assert fitted(facts) == facts


def test_a_claim_never_displaces_a_verified_value() -> None:
    early = Register("old", Assurance.VERIFIED, 1, "a")
    late = Register("new", Assurance.CLAIMED, 2, "b")
    assert max((late, early), key=lambda register: register.order) is early
