"""An erasure takes nothing else out of somebody else's message, and moves nothing in it."""

from collections.abc import Mapping
from itertools import product
from typing import Any
from unittest import mock

import orjson
import pytest

from stamgast.erasure.gate import kept
from stamgast.erasure.sealing import Sealing
from stamgast.erasure.tombstones import Tombstone, judge
from stamgast.identity.assurance import Assurance
from stamgast.identity.event import Event
from stamgast.identity.interpret import interpret
from stamgast.raw.record import RawRecord
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from tests.lake.world import KEYRING, NOON_MS

SETTINGS = workspace_of(compile_files({"sources.yaml": "sources: {web: {name: Web}}"})).identity
ERASED = "canary@example.com"
VALUES = (ERASED, "keeper-1122")


def bodies() -> list[Mapping[str, Any]]:
    """Messages of a keeper that name the erased, some of whose own identifiers are that address."""
    return [
        {"type": "identify", "userId": user, "anonymousId": device, "traits": {"email": ERASED}}
        for user, device in product(VALUES, VALUES)
    ]


def placed(event: Event) -> dict[str, int]:
    return {seen.key: place for place, seen in event.placed}


def record_of(body: Mapping[str, Any]) -> RawRecord:
    told = orjson.dumps(body).decode()
    at = (NOON_MS, "web", Assurance.VERIFIED, None, NOON_MS, NOON_MS)
    return RawRecord("r:0", "r", 0, *at, "identify", "m1", "h", None, None, told)


def check() -> None:
    """Each message, once and once more as its line was left, is the same but for the erased."""
    key = KEYRING.identifier_key("email", ERASED)
    for body in bodies():
        record = record_of(body)
        event = interpret(record, SETTINGS, KEYRING)
        others = {one: place for one, place in placed(event).items() if one != key}
        stones = {key: Tombstone(key, NOON_MS, frozenset(others))}
        judged = judge(event, stones)
        left, told = kept(record, event, judged, SETTINGS, KEYRING)
        assert told is not None
        assert placed(told) == placed(interpret(left, SETTINGS, KEYRING)) == others
        assert ERASED not in left.body


def test_the_other_identifiers_of_a_redacted_message_and_their_places_stay() -> None:
    check()


def test_a_redaction_that_seals_nothing_would_be_seen() -> None:
    as_it_is = mock.patch.object(Sealing, "body", lambda _self, body, _region: body)
    with as_it_is, pytest.raises(AssertionError):
        check()


def test_a_redaction_that_notes_no_gaps_would_be_seen() -> None:
    unnoted = mock.patch("stamgast.erasure.remains.noted", return_value=())
    with unnoted, pytest.raises(AssertionError):
        check()
