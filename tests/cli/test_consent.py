"""A word on somebody's behalf is an event that names them by the identifier that was said."""

from dataclasses import replace
from typing import Any

import pytest

from stamgast.consent.coverage import Verdict, consent_of_traits, coverage_of
from stamgast.consent.purposes import Purpose, Purposes
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import DEFAULT
from stamgast.profile.registers import traits_of
from stamgast.workspace.model import Workspace
from stamgast_cli.commands.consent import _event
from tests.fakes.ingestion import PUBLIC_KEY, SECRET_KEY, Front

KEYRING = Keyring(1, b"a secret of the tests")
PURPOSES = Purposes({"email": Purpose("email")})
WORKSPACE = Workspace("1", "UTC", {}, replace(DEFAULT, consents=PURPOSES))


def verdict(who: str, consent: dict[str, Any], key: str = SECRET_KEY) -> Verdict:
    front = Front()
    front.post("/v1/batch", {"batch": [_event(who, consent, WORKSPACE, lambda: KEYRING)]}, key=key)
    (record,) = front.raw()
    event = interpret(record, WORKSPACE.identity, KEYRING)
    namespace, _, value = who.partition(":")
    assert KEYRING.identifier_key(namespace, value) == event.anchor
    return coverage_of(consent_of_traits(traits_of(event)), "email", PURPOSES).verdict


@pytest.mark.parametrize("who", ["email:ada@example.org", "user_id:42", "loyalty_card:7"])
def test_a_word_is_said_at_the_identifier_that_was_named(who: str) -> None:
    assert verdict(who, {"categoryPreferences": {"email": True}}) is Verdict.GRANTED
    assert verdict(who, {"categoryPreferences": {"email": False}}) is Verdict.REFUSED
    assert verdict(who, {"suppressed": True}) is Verdict.SUPPRESSED


def test_a_public_key_does_not_suppress() -> None:
    assert verdict("user_id:42", {"suppressed": True}, PUBLIC_KEY) is Verdict.UNKNOWN


def device(who: str, keyring: Keyring = KEYRING) -> str:
    event = _event(who, {"suppressed": False}, WORKSPACE, lambda: keyring)
    told: str = event["anonymousId"]
    return told


def test_words_about_one_identifier_add_one_device_however_many_they_are() -> None:
    ada = device("email:ada@example.org")
    assert {device("email:ada@example.org") for _ in range(5)} == {ada}
    assert device("email:Ada@Example.org") == ada
    assert device("email:bob@example.org") != ada
    assert device("email:ada@example.org", Keyring(1, b"another secret")) != ada
    assert "ada" not in ada


def test_a_user_id_needs_no_device_and_a_device_is_itself() -> None:
    assert "anonymousId" not in _event("user_id:42", {}, WORKSPACE, lambda: KEYRING)
    assert device("anonymous_id:a-device-7") == "a-device-7"
