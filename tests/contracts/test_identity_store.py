"""The identity store keeps its promises on the in-process client and on moto alike."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.edge import Edge, EdgeState, Reason, Support
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Member, Root, RootState
from stamgast.identity.served import Neighbours, Off
from stamgast.identity.settings import Kind
from stamgast.identity.star import Sighting, Star
from stamgast.identity.store import (
    CheckFence,
    CheckJob,
    CheckRoot,
    CloseJob,
    DropEdge,
    Job,
    MoveEdge,
    MovePointer,
    OpenJob,
    Outcome,
    PutEdge,
    PutPointer,
    PutRoot,
    StoreError,
    UnlockRoot,
    Write,
)
from stamgast_aws.identity_jobs import DynamoJobStore
from tests.fakes.dynamodb import DynamoDB

BORN = Birth(1_700_000_000_000, "1abc", 0, "p1abc")
POINTER = Pointer(
    *("email:1a", "p1abc", 1, BORN, "email", Kind.PERSISTENT, Assurance.VERIFIED, "a@example.com"),
    met=Neighbours(frozenset({"user_id:1b"}), frozenset({"user_id:2b"})),
    off=Off.TO_CLAIMS,
    hint=("email:1a",),
)
ROOT = Root(
    *("p1abc", RootState.ACTIVE, 1, BORN, "email:1a"),
    {"email:1a": Member(Assurance.VERIFIED, "email:1a")},
    frozenset({"email:1a"}),
    frozenset({("email:1a", "email:1z")}),
)
EDGE = Edge(
    ("email:1a", "device_id:1c"),
    Support(1, 5, 1_700_000_000_000, "1abc", 1, "web"),
    EdgeState.REFUSED,
    Reason.PERSON_LIMIT,
)
BIRTH: list[Write] = [PutPointer(POINTER, None), PutRoot(ROOT, None), PutEdge(EDGE, None)]
STAR = Star(
    "email:1a",
    "1abc",
    {
        "email:1a": Sighting(
            "email:1a", "email", Kind.PERSISTENT, Assurance.CLAIMED, BORN, "a@example.com"
        )
    },
    {"device_id:1c": EDGE.support},
)


def no_pause(seconds: float) -> None:
    """Waits for nothing."""


def moto_client() -> Any:
    client = boto3.client(
        "dynamodb",
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    for table in ("profiles", "control"):
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")
            ],
        )
    return client


@pytest.fixture(params=["memory", "moto"])
def store(request: pytest.FixtureRequest) -> Iterator[DynamoJobStore]:
    if request.param == "memory":
        client = DynamoDB("profiles", "control", page_items=2, strict=True)
        yield DynamoJobStore(client, "profiles", "control", no_pause)
        return
    with mock_aws():
        yield DynamoJobStore(moto_client(), "profiles", "control", no_pause)


def test_what_is_written_is_read_back(store: DynamoJobStore) -> None:
    assert store.commit(BIRTH) is Outcome.DONE
    assert store.read_pointers(["email:1a", "email:1x"]) == {"email:1a": POINTER}
    roots, edges = store.read_persons(["p1abc", "p1nobody"], [EDGE.pair, ("email:1a", "x:1")])
    assert (roots, edges) == ({"p1abc": ROOT}, {EDGE.pair: EDGE})
    assert store.edges_from("email:1a") == [EDGE]


def test_a_merged_root_keeps_where_it_went(store: DynamoJobStore) -> None:
    gone = replace(ROOT, state=RootState.MERGED, into="p1other", members={}, anchors=frozenset())
    store.commit([PutRoot(gone, None)])
    assert store.read_persons(["p1abc"])[0] == {"p1abc": gone}


@pytest.mark.parametrize("write", BIRTH)
def test_what_stands_is_not_made_again(store: DynamoJobStore, write: Write) -> None:
    store.commit(BIRTH)
    assert store.commit([write]) is Outcome.CANCELLED


@pytest.mark.parametrize(
    "write",
    [
        PutPointer(replace(POINTER, version=3), 2),
        PutRoot(replace(ROOT, version=3), (2, RootState.ACTIVE)),
        PutRoot(replace(ROOT, version=2), (1, RootState.SPLITTING)),
        PutEdge(EDGE, replace(EDGE, state=EdgeState.ACTIVE)),
        PutEdge(EDGE, replace(EDGE, support=replace(EDGE.support, event_ms=5))),
        UnlockRoot(ROOT, "a job"),
        CheckRoot("p1abc", 2),
        CheckFence(1),
        CheckJob("a job"),
        CloseJob("a job"),
    ],
)
def test_a_stale_write_cancels_its_whole_transaction(store: DynamoJobStore, write: Write) -> None:
    store.commit(BIRTH)
    other = replace(POINTER, key="email:1y")
    assert store.commit([PutPointer(other, None), write]) is Outcome.CANCELLED
    assert store.read_pointers(["email:1y"]) == {}


@pytest.mark.parametrize(
    "write",
    [
        PutPointer(replace(POINTER, version=2), 1),
        PutRoot(replace(ROOT, version=2), (1, RootState.ACTIVE)),
        PutEdge(replace(EDGE, state=EdgeState.ACTIVE, why=None), EDGE),
        MovePointer(replace(POINTER, version=7)),
        MoveEdge(EDGE),
        CheckRoot("p1abc", 1),
    ],
)
def test_a_write_under_the_version_that_stands_is_done(store: DynamoJobStore, write: Write) -> None:
    store.commit(BIRTH)
    assert store.commit([write]) is Outcome.DONE


def test_a_job_is_open_until_it_is_closed(store: DynamoJobStore) -> None:
    locked = replace(ROOT, state=RootState.SPLITTING, job="7-x")
    chunks: list[list[Write]] = [
        [MovePointer(POINTER), MoveEdge(EDGE), DropEdge(("email:1a", "phone:1z"))],
        [UnlockRoot(ROOT, "7-x")],
    ]
    store.write_chunks("7-x", chunks)
    assert store.read_job("7-x") is None
    assert store.commit([OpenJob("7-x", 2), PutRoot(locked, None)]) is Outcome.DONE
    assert store.commit([OpenJob("7-x", 2)]) is Outcome.CANCELLED
    assert (store.read_job("7-x"), store.open_jobs()) == (Job("7-x", 2), ["7-x"])
    assert [store.read_chunk("7-x", n) for n in range(2)] == chunks
    assert store.commit([CheckJob("7-x"), *chunks[0]]) is Outcome.DONE
    assert store.commit([CloseJob("7-x"), *chunks[1]]) is Outcome.DONE
    assert (store.read_job("7-x"), store.open_jobs()) == (None, [])
    store.drop_chunks("7-x")
    assert store.read_chunk("7-x", 0) == []


def test_the_fence_never_falls(store: DynamoJobStore) -> None:
    assert store.fence() == 0
    assert store.raise_fence(2)
    assert store.raise_fence(2)
    assert not store.raise_fence(1)
    assert store.fence() == 2
    assert store.commit([CheckFence(2), PutRoot(ROOT, None)]) is Outcome.DONE


def test_a_parked_star_waits_until_it_is_taken_away(store: DynamoJobStore) -> None:
    other = replace(STAR, because="1zzz")
    for star in (STAR, STAR, other):
        store.park(star)
    parked = store.parked(10)
    assert [one.star for one in parked] == [STAR, other]
    assert len(store.parked(1)) == 1
    store.unpark(parked[0])
    assert [one.star for one in store.parked(10)] == [other]


def test_many_edges_are_read_page_by_page(store: DynamoJobStore) -> None:
    edges = [replace(EDGE, pair=("email:1a", f"device_id:{n}")) for n in range(7)]
    store.commit([PutEdge(edge, None) for edge in edges])
    assert store.edges_from("email:1a") == edges


def test_a_lost_reply_leaves_the_outcome_unknown() -> None:
    class Silent:
        def transact_write_items(self, **request: Any) -> None:
            raise ReadTimeoutError(endpoint_url="memory:")

    store = DynamoJobStore(Silent(), "profiles", "control", no_pause)
    assert store.commit(BIRTH) is Outcome.UNKNOWN


def test_a_missing_table_is_an_error_and_no_contention() -> None:
    store = DynamoJobStore(DynamoDB("control"), "profiles", "control", no_pause)
    with pytest.raises(StoreError):
        store.commit(BIRTH)


def test_no_value_of_an_identifier_shows_in_a_representation() -> None:
    assert "a@example.com" not in repr([POINTER, STAR, BIRTH])
