"""Requests of persons on the in-process DynamoDB: kept whole, and noted while something is left."""

from dataclasses import replace
from typing import Any

import pytest

from stamgast.erasure.callbacks import Callback
from stamgast.erasure.request import Kind, RightsRequest
from stamgast.erasure.tombstones import Tombstone
from stamgast_aws.rights_store import StoredRights
from stamgast_aws.tombstone_store import DynamoTombstones
from tests.fakes.dynamodb import DynamoDB

URL = "https://desk.example.com/told"
ASKED = RightsRequest("r", Kind.ACCESS, "officer", "gdpr", ("k",), 7, callbacks=(Callback(URL),))


class Documents:
    """As much of S3 as keeping a document takes."""

    def put_object(self, **_: Any) -> None:
        return None


@pytest.fixture
def store() -> StoredRights:
    """The adapter over an empty table."""
    return StoredRights(DynamoDB("control"), "control", Documents(), "lake")


def test_a_request_comes_back_as_it_was_kept(store: StoredRights) -> None:
    assert store.put(ASKED, {})
    assert not store.put(ASKED, {})
    assert store.read("r") == ASKED


def test_a_request_stays_noted_until_everybody_was_told(store: StoredRights) -> None:
    store.put(ASKED, {})
    done = ASKED.begun(8).completed(9, {"counts": {}})
    assert store.replace(ASKED, done)
    assert store.open_ids() == ["r"]
    told = done.called([done.callbacks[0].after("completed", "")])
    assert store.replace(done, told)
    assert (store.open_ids(), store.read("r")) == ([], told)


def test_a_try_that_another_noted_meanwhile_is_not_written_over(store: StoredRights) -> None:
    store.put(ASKED, {})
    begun = ASKED.begun(8)
    store.replace(ASKED, begun)
    failed = begun.called([begun.callbacks[0].after("in_progress", "timed_out")])
    assert store.replace(begun, failed)
    assert not store.replace(begun, replace(begun, done_ms=9))


def test_a_table_that_was_put_back_takes_the_newer_tombstones_over() -> None:
    tables = DynamoDB("control", "before")
    here, before = (DynamoTombstones(tables, name, lambda _: None) for name in tables.tables)
    here.put([Tombstone("email:a", 9), Tombstone("email:b", 5)])
    before.put([Tombstone("email:b", 7, frozenset({"user_id:c"})), Tombstone("email:d", 3)])
    before.put_gone(["message-a", "message-b"])
    for _ in range(2):
        here.take(before)
    until = {key: one.until_ms for key, one in here.all().items()}
    assert until == {"email:a": 9, "email:b": 7, "email:d": 3}
    assert here.gone(["message-a", "message-b", "message-c"]) == {"message-a", "message-b"}
