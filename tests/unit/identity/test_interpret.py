"""From raw record to event: identifiers, anchor, assurance, traits and orders."""

import json
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from stamgast.identity.assurance import Assurance
from stamgast.identity.event import Event, Product
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.orders import minor_of
from stamgast.identity.proof import is_proven, prove
from stamgast.identity.settings import DEFAULT
from stamgast.raw.record import RawRecord, RejectedRecord

KEYRING = Keyring(1, b"a secret of the tests")
NOW_MS = 1_790_000_000_000


def record_of(body: dict[str, Any], assurance: Assurance = Assurance.CLAIMED) -> RawRecord:
    return RawRecord(
        "r1:0", "r1", 0, NOW_MS, "web", assurance, None, NOW_MS, NOW_MS,
        body.get("type", "track"), "m1", "hash", "192.0.2.0", "agent", orjson.dumps(body).decode(),
    )  # fmt: skip


def event_of(body: dict[str, Any], assurance: Assurance = Assurance.CLAIMED) -> Event:
    return interpret(record_of(body, assurance), DEFAULT, KEYRING)


def namespaces(event: Event) -> list[str]:
    return [seen.namespace for seen in event.identifiers]


def test_the_anchor_is_the_identifier_of_highest_priority() -> None:
    event = event_of({"type": "track", "event": "E", "anonymousId": "a", "userId": "u"})
    assert namespaces(event) == ["user_id", "anonymous_id"]
    assert event.anchor == KEYRING.identifier_key("user_id", "u")


def test_a_blocked_user_id_leaves_the_anchor_to_the_device() -> None:
    event = event_of({"type": "track", "event": "E", "anonymousId": "a", "userId": "null"})
    assert namespaces(event) == ["anonymous_id"]
    assert [refusal.code for refusal in event.refusals] == ["blocked"]


def test_an_event_whose_every_identifier_is_blocked_has_no_anchor() -> None:
    assert event_of({"type": "track", "event": "E", "userId": "guest"}).anchor is None


def test_traits_in_the_context_alone_are_understood() -> None:
    event = event_of(
        {"type": "identify", "userId": "u", "context": {"traits": {"email": "A@B.example"}}}
    )
    assert event.traits == {"email": "A@B.example"}
    assert namespaces(event) == ["user_id", "email"]


def test_external_ids_of_known_namespaces_are_identifiers() -> None:
    body = {"type": "track", "event": "E", "anonymousId": "a"}
    external = [{"type": "loyalty_card", "id": "77"}, {"type": "unheard_of", "id": "1"}, 5]
    event = event_of({**body, "context": {"externalIds": external}})
    assert namespaces(event) == ["loyalty_card", "anonymous_id"]


def test_an_alias_links_the_previous_id() -> None:
    event = event_of({"type": "alias", "userId": "u", "previousId": "old"})
    assert event.identifiers[1].key == KEYRING.identifier_key("anonymous_id", "old")


def test_a_valid_proof_verifies_a_claim_and_another_users_does_not() -> None:
    proof = prove("u", NOW_MS // 1000 + 60, KEYRING.proof_secret("web"))
    body = {"type": "identify", "userId": "u", "context": {"proof": proof}}
    assert event_of(body).assurance is Assurance.VERIFIED
    assert event_of({**body, "userId": "v"}).assurance is Assurance.CLAIMED


def test_an_expired_or_mangled_proof_proves_nothing() -> None:
    secret = KEYRING.proof_secret("web")
    assert not is_proven(prove("u", 100, secret), "u", 100_001, secret)
    assert is_proven(prove("u", 100, secret), "u", 100_000, secret)
    for proof in ("", ".", "100", "100.", "x.y", "100.é", f"0{prove('u', 100, secret)}"):
        assert not is_proven(proof, "u", 1, secret)


def test_an_order_is_told_in_minor_units() -> None:
    lines = [{"product_id": 7, "price": "1.10", "quantity": 2, "category": "Wine"}, "junk"]
    properties = {"order_id": 12, "revenue": 19.99, "currency": "eur", "products": lines}
    event = event_of(
        {"type": "track", "event": "Order Completed", "userId": "u", "properties": properties}
    )
    assert event.order is not None
    assert (event.order.order_id, event.order.revenue_minor, event.order.currency) == (
        "12", 1999, "EUR",
    )  # fmt: skip
    assert event.order.products == (Product("7", "Wine", 110, 2),)


def test_amounts_that_are_no_numbers_are_no_amounts() -> None:
    for amount in (None, True, "abc", float("inf"), float("nan"), [], "1e400"):
        assert minor_of(amount, "EUR") is None
    assert minor_of("12.345", "JPY") == 12
    assert minor_of(1.005, "BHD") == 1005


@given(st.dictionaries(st.text(), st.text()), st.text(max_size=8))
def test_a_raw_record_survives_its_line(body: dict[str, str], note: str) -> None:
    record = replace(record_of({}), body=orjson.dumps(body).decode(), notes=(note,))
    assert RawRecord.from_json(record.to_json()) == record


def test_a_rejected_record_survives_its_line() -> None:
    rejected = RejectedRecord("r:1", NOW_MS, "web", "too_large", "", "why", "{}", "m", {"a": "b"})
    assert RejectedRecord.from_json(rejected.to_json()) == rejected


def test_keys_differ_by_namespace_source_and_secret_and_hide_the_value() -> None:
    key = KEYRING.identifier_key("email", "ann@b.example")
    others = {
        KEYRING.identifier_key("user_id", "ann@b.example").partition(":")[2],
        Keyring(1, b"another").identifier_key("email", "ann@b.example").partition(":")[2],
    }
    assert key.startswith("email:1")
    assert len(key) == len("email:") + 26
    assert key.partition(":")[2] not in others
    assert KEYRING.message_key("a", "m") != KEYRING.message_key("b", "m")
    assert "secret" not in repr(KEYRING)


def test_texts_and_names_are_composed_once_whatever_form_a_client_sends() -> None:
    body = {
        "type": "identify",
        "userId": "u1",
        "traits": {"cite\u0301": ["Cafe\u0301", {"x": "A\u030a\u2260"}], "plain": "caf\u00e9"},
    }
    told = event_of(body).traits
    assert told == {"cit\u00e9": ["Caf\u00e9", {"x": "\u00c5\u2260"}], "plain": "caf\u00e9"}
    escaped = replace(record_of(body), body=json.dumps(body))
    assert interpret(escaped, DEFAULT, KEYRING).traits == told


def test_a_text_that_begins_with_a_combining_sign_stays_within_its_quotes() -> None:
    body = {"type": "identify", "userId": "u1", "traits": {"a": "\u0301b", "\u0338": "=\u0338"}}
    assert event_of(body).traits == {"a": "\u0301b", "\u0338": "\u2260"}
