"""Addresses of devices are truncated at the door, wherever an event says them."""

from typing import Any

import orjson
import pytest

from stamgast.identity.assurance import Assurance
from stamgast.ingestion import accept as module
from stamgast.ingestion.accept import accept
from stamgast.ingestion.verdicts import Receipt

RECEIPT = Receipt("r", 1_790_000_000_000, "web", Assurance.CLAIMED)
EVENT: dict[str, Any] = {"type": "track", "event": "Seen", "userId": "u1"}
SPELLED = {
    "203.0.113.77": "203.0.113.0",
    " 203.0.113.77 ": "203.0.113.0",
    "2001:db8:12:34::77": "2001:db8:12::",
    "::ffff:203.0.113.77": "203.0.113.0",
    "0.0.0.0": "0.0.0.0",
    "127.0.0.1": "127.0.0.1",
    "203.0.113.77, 10.0.0.1": None,
    "203.0.113.77:443": None,
    "not told": None,
}


def kept(ip: object) -> bytes:
    """The body of an event that says this address."""
    return accept([{**EVENT, "context": {"ip": ip}}], RECEIPT).accepted[0].body


@pytest.mark.parametrize(("told", "left"), SPELLED.items())
def test_an_event_keeps_the_network_of_its_address_alone(told: str, left: str | None) -> None:
    assert orjson.loads(kept(told))["context"].get("ip") == left


@pytest.mark.parametrize("told", [None, 7, [], {"a": 1}])
def test_what_is_no_text_is_no_address(told: object) -> None:
    assert orjson.loads(kept(told))["context"].get("ip") is None


@pytest.mark.parametrize(
    "text",
    [b'{"type":"x","context":{"ip":"203.0.113.77"}}', b'{"context":{"ip": "203.0.113.77"', None],
)
def test_a_refused_event_keeps_no_more_of_it(text: bytes | None) -> None:
    event = {"type": "x", "context": {"ip": "203.0.113.77"}}
    refused = accept([event], RECEIPT, original=lambda _: text).rejected[0]
    assert "203.0.113.77" not in refused.original
    assert "203.0.113.0" in refused.original


def test_an_event_whose_address_stays_whole_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "shorten", lambda _: None)
    assert b"203.0.113.77" in kept("203.0.113.77")
