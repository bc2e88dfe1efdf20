"""Standings and coverage on moto and on the in-process DynamoDB: who may write over whom."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from stamgast.segments.changes import ENTERED, LEFT, MembershipChange
from stamgast.segments.live.coverage import Coverage
from stamgast.segments.live.standing import Standing
from stamgast_aws.erasure_standings import look_anew
from stamgast_aws.identity_items import query_partition, root_key
from stamgast_aws.live_store import DynamoLiveStore
from stamgast_aws.person_rows import DynamoPersonRows
from stamgast_lake.publishing.work import PersonRow
from tests.contracts.conftest import CONTROL_TABLE
from tests.fakes.dynamodb import DynamoDB

PERSON, AT_MS = "p" * 26, 1_790_000_000_000
IN = Standing(MembershipChange(PERSON, "vip", ENTERED, "v1", AT_MS, "facts"), 10, AT_MS, False)
OUT = Standing(MembershipChange(PERSON, "vip", LEFT, "v1", AT_MS + 5, "facts"), 11, AT_MS + 5, True)


@pytest.fixture(params=["moto", "in process"])
def store(request: pytest.FixtureRequest) -> DynamoLiveStore:
    """The adapter over either."""
    if request.param == "moto":
        client: Any = request.getfixturevalue("control")
    else:
        client = DynamoDB(CONTROL_TABLE, strict=True)
    return DynamoLiveStore(client, CONTROL_TABLE, ThreadPoolExecutor(1), lambda _: None)


def standing(store: DynamoLiveStore) -> Standing | None:
    return store.people([PERSON])[PERSON].standings.get("vip")


def test_a_standing_is_read_as_it_was_written(store: DynamoLiveStore) -> None:
    assert standing(store) is None
    assert store.put_standing(IN, None)
    assert standing(store) == IN
    assert store.put_standing(OUT, IN)
    assert standing(store) == OUT


def test_nobody_writes_over_what_they_have_not_seen(store: DynamoLiveStore) -> None:
    assert store.put_standing(IN, None)
    assert not store.put_standing(OUT, None)
    other = replace(IN, change=replace(IN.change, at_ms=AT_MS - 1))
    assert not store.put_standing(OUT, other)
    assert standing(store) == IN


@pytest.mark.parametrize(
    ("seen", "moment_ms", "is_written"),
    [(9, AT_MS + 9, False), (10, AT_MS - 1, False), (10, AT_MS, True), (11, 0, True)],
)
def test_who_saw_more_or_as_much_and_later_has_the_last_word(
    store: DynamoLiveStore, seen: int, moment_ms: int, is_written: bool
) -> None:
    store.put_standing(IN, None)
    assert store.put_standing(replace(OUT, seen=seen, moment_ms=moment_ms), IN) is is_written


def test_a_change_is_marked_as_told_only_while_it_stands(store: DynamoLiveStore) -> None:
    store.put_standing(IN, None)
    store.mark_told(OUT)
    assert standing(store) == IN
    store.mark_told(IN)
    assert standing(store) == replace(IN, is_told=True)


def test_of_a_person_as_much_is_read_as_is_asked_for(store: DynamoLiveStore) -> None:
    store.put_standing(IN, None)
    assert store.people_with({PERSON: ["vip"]})[PERSON] == store.people([PERSON])[PERSON]
    assert store.people_with({PERSON: []})[PERSON].standings == {}


def test_of_many_standings_those_are_inserted_that_find_none_and_marked_that_still_stand() -> None:
    """In process alone: moto reads no parameters of an INSERT; the emulator does, end to end."""
    client: Any = DynamoDB(CONTROL_TABLE, strict=True)
    store = DynamoLiveStore(client, CONTROL_TABLE, ThreadPoolExecutor(1), lambda _: None)
    many = [replace(IN, change=replace(IN.change, segment=f"s{n}")) for n in range(30)]
    store.put_standing(IN, None)
    assert store.insert_standings([*many, IN]) == [True] * 30 + [False]
    left = replace(many[0], change=replace(many[0].change, change=LEFT))
    store.mark_all_told([left, *many[1:]])
    told = store.people([PERSON])[PERSON].standings
    assert {name for name, one in told.items() if not one.is_told} == {"vip", "s0"}
    assert told["s1"] == replace(many[1], is_told=True)


def test_what_an_earlier_version_wrote_is_read_as_told_and_may_be_written_over(
    store: DynamoLiveStore,
) -> None:
    rows = DynamoPersonRows(store.client, CONTROL_TABLE, lambda _: None)
    since = {"since": "2026-11-20T12:00:00.000Z", "rule_version": "v0"}
    rows.put(PersonRow(PERSON, "M#vip", since), 3)
    was = standing(store)
    assert was is not None
    assert (was.is_in, was.is_told, was.seen) == (True, True, None)
    assert store.put_standing(OUT, was)


def test_a_run_may_write_over_the_item_of_a_rule_that_lives_no_more(
    store: DynamoLiveStore,
) -> None:
    store.put_standing(IN, None)
    rows = DynamoPersonRows(store.client, CONTROL_TABLE, lambda _: None)
    assert rows.put(PersonRow(PERSON, "M#vip", None), 1)
    assert standing(store) is None


def test_coverage_is_read_as_it_was_written(store: DynamoLiveStore) -> None:
    assert store.coverage() == Coverage()
    told = Coverage({"ab12cd34": 7}, 9, AT_MS, {"loyal": "0f"})
    store.put_coverage(told)
    assert store.coverage() == told


@pytest.mark.parametrize("is_looked_anew", [True, False])
def test_after_an_erasure_took_facts_away_who_saw_less_writes_on(
    store: DynamoLiveStore, is_looked_anew: bool
) -> None:
    store.put_standing(IN, None)
    if is_looked_anew:
        items = query_partition(store.client, store.table, root_key(PERSON)["PK"])
        look_anew(store.client, store.table, items)
    found = standing(store)
    assert found is not None
    assert found.change == IN.change
    assert store.put_standing(replace(OUT, seen=1), found) is is_looked_anew
