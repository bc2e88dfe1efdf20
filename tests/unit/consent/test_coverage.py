"""Granted is what a grant allows that is later than every refusal and outranked by none."""

from collections.abc import Callable, Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.consent import coverage
from stamgast.consent.coverage import (
    Consent,
    Verdict,
    Word,
    consent_of_row,
    coverage_of,
    coverage_of_all,
    row_of_consent,
    values_of,
)
from stamgast.consent.purposes import ALL, SUPPRESSED, Purpose, Purposes
from stamgast.consent.words import MOST_WORDS
from stamgast.egress.decision import LivePerson, Why, decided
from stamgast.identity.assurance import Assurance
from stamgast.profile.registers import Register, join_traits
from tests.fakes.consents import Saying, joined, said, word

ASSURANCES = st.sampled_from(tuple(Assurance))
SAYINGS = st.lists(
    st.builds(
        word,
        st.booleans(),
        st.sampled_from(("email", "email", "ads", ALL, SUPPRESSED)),
        st.integers(1, 4),
        ASSURANCES,
        st.sampled_from("ab"),
    ),
    max_size=6,
)


def by_the_law(told: Sequence[Saying], purpose: str) -> bool:
    """The law word for word, over the whole history."""
    silenced = [one for one in told if one.purpose == SUPPRESSED]
    if any(not one.is_grant for one in silenced) and not _is_granted(silenced):
        return False
    return _is_granted(
        [one for one in told if one.purpose == purpose or (one.purpose == ALL and not one.is_grant)]
    )


def _is_granted(told: Sequence[Saying]) -> bool:
    refusals = [one for one in told if not one.is_grant]
    return any(
        all(no.at_ms < yes.at_ms and no.assurance <= yes.assurance for no in refusals)
        for yes in told
        if yes.is_grant
    )


def holds(told: Sequence[Saying]) -> None:
    told = [one for one in told if one.purpose != ALL or not one.is_grant]
    assert coverage_of(said(*told), "email").is_covered == by_the_law(told, "email")


def hold(many: Sequence[Sequence[Saying]]) -> None:
    for told in many:
        holds(told)


# Later but less well known; as well known but at the same moment; better known and earlier.
OUTRANKED = (word(False, at_ms=1), word(True, at_ms=2, assurance=Assurance.CLAIMED))
TIED = (word(False, at_ms=2), word(True, at_ms=2))
EARLIER = (word(False, at_ms=3, assurance=Assurance.ANONYMOUS), word(True, at_ms=2))
SUPERSEDED = (word(False, at_ms=1), word(True, at_ms=2))


@given(SAYINGS)
def test_the_latest_of_each_kind_decide_as_the_whole_history_would(told: list[Saying]) -> None:
    holds(told)


@pytest.mark.failure_line(38)
@pytest.mark.parametrize(
    ("told", "is_covered"),
    [(OUTRANKED, False), (TIED, False), (EARLIER, False), (SUPERSEDED, True)],
)
def test_ties_refuse_and_so_does_a_better_known_refusal(
    told: Sequence[Saying], is_covered: bool
) -> None:
    """Line 38: what is in doubt does not leave."""
    for order in permutations(told):
        assert coverage_of(said(*order), "email").is_covered == is_covered


def latest_wins(words: Sequence[Word]) -> Word | None:
    return max(words, key=lambda one: (one.said_ms, one.is_grant), default=None)


def best_known_wins(words: Sequence[Word]) -> Word | None:
    return max(words, key=lambda one: (one.assurance, one.said_ms), default=None)


def any_grant_will_do(words: Sequence[Word]) -> Word | None:
    return next((one for one in words if one.is_grant), None)


@pytest.mark.parametrize("variant", [latest_wins, best_known_wins, any_grant_will_do])
def test_a_rule_that_forgets_time_assurance_or_ties_is_found(
    variant: Callable[[Sequence[Word]], Word | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "settled", variant)
    with pytest.raises(AssertionError):
        hold((OUTRANKED, TIED, EARLIER))


@given(st.permutations([*OUTRANKED, *EARLIER, word(True, "ads"), word(False, ALL, 1)]))
def test_words_may_come_in_any_order_and_again(told: list[Saying]) -> None:
    once, twice = joined(told), joined([*told, *reversed(told)])
    assert once == twice == joined(sorted(told, key=lambda one: one.key))


def test_no_trait_pushes_a_refusal_out() -> None:
    told = joined(TIED)
    for number in range(400):
        name = f"t{number}"
        told = join_traits(told, {name: Register(1, Assurance.VERIFIED, 9, "z" * 16)})
    assert not coverage_of(coverage.consent_of_traits(told), "email").is_covered


@pytest.mark.failure_line(38)
def test_who_was_said_more_of_than_is_kept_is_covered_for_nothing() -> None:
    """Line 38: what fell out may have been the refusal."""
    many = [word(True, f"p{number}", 9) for number in range(MOST_WORDS)]
    consent = said(word(False, at_ms=1), word(True, at_ms=2), *many)
    assert consent is not None
    assert consent.is_full
    assert not coverage_of(consent, "email").is_covered


@pytest.mark.failure_line(38)
def test_no_consent_record_is_no_consent() -> None:
    """Line 38: nothing said, nothing covered."""
    assert coverage_of(None, "email").verdict is Verdict.UNKNOWN
    assert not coverage_of(said(word(True, "ads")), "email").is_covered


def test_a_default_grant_holds_until_a_refusal_and_never_for_who_is_suppressed() -> None:
    purposes = Purposes({"service": Purpose("service", is_default_granted=True)})
    assert coverage_of(None, "service", purposes).verdict is Verdict.DEFAULT
    no, silence = word(False, "service"), word(False, SUPPRESSED)
    assert coverage_of(said(no), "service", purposes).verdict is Verdict.REFUSED
    assert coverage_of(said(silence), "service", purposes).verdict is Verdict.SUPPRESSED


def test_a_purpose_that_the_workspace_does_not_have_covers_nobody() -> None:
    purposes = Purposes({"ads": Purpose("ads")})
    assert not coverage_of(said(word(True)), "email", purposes).is_covered


@given(SAYINGS)
def test_a_row_of_the_lake_tells_the_same_consent(told: list[Saying]) -> None:
    consent = said(*told)
    if consent is None:
        return
    row = row_of_consent(consent)
    assert consent_of_row(row) == consent
    assert row["value"] == values_of(consent)


@pytest.mark.parametrize("told", [None, {}, {"value": True}, {"value": {"email": True}}, []])
def test_a_row_without_words_is_no_consent(told: object) -> None:
    assert consent_of_row(told) is None  # type: ignore[arg-type]


@pytest.mark.failure_line(38)
def test_both_moments_must_allow_it_and_a_person_who_is_gone_is_kept_back() -> None:
    """Line 38: a withdrawal since the run counts at once, a grant since waits for the next."""
    granted, refused = said(word(True)), said(word(False))
    then, before = coverage_of(granted, "email"), coverage_of(refused, "email")

    def why(covered: coverage.Coverage, now: LivePerson | None) -> Why:
        return decided("p", covered, now, ("email",)).why

    assert why(then, LivePerson(granted)) is Why.GRANTED
    assert why(then, LivePerson(refused)) is Why.WITHDRAWN
    assert why(then, LivePerson(None)) is Why.WITHDRAWN
    assert why(then, LivePerson(said(word(True), word(False, SUPPRESSED)))) is Why.SUPPRESSED
    assert why(before, LivePerson(granted)) is Why.REFUSED
    assert why(then, None) is Why.CHANGED


def test_of_several_purposes_every_one_must_be_covered() -> None:
    consent: Consent | None = said(word(True), word(True, "ads"))
    assert coverage_of_all(consent, ("email", "ads")).is_covered
    assert not coverage_of_all(consent, ("email", "profiling")).is_covered
