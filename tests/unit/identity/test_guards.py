"""What a workspace guards against: values, spellings, assurance, sizes, slow patterns."""

import re
import time
import unicodedata
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.identity import addresses
from stamgast.identity.assurance import Assurance
from stamgast.identity.edge import Reason
from stamgast.identity.event import Event
from stamgast.identity.identifiers import Identifier, Refusal, normalise
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.patterns import why_unsafe
from stamgast.identity.rules import Side, may_join
from stamgast.identity.settings import (
    BLOCKED_PATTERNS,
    DEFAULT,
    IdentitySettings,
    Limits,
    Namespace,
    Provider,
)
from stamgast.raw.record import RawRecord

USER, CARD, EMAIL, PHONE = DEFAULT.namespaces[:4]
KEYRING, NOW_MS = Keyring(1, b"a secret of the tests"), 1_790_000_000_000
LIMITS = Limits(10, 4, {"user_id": 2}, frozenset({"user_id", "email"}))
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(), max_size=3000)
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)
odd = st.text(
    st.sampled_from("aA@.+\"' \u200b\u00df\u0130\u01c5\u0301\u212b\uff10\uff21\u2126\u0345mailto:"),
    max_size=14,
)


@given(namespace=st.sampled_from(DEFAULT.namespaces), raw=anything | odd)
def test_any_value_is_an_identifier_a_refusal_or_nothing(namespace: Namespace, raw: object) -> None:
    told = normalise(namespace, raw, DEFAULT, "NL")
    assert told is None or isinstance(told, Identifier | Refusal)
    if isinstance(told, Identifier):
        assert normalise(namespace, told.value, DEFAULT, "NL") == told


@given(namespace=st.sampled_from(DEFAULT.namespaces), raw=st.text() | odd)
def test_canonically_equivalent_texts_are_one_identifier(namespace: Namespace, raw: str) -> None:
    composed = normalise(namespace, unicodedata.normalize("NFC", raw), DEFAULT, "NL")
    assert normalise(namespace, unicodedata.normalize("NFD", raw), DEFAULT, "NL") == composed


def test_a_form_without_composition_tells_equivalent_texts_apart() -> None:
    """The broken variant of the law above."""
    texts = {unicodedata.normalize(form, "jos\u00e9") for form in ("NFC", "NFD")}
    assert len({text.lower() for text in texts}) == 2


@pytest.mark.failure_line(24)
@pytest.mark.parametrize(
    "raw",
    ["\uff4e\uff55\uff4c\uff4c", "\u00abnull\u00bb", "\u201eundefined\u201c", "nu\u200dll",
     "\u202enull\u202c", "[object Undefined]", "(000) 000-0000", "''null''", "\u00ad", "NaN",
     "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
     "null\U000e0020", "nu\U000e0100ll", "n\u180full", "nul\U0001d173l", "\u2800", "\U000e0020",
     "\u2039null\u203a", "\u201fguest\u201b", "???", "*", "\ufffd\ufffd", "#REF!", "#n/a"],
)  # fmt: skip
def test_disguises_of_nobody_are_found_out(raw: str) -> None:
    """Line 24: quoted, full-width, unseen and directed variants never link, nor do signs alone."""
    assert normalise(USER, raw, DEFAULT) == Refusal("user_id", "blocked")


@pytest.mark.failure_line(24)
@pytest.mark.parametrize("raw", ["noreply@shop.example", "No-Reply@shop.example", "test@a.example"])
def test_an_address_that_nobody_reads_names_nobody(raw: str) -> None:
    """Line 24: and an address that only looks like one of them does."""
    assert normalise(EMAIL, raw, DEFAULT) == Refusal("email", "blocked")
    assert isinstance(normalise(EMAIL, f"x{raw}", DEFAULT), Identifier)


@pytest.mark.parametrize(
    ("providers", "raw", "value"),
    [
        ((), "A.nn+shop@GMail.com", "a.nn+shop@gmail.com"),
        ((Provider.GMAIL,), "A.nn+shop@GoogleMail.com", "ann@gmail.com"),
        ((Provider.GMAIL,), "a.nn+x@shop.example", "a.nn+x@shop.example"),
        ((Provider.OUTLOOK,), "a.nn+x@hotmail.com", "a.nn@hotmail.com"),
    ],
)
def test_providers_rules_hold_only_where_they_are_asked_for(
    providers: tuple[Provider, ...], raw: str, value: str
) -> None:
    namespace = replace(EMAIL, providers=providers)
    assert normalise(namespace, raw, DEFAULT) == Identifier("email", value)
    assert normalise(namespace, value, DEFAULT) == Identifier("email", value)


def test_a_domain_has_one_form() -> None:
    assert addresses.domain_of("B\u00dcCHER.example.") == "xn--bcher-kva.example"
    assert addresses.domain_of("xn--bcher-kva.example") == "xn--bcher-kva.example"
    assert addresses.domain_of("a..example") is addresses.domain_of("example") is None


def test_a_namespace_allows_and_blocks_by_patterns() -> None:
    card = replace(CARD, allow=r"[0-9]{8}", block=("99.*",))
    assert normalise(card, " 12345678 ", DEFAULT) == Identifier("loyalty_card", "12345678")
    assert normalise(card, "1234567", DEFAULT) == Refusal("loyalty_card", "not_allowed")
    assert normalise(card, "99345678", DEFAULT) == Refusal("loyalty_card", "blocked")


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(?:a|a)*b", r"(a)\1", "(?=a)b", ".*.*.*x", "a?a?a?a?a?", "(", "x" * 201, "(?i)a",
     "a{99999999999}"],
)  # fmt: skip
def test_a_pattern_that_could_be_slow_is_refused(pattern: str) -> None:
    assert why_unsafe(pattern)


@pytest.mark.parametrize("pattern", [*BLOCKED_PATTERNS, "[0-9]{8}", r"(?:a|b)c?[^@]+@x\.example"])
def test_a_pattern_of_bounded_time_is_taken(pattern: str) -> None:
    assert why_unsafe(pattern) is None


def test_the_worst_pattern_that_is_taken_ends_at_once() -> None:
    assert why_unsafe(".*.*x") is None
    began = time.process_time()
    assert re.compile(".*.*x").fullmatch("a" * 512) is None
    assert time.process_time() - began < 1


def side(*members: str) -> Side:
    return Side(frozenset(members), False)


@pytest.mark.failure_line(23)
@pytest.mark.parametrize(
    ("left", "right", "word", "why"),
    [
        (("user_id:1",), ("user_id:2", "user_id:3"), 2, Reason.NAMESPACE_LIMIT),
        (("user_id:1",), ("user_id:2",), 2, None),
        (("user_id:1",), ("user_id:2",), 1, Reason.NAMESPACE_LIMIT),
        (
            [f"email:{n}" for n in range(3)],
            [f"email:{n}" for n in (3, 4, 5)],
            2,
            Reason.MERGE_LIMIT,
        ),
        ([f"email:{n}" for n in range(2)], ["email:3", "email:4"], 1, Reason.MERGE_LIMIT),
        ([f"d:{n}" for n in range(5)], [f"d:{n}" for n in range(5, 10)], 2, None),
        ([f"d:{n}" for n in range(5)], ["d:5"], 1, Reason.PERSON_LIMIT),
        ([f"d:{n}" for n in range(5)], [f"d:{n}" for n in range(5, 11)], 2, Reason.PERSON_LIMIT),
    ],
)
def test_a_person_grows_up_to_its_limits_and_by_claims_to_half_of_them(
    left: Any, right: Any, word: int, why: Reason | None
) -> None:
    """Line 23: refused before any write, with the limit that it would be over."""
    assert may_join(side(*left), side(*right), Assurance(word), LIMITS) is why


def event_of(context: dict[str, Any], settings: IdentitySettings, word: Assurance) -> Event:
    body = {"type": "track", "event": "E", "anonymousId": "a", "context": context}
    record = RawRecord(
        *("r1:0", "r1", 0, NOW_MS, "web", word, None, NOW_MS, NOW_MS, "track", "m1", "hash"),
        *(None, None, orjson.dumps(body).decode()),
    )
    return interpret(record, settings, KEYRING)


@pytest.mark.parametrize(
    ("entry", "namespace", "value"),
    [
        ({"type": "email", "id": "A@b.example", "collection": "users"}, "email", "a@b.example"),
        (
            {"type": "phone", "id": "KzMxNjEyMzQ1Njc4", "encoding": "base64"},
            "phone",
            "+31612345678",
        ),
        ({"type": "ios.idfa", "id": "IDFA-1", "encoding": "none"}, "device_id", "IDFA-1"),
        ({"type": "member", "id": "77"}, "loyalty_card", "77"),
    ],
)
def test_external_ids_name_namespaces_by_their_types(
    entry: dict[str, Any], namespace: str, value: str
) -> None:
    cards = replace(CARD, external_types=("member",))
    settings = replace(DEFAULT, namespaces=(USER, cards, *DEFAULT.namespaces[2:]))
    found = event_of({"externalIds": [entry]}, settings, Assurance.CLAIMED).identifiers[0]
    assert (found.namespace, found.value) == (namespace, value)


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "email", "id": "a@b.example", "collection": "accounts"},
        {"type": "email", "id": "no base64", "encoding": "base64"},
        {"type": "email", "id": "a@b.example", "encoding": "rot13"},
        {"type": ["email"], "id": {"a": 1}},
        "email",
    ],
)
def test_an_external_id_that_is_none_costs_no_event(entry: object) -> None:
    event = event_of({"externalIds": [entry]}, DEFAULT, Assurance.CLAIMED)
    assert [seen.namespace for seen in event.identifiers] == ["anonymous_id"]


def test_an_event_less_assured_than_a_namespace_asks_for_does_not_name_it() -> None:
    """The event lands, and the refusal says why."""
    emails = replace(EMAIL, least_assurance=Assurance.VERIFIED)
    settings = replace(DEFAULT, namespaces=(USER, CARD, emails, *DEFAULT.namespaces[3:]))
    told = {"traits": {"email": "a@b.example"}}
    claimed = event_of(told, settings, Assurance.CLAIMED)
    assert claimed.refusals == (Refusal("email", "assurance_too_low"),)
    assert event_of(told, settings, Assurance.VERIFIED).identifiers[0].namespace == "email"
