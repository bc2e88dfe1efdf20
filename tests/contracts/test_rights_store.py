"""Requests of persons on the in-process DynamoDB: kept whole, and noted while something is left."""

from dataclasses import replace
from typing import Any

import pytest

from stamgast.erasure.callbacks import ERASED, Callback
from stamgast.erasure.needles import needles_of
from stamgast.erasure.request import Kind, RightsRequest, State
from stamgast.erasure.subject import Subject
from stamgast.erasure.tombstones import Tombstone
from stamgast_aws import erasure_items
from stamgast_aws.erasure_items import DynamoErasure
from stamgast_aws.rights_store import StoredRights
from stamgast_aws.tombstone_store import DynamoTombstones
from tests.fakes.dynamodb import DynamoDB
from tests.lake.world import KEYRING

URL = "https://desk.example.com/told"
ASKED = RightsRequest("r", Kind.ACCESS, "officer", "gdpr", ("k",), 7, callbacks=(Callback(URL),))


class Documents:
    """As much of S3 as keeping a document takes."""

    def put_object(self, **_: Any) -> None:
        return None

    def list_object_versions(self, **_: Any) -> dict[str, Any]:
        return {}


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


def addresses_left(folder: str) -> list[str]:
    """The addresses of an answered request once somebody was searched for."""
    tables = DynamoDB("control", "profiles")
    store = StoredRights(tables, "control", Documents(), "lake")
    named = Callback(f"https://desk.example.com/{folder}")
    store.put(replace(ASKED, state=State.COMPLETED, callbacks=(named, Callback(URL))), {})
    live = DynamoErasure(tables, "profiles", "control", lambda _: None, lambda: KEYRING)
    ada = Subject("e", 1, frozenset(("email:" + "a" * 26,)), {"email:a": "ada@example.com"})
    assert live.scan(needles_of([ada])) == (2, {})
    kept = store.read("r")
    assert kept is not None
    assert [one.url for one in kept.due_callbacks] == [
        one.url for one in kept.callbacks if one.url != ERASED
    ]
    return [one.url for one in kept.callbacks]


def test_addresses_of_call_backs_that_name_the_erased_are_forgotten_and_no_others() -> None:
    assert addresses_left("of/ada%40example.com") == [ERASED, URL]
    assert addresses_left("of/ida%40example.com") == [
        "https://desk.example.com/of/ida%40example.com",
        URL,
    ]


def test_leaving_addresses_as_they_are_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure_items, "forget_addresses", lambda *_: None)
    assert addresses_left("of/ada%40example.com") != [ERASED, URL]


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
