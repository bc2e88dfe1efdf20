"""The port FactStore as its adapter keeps it, on the in-process DynamoDB and on moto's."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from stamgast.identity.store import StoreError
from stamgast.profile.facts import Facts
from stamgast.profile.live import Base, Live, absorb, contribution_of
from stamgast.profile.store import MOST_TRIES, Pair
from stamgast.profile.timeline import entry_of
from stamgast.profile.timeline_items import place_of
from stamgast_aws.fact_store import DynamoFactStore, Window
from tests.fakes.dynamodb import DynamoDB, Fault
from tests.fakes.told_events import ANCHOR, NOON_MS, event

TABLE = "profiles"


@pytest.fixture(params=["in process", "moto"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The adapter over each of the two."""
    if request.param == "in process":
        yield DynamoFactStore(DynamoDB(TABLE, strict=True), TABLE, lambda _: None)
        return
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        client.create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield DynamoFactStore(client, TABLE, lambda _: None)


def live(number: int = 1) -> Live:
    """A live item of so many events."""
    told = (contribution_of(event(n, n, traits={"a": n})) for n in range(number))
    absorbed = absorb(Live(), Base(), told)
    assert absorbed is not None
    return absorbed


def test_an_absent_anchor_reads_as_an_empty_pair(store: DynamoFactStore) -> None:
    assert store.read([ANCHOR, "email:1x"]) == {ANCHOR: Pair(), "email:1x": Pair()}


def test_no_anchors_read_as_nothing(store: DynamoFactStore) -> None:
    assert store.read([]) == {}


def test_a_live_item_is_written_only_over_the_version_before(store: DynamoFactStore) -> None:
    first = live()
    assert store.put_live(ANCHOR, first)
    assert not store.put_live(ANCHOR, first)
    assert store.put_live(ANCHOR, replace(first, version=2))
    assert not store.put_live(ANCHOR, replace(first, version=4))
    assert store.read([ANCHOR])[ANCHOR].live == replace(first, version=2)


def test_many_items_are_inserted_where_none_stands() -> None:
    """In process alone: moto reads no parameters of an INSERT; the emulator does, end to end."""
    store = DynamoFactStore(DynamoDB(TABLE, strict=True), TABLE, lambda _: None)
    base = Base(5, 1, NOON_MS, Facts(counters={"a": 1}))
    assert store.put_live(ANCHOR, live())
    others = [f"email:1{n}" for n in range(60)]
    told = [(anchor, live(2)) for anchor in others]
    assert store.insert([(ANCHOR, live(3)), *told]) == [False, *(True for _ in others)]
    assert store.insert([(anchor, base) for anchor in (*others, ANCHOR)]) == [True] * 61
    assert store.insert([(ANCHOR, base), ("email:new", base)]) == [False, True]
    read = store.read([ANCHOR, *others])
    assert read[ANCHOR] == Pair(live(), base)
    assert all(read[anchor] == Pair(live(2), base) for anchor in others)


def test_an_insert_of_nothing_is_nothing(store: DynamoFactStore) -> None:
    assert store.insert([]) == []


def test_what_a_batch_of_inserts_leaves_undone_is_asked_for_again() -> None:
    client = DynamoDB(TABLE, strict=True)
    client.before = lambda operation, _: Fault.PARTIAL if client.calls[operation] < 4 else None
    store = DynamoFactStore(client, TABLE, lambda _: None)
    assert store.insert([(f"email:1{n}", live()) for n in range(20)]) == [True] * 20
    assert client.calls["BatchExecuteStatement"] == 4


def test_a_batch_of_inserts_that_is_never_whole_is_an_error() -> None:
    client = DynamoDB(TABLE, strict=True)
    client.before = lambda *_: Fault.PARTIAL
    with pytest.raises(StoreError):
        DynamoFactStore(client, TABLE, lambda _: None).insert([(ANCHOR, live())])


def test_a_base_is_written_only_over_an_older_run(store: DynamoFactStore) -> None:
    base = Base(5, 2, NOON_MS, Facts(counters={"a": 1}))
    assert store.put_base(ANCHOR, base)
    assert not store.put_base(ANCHOR, base)
    assert not store.put_base(ANCHOR, replace(base, run=4))
    assert store.put_base(ANCHOR, replace(base, run=6))
    assert store.read([ANCHOR])[ANCHOR].base == replace(base, run=6)


def test_many_anchors_are_read_beyond_the_bound_of_one_call(store: DynamoFactStore) -> None:
    anchors = [f"user_id:{n}" for n in range(130)]
    assert store.put_live(anchors[0], live())
    assert store.put_live(anchors[129], live(3))
    pairs = store.read(anchors)
    assert len(pairs) == 130
    assert pairs[anchors[129]].live == live(3)


def test_entries_are_read_newest_first_and_go_on_behind_one(store: DynamoFactStore) -> None:
    entries = [entry_of(event(n, n), 90) for n in range(60)]
    store.put_entries((ANCHOR, entry) for entry in [*entries, entries[0]])
    newest = entries[::-1]
    assert list(store.entries(ANCHOR, NOON_MS)) == newest
    assert list(store.entries(ANCHOR, NOON_MS, place_of(newest[9]))) == newest[10:]
    assert list(store.entries("email:1x", NOON_MS)) == []
    third, sixth = newest[2].original_ms, newest[5].original_ms
    assert list(store.entries(ANCHOR, NOON_MS, None, Window(sixth, third))) == newest[3:6]
    rising = Window(sixth, third, is_ascending=True)
    assert list(store.entries(ANCHOR, NOON_MS, None, rising)) == newest[3:6][::-1]
    assert list(store.entries(ANCHOR, NOON_MS, place_of(newest[5]), rising)) == newest[3:5][::-1]
    assert list(store.entries(ANCHOR, NOON_MS, place_of(newest[0]), rising)) == []


def test_copies_of_a_message_meet_in_one_entry(store: DynamoFactStore) -> None:
    entry = entry_of(event(1, 1), 90)
    store.put_entries([(ANCHOR, entry), (ANCHOR, replace(entry, event_ms=NOON_MS))])
    store.put_entries([(ANCHOR, entry)])
    assert list(store.entries(ANCHOR, NOON_MS)) == [entry]


def test_what_a_batch_leaves_undone_is_asked_for_again() -> None:
    client = DynamoDB(TABLE)
    faults = iter([Fault.PARTIAL, Fault.PARTIAL, None, Fault.PARTIAL, None])
    client.before = lambda *_: next(faults)
    store = DynamoFactStore(client, TABLE, lambda _: None)
    store.put_entries((ANCHOR, entry_of(event(n, 10 * n), 90)) for n in range(8))
    assert len(client.partition(TABLE, f"I#{ANCHOR}")) == 8
    assert store.read([ANCHOR, "email:1x"]).keys() == {ANCHOR, "email:1x"}


def test_a_batch_that_is_never_done_is_an_error() -> None:
    client, pauses = DynamoDB(TABLE), list[float]()
    client.before = lambda *_: Fault.PARTIAL
    store = DynamoFactStore(client, TABLE, pauses.append)
    with pytest.raises(StoreError):
        store.put_entries([(ANCHOR, entry_of(event(1), 90))])
    assert len(pauses) == MOST_TRIES


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.LOST_REPLY, Fault.LOST_REQUEST])
def test_a_store_that_does_not_answer_is_one_error(fault: Fault) -> None:
    client = DynamoDB(TABLE)
    client.before = lambda *_: fault
    store = DynamoFactStore(client, TABLE, lambda _: None)
    with pytest.raises(StoreError):
        store.put_live(ANCHOR, live())
    with pytest.raises(StoreError):
        store.read([ANCHOR])
    with pytest.raises(StoreError):
        list(store.entries(ANCHOR, NOON_MS))
