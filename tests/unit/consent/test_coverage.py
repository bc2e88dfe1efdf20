"""A purpose is covered by a grant alone; both readings of that say the same."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.consent.coverage import (
    Consent,
    Verdict,
    consent_of_row,
    consent_of_traits,
    coverage_of,
)
from stamgast.egress.decision import LivePerson, Why, decided
from stamgast.identity.assurance import Assurance
from stamgast.profile.registers import Register

JSON = st.one_of(st.booleans(), st.none(), st.text(max_size=5), st.integers(), st.just({}))
SAID = st.dictionaries(st.sampled_from(("email", "phone", "ads")), JSON)


def said(told: Any) -> Consent | None:
    return consent_of_row({"value": told, "message_key": "m" * 26, "event_ms": 7})


@given(SAID)
def test_only_true_grants_only_false_refuses_and_all_else_is_unknown(told: dict[str, Any]) -> None:
    verdict = coverage_of(said(told), "email").verdict
    expected = {True: Verdict.GRANTED, False: Verdict.REFUSED}
    value = told.get("email")
    assert verdict is (expected[value] if isinstance(value, bool) else Verdict.UNKNOWN)


@pytest.mark.failure_line(38)
@pytest.mark.parametrize("told", [None, "yes", ["email"], 1, {}, {"email": "true"}])
def test_what_is_no_grant_covers_nothing(told: Any) -> None:
    """Line 38: no consent record is no consent."""
    assert not coverage_of(said(told), "email").is_covered
    assert not coverage_of(None, "email").is_covered


def test_live_and_lake_name_the_same_version() -> None:
    register = Register({"email": True}, Assurance.VERIFIED, 7, "m" * 16)
    assert consent_of_traits({"consent": register}) == said({"email": True})


@pytest.mark.failure_line(38)
def test_both_moments_must_allow_it_and_a_person_who_is_gone_is_kept_back() -> None:
    """Line 38: a withdrawal since the run counts at once, a grant since waits for the next."""
    granted, refused = said({"email": True}), said({"email": False})
    then, before = coverage_of(granted, "email"), coverage_of(refused, "email")
    assert decided("p", then, LivePerson(granted), "email").why is Why.GRANTED
    assert decided("p", then, LivePerson(refused), "email").why is Why.WITHDRAWN
    assert decided("p", then, LivePerson(None), "email").why is Why.WITHDRAWN
    assert decided("p", before, LivePerson(granted), "email").why is Why.REFUSED
    assert decided("p", then, None, "email").why is Why.CHANGED


def test_a_register_of_a_lake_row_without_a_message_is_no_consent() -> None:
    assert consent_of_row(None) is None
    assert consent_of_row(json.loads('{"value": null}')) is None
