"""Histories of facts too rare to wait for: each is played by hand, and its broken variant fails."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce

import pytest

from stamgast.identity.event import Event
from stamgast.profile.facts import NOTHING, Facts, digest_of, facts_of, merge
from stamgast.profile.live import Base, contribution_of
from stamgast.profile.reading import seen
from stamgast.profile.ring import RunIds
from stamgast.profile.steps import publish_anchor, read_facts, take_events
from stamgast.store_error import StoreError
from stamgast_aws.fact_store import DynamoFactStore
from tests.fakes.dynamodb import DynamoDB
from tests.fakes.told_events import ANCHOR, NOON_MS, event
from tests.schedules.facts_variants import blind_to_drops, marked_by_the_first

FIRST, SECOND = event(1, name="First"), event(2, 1, name="Second")
Reading = Callable[..., object]


class DyingStore(DynamoFactStore):
    """Its process dies before it writes a base."""

    def put_base(self, anchor: str, base: Base) -> bool:
        raise StoreError("the process died")


def no_pause(seconds: float) -> None:
    """Waits for nothing."""


def open_store(kind: type[DynamoFactStore] = DynamoFactStore) -> DynamoFactStore:
    return kind(DynamoDB("profiles"), "profiles", no_pause)


def live(store: DynamoFactStore, *events: Event) -> None:
    pair = store.read([ANCHOR])[ANCHOR]
    take_events(store, ANCHOR, [contribution_of(one) for one in events], pair, no_pause)


def publish(store: DynamoFactStore, run: int, events: Sequence[Event]) -> None:
    ids = RunIds.of(digest_of(one).short_id for one in events)
    ids = replace(ids, keys={one.short_id for one in events})
    base = Base(run, 0, NOON_MS, reduce(merge, map(facts_of, events), NOTHING))
    publish_anchor(store, ANCHOR, base, ids, no_pause)


def an_older_run_publishes_after_a_newer_one_died() -> Facts:
    """The newer run has marked an event as its own, and no base of it ever came."""
    store = open_store()
    live(store, FIRST)
    with pytest.raises(StoreError):
        publish(DyingStore(store.client, "profiles", no_pause), 2, [FIRST])
    publish(store, 1, [FIRST])
    return read_facts(store, [ANCHOR], no_pause)[ANCHOR]


@pytest.mark.failure_line(14)
def test_a_mark_is_of_the_run_whose_base_is_there() -> None:
    """Line 14: two runs publish one anchor, and an event counts once."""
    assert an_older_run_publishes_after_a_newer_one_died().counters == {"First": 1}


def test_a_mark_that_outlives_the_run_that_set_it_counts_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stamgast.profile.steps.marked", marked_by_the_first)
    assert an_older_run_publishes_after_a_newer_one_died().counters == {"First": 2}


def a_base_from_before_with_the_live_item_from_after(read: Reading) -> object:
    """A batch read takes the base, a run publishes and a writer drops, then it takes the rest."""
    store = open_store()
    live(store, FIRST)
    before = store.read([ANCHOR])[ANCHOR]
    publish(store, 1, [FIRST])
    live(store, SECOND)
    after = store.read([ANCHOR])[ANCHOR]
    assert isinstance(whole := read(after.live, after.base), Facts)
    assert whole.counters == {"First": 1, "Second": 1}
    return read(after.live, before.base)


@pytest.mark.failure_line(32)
def test_a_live_item_that_has_dropped_what_only_a_newer_base_holds_is_read_again() -> None:
    """Line 32: a reader that asks in between misses nothing that was acknowledged."""
    assert a_base_from_before_with_the_live_item_from_after(seen) is None


def test_a_reader_blind_to_drops_misses_what_was_acknowledged() -> None:
    told = a_base_from_before_with_the_live_item_from_after(blind_to_drops)
    assert isinstance(told, Facts)
    assert told.counters == {"Second": 1}
