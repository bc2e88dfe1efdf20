"""What an event says of consents becomes words; nobody can say a word as a trait."""

from typing import Any

import pytest

from stamgast.consent.coverage import Verdict, consent_of_traits, coverage_of
from stamgast.consent.purposes import Purpose, Purposes
from stamgast.consent.words import MOST_PURPOSES, is_word, with_words
from stamgast.identity.assurance import Assurance
from stamgast.ingestion.opt_outs import NOTE
from stamgast.profile.registers import Register

DECLARED = Purposes(
    {
        "email": Purpose("email", categories=("Email", "Marketing"), refused_by=()),
        "ads": Purpose("ads", categories=("Advertising", "Marketing"), refused_by=("gpc", "dnt")),
        "calls": Purpose("calls", least_assurance=Assurance.VERIFIED),
    }
)


def verdict(
    purpose: str,
    traits: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    notes: tuple[str, ...] = (),
    assurance: Assurance = Assurance.VERIFIED,
    purposes: Purposes = DECLARED,
) -> Verdict:
    told = with_words(traits or {}, context or {}, notes, assurance, purposes)
    registers = {name: Register(value, assurance, 7, "m" * 16) for name, value in told.items()}
    return coverage_of(consent_of_traits(registers), purpose, purposes).verdict


def preferred(**told: object) -> dict[str, Any]:
    return {"consent": {"categoryPreferences": told}}


def test_a_category_of_the_banner_speaks_for_each_purpose_that_names_it() -> None:
    context = preferred(Marketing=True)
    assert verdict("email", context=context) is Verdict.GRANTED
    assert verdict("ads", context=context) is Verdict.GRANTED
    assert verdict("email", context=preferred(Unheard=True)) is Verdict.UNKNOWN


def test_two_categories_that_disagree_about_a_purpose_refuse_it() -> None:
    assert verdict("email", context=preferred(Email=True, Marketing=False)) is Verdict.REFUSED


@pytest.mark.failure_line(38)
@pytest.mark.parametrize("told", [False, None, "true", "yes", 1, [], {}, {"granted": "true"}])
def test_what_is_not_exactly_true_refuses(told: object) -> None:
    """Line 38: a word that cannot be read is no grant, and takes back the one before."""
    assert verdict("email", {"consent": {"email": told}}) is Verdict.REFUSED


@pytest.mark.parametrize("told", [False, None])
def test_the_whole_trait_can_be_taken_back(told: object) -> None:
    for purpose in DECLARED.by_name:
        assert verdict(purpose, {"consent": told}) is Verdict.REFUSED
    assert verdict("any", {"consent": told}, purposes=Purposes()) is Verdict.REFUSED


def test_version_and_proof_are_kept_with_the_word() -> None:
    consent = {**preferred(email=True)["consent"], "version": "2026-03", "proof": "form 12"}
    told = with_words({}, {"consent": consent}, (), Assurance.CLAIMED, DECLARED)
    kept = {"by": "context", "version": "2026-03", "proof": "form 12"}
    assert told == {"$consent.g1.email": kept}
    own = {"email": {"granted": True, "version": "2026-04"}}
    told = with_words({"consent": own}, {}, (), Assurance.CLAIMED, DECLARED)
    assert told == {"$consent.g1.email": {"by": "trait", "version": "2026-04"}}


def test_a_browsers_signal_refuses_the_purposes_that_heed_it() -> None:
    assert verdict("ads", notes=(f"{NOTE}gpc",)) is Verdict.REFUSED
    assert verdict("ads", notes=(f"{NOTE}dnt",)) is Verdict.REFUSED
    assert verdict("calls", notes=(f"{NOTE}dnt",)) is Verdict.UNKNOWN
    assert verdict("email", notes=(f"{NOTE}gpc",)) is Verdict.UNKNOWN
    assert verdict("any", notes=(f"{NOTE}gpc",), purposes=Purposes()) is Verdict.REFUSED


def test_a_grant_below_the_purposes_assurance_is_none_and_a_refusal_always_counts() -> None:
    claimed = Assurance.CLAIMED
    assert verdict("calls", {"consent": {"calls": True}}, assurance=claimed) is Verdict.UNKNOWN
    assert verdict("calls", {"consent": {"calls": False}}, assurance=claimed) is Verdict.REFUSED


@pytest.mark.failure_line(39)
def test_a_public_key_neither_suppresses_nor_lifts() -> None:
    """Line 39: only a secret key, or a proof, says that."""
    for assurance, expected in (
        (Assurance.CLAIMED, Verdict.GRANTED),
        (Assurance.VERIFIED, Verdict.SUPPRESSED),
    ):
        context = {"consent": {**preferred(email=True)["consent"], "suppressed": True}}
        assert verdict("email", context=context, assurance=assurance) is expected


def test_no_trait_can_be_named_as_a_word() -> None:
    forged = {"$consent.g2.email": {"by": "trait"}, "city": "Delft"}
    assert with_words(forged, {}, (), Assurance.CLAIMED, DECLARED) == {"city": "Delft"}
    reserved = {"consent": {"$suppressed": True, "$all": True}}
    assert with_words(reserved, {}, (), Assurance.VERIFIED, Purposes()) == {}


def test_one_message_says_a_bounded_number_of_words() -> None:
    many = {"consent": {f"p{number:03}": True for number in range(500)}}
    told = with_words(many, {}, (), Assurance.CLAIMED, Purposes())
    assert sum(map(is_word, told)) == MOST_PURPOSES
