"""What a workspace never stores reaches no record: accepted, rejected, planned or poison."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.accept import accept
from stamgast.ingestion.envelope import encode
from stamgast.ingestion.never_stored import HASHED, never_stored_of
from stamgast.ingestion.verdicts import Receipt, Unreadable
from stamgast.profile.batch import Message, read_batch

SECRET = "4111 1111"
MARKS = {
    "drop": ["properties.card.number", "traits.passport", "properties.lines.note"],
    "hash": ["context.device.advertisingId"],
}
NEVER = never_stored_of(MARKS, lambda namespace, value: f"{namespace}:{len(value)}")
RECEIPT = Receipt("r1", 1_800_000_000_000, "web", Assurance.CLAIMED)
HIDING = st.sampled_from(
    (
        {"properties": {"card": {"number": SECRET, "kind": "debit"}}},
        {"properties": {"lines": [{"note": SECRET, "sku": "a"}, {"note": SECRET}, 7]}},
        {"traits": {"passport": SECRET}},
        {"context": {"traits": {"passport": {"deep": [SECRET]}}}},
        {"context": {"device": {"advertisingId": SECRET}}},
        {"context": {"Device": {"AdvertisingID": SECRET}}},
        {"properties": {"Card": {"NUMBER": SECRET}, "card": {"number": SECRET}}},
        {"properties": {"lines": [{"Note": SECRET}, [{"note": SECRET}]]}},
    )
)


def records(event: dict[str, Any], tries: int = 1) -> str:
    envelope = accept([event], RECEIPT)
    batch = read_batch([Message("m", encode(envelope), 0, tries)], None, NEVER)
    told = [*batch.raw, *batch.rejected]
    assert len(told) == 1
    return " ".join(record.to_json().decode() for _, record in told)


@given(HIDING, st.booleans())
def test_neither_an_accepted_nor_a_rejected_event_keeps_it(
    hiding: dict[str, Any], is_known: bool
) -> None:
    who = {"userId": "u"} if is_known else {}
    told = records({"type": "identify", "messageId": "m", **who, **hiding})
    assert SECRET not in told


def test_a_hash_takes_the_place_of_a_value_and_is_not_hashed_again() -> None:
    event = {"type": "track", "event": "a", "userId": "u", "messageId": "m"}
    device = {"device": {"advertisingId": SECRET}}
    body = json.loads(json.loads(records({**event, "context": device}))["body"])
    hashed = body["context"]["device"]["advertisingId"]
    assert hashed == f"{HASHED}{len(SECRET)}"
    again = json.loads(json.loads(records(body))["body"])
    assert again["context"]["device"]["advertisingId"] == hashed


@pytest.mark.parametrize("text", [SECRET, '{"properties": {"card": {"number": "' + SECRET])
def test_a_message_that_nobody_can_read_is_kept_without_its_text(text: str) -> None:
    batch = read_batch([Message("m", text, 0, 3)], None, NEVER)
    (record,) = (one for _, one in batch.rejected)
    assert (record.code, record.original) == ("poison", "")


def test_what_is_not_marked_stays_as_it_came() -> None:
    event = {"type": "track", "event": "a", "userId": "u", "messageId": "m"}
    told = records({**event, "properties": {"card": {"kind": "debit"}, "number": SECRET}})
    assert SECRET in told
    assert "debit" in told


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"track","event":"a","traits":{"passport":"4111 1111",}}',
        "{'traits': {'pass\\u0070ort': '4111 1111'}}",
        '{"traits":{"passport":"4111 1111"',
        "p\0a\0s\0s\0p\0o\0r\0t\0=\0004111 1111",
    ],
)
def test_a_broken_event_with_a_marked_name_is_kept_without_its_text(text: str) -> None:
    assert "4111" not in rejected_text(text)


@pytest.mark.parametrize("text", ['{"type":"track","userId":"ada","x":1,}', "{'a': 1}", "ada;1;é"])
def test_a_broken_event_without_one_keeps_its_text(text: str) -> None:
    assert rejected_text(text) == text


def rejected_text(text: str) -> str:
    envelope = accept([Unreadable(text.encode())], RECEIPT)
    (told,) = NEVER.out_of(envelope).rejected
    return told.original
