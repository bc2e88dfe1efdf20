"""From a request to a verdict: by the context, by a trait, by a browser's signal."""

from dataclasses import replace
from typing import Any

import pytest

from stamgast.consent.coverage import Verdict, consent_of_traits, coverage_of
from stamgast.consent.purposes import Purpose, Purposes
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import DEFAULT
from stamgast.profile.registers import Register, join_traits, traits_of
from tests.fakes.ingestion import PUBLIC_KEY, SECRET_KEY, Front, track

KEYRING = Keyring(1, b"a secret of the tests")
PURPOSES = Purposes(
    {
        "ads": Purpose("ads", categories=("Advertising",), refused_by=("gpc",)),
        "email": Purpose("email", refused_by=()),
    }
)


def verdicts(front: Front, purposes: Purposes = PURPOSES) -> dict[str, Verdict]:
    settings = replace(DEFAULT, consents=purposes)
    traits: dict[str, Register] = {}
    for record in front.raw():
        traits = join_traits(traits, traits_of(interpret(record, settings, KEYRING)))
    consent = consent_of_traits(traits)
    return {name: coverage_of(consent, name, purposes).verdict for name in ("ads", "email")}


def preferences(**told: bool) -> dict[str, Any]:
    return {"consent": {"categoryPreferences": told}}


@pytest.mark.parametrize("path", ["/v1/track", "/v1/page", "/v1/identify"])
def test_any_event_tells_consents_in_its_context(path: str) -> None:
    front = Front()
    event = {"userId": "u1", "messageId": "m1", "event": "Tapped"}
    front.post(path, {**event, "context": preferences(Advertising=True, email=False)})
    assert verdicts(front) == {"ads": Verdict.GRANTED, "email": Verdict.REFUSED}


def test_the_context_of_a_batch_speaks_for_each_of_its_events() -> None:
    front = Front()
    front.post("/v1/batch", {"batch": [track()], "context": preferences(email=True)})
    assert verdicts(front)["email"] is Verdict.GRANTED


@pytest.mark.failure_line(38)
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"sec-gpc": "1"}, Verdict.REFUSED),
        ({"sec-gpc": "0"}, Verdict.GRANTED),
        ({"dnt": "1"}, Verdict.GRANTED),
    ],
)
def test_global_privacy_control_refuses_what_heeds_it(
    headers: dict[str, str], expected: Verdict
) -> None:
    """Line 38: a browser's no takes the earlier grant back."""
    front = Front()
    granting = {"type": "identify", "userId": "u1", "messageId": "m1"}
    front.post("/v1/identify", {**granting, "traits": {"consent": {"ads": True, "email": True}}})
    front.now_ms += 60_000
    front.post("/v1/track", track(messageId="m2"), headers=headers)
    assert verdicts(front) == {"ads": expected, "email": Verdict.GRANTED}


def test_do_not_track_counts_where_a_purpose_heeds_it() -> None:
    heeding = Purposes({"ads": Purpose("ads", refused_by=("dnt",)), "email": Purpose("email")})
    front = Front()
    front.post("/v1/track", track(), headers={"dnt": "1"})
    assert verdicts(front, heeding)["ads"] is Verdict.REFUSED


@pytest.mark.failure_line(39)
def test_a_public_key_cannot_lift_what_a_secret_key_refused() -> None:
    """Line 39: who holds a page's key can take a consent back, and give none against a refusal."""
    front = Front()
    for number, (key, is_granted) in enumerate(((SECRET_KEY, False), (PUBLIC_KEY, True))):
        event = {
            "userId": "u1",
            "messageId": f"m{number}",
            "traits": {"consent": {"email": is_granted}},
        }
        front.post("/v1/identify", event, key=key)
        front.now_ms += 60_000
    assert verdicts(front)["email"] is Verdict.REFUSED


def test_a_signal_is_no_part_of_the_payload_so_that_a_copy_without_it_is_a_duplicate() -> None:
    front = Front()
    for headers in ({"sec-gpc": "1"}, {}):
        front.post("/v1/track", track(), headers=headers)
    first, second = front.raw()
    assert first.payload_hash == second.payload_hash
    assert first.notes == ("opt_out:gpc",)
    assert second.notes == ()
