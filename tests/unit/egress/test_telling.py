"""A segment with a purpose tells of those who allow it; each decision is kept before."""

from collections.abc import Sequence

import pytest

from stamgast.consent.purposes import SUPPRESSED, Purpose, Purposes
from stamgast.egress.decision import LivePerson, Why
from stamgast.egress.disclosure import Disclosure
from stamgast.egress.telling import ConsentedTelling
from stamgast.segments.changes import MembershipChange
from stamgast.store_error import StoreError
from tests.fakes.consents import said, word

PURPOSES = Purposes({"email": Purpose("email", ("segments.late", "events"))})
PEOPLE = {
    "yes": LivePerson(said(word(True))),
    "no": LivePerson(said(word(True), word(False, at_ms=9))),
    "unasked": LivePerson(None),
    "hushed": LivePerson(said(word(True), word(False, SUPPRESSED))),
}


class World:
    """Who is told of what, and what was kept."""

    def __init__(self, purposes: Purposes = PURPOSES) -> None:
        self.told: list[MembershipChange] = []
        self.kept: dict[str, Disclosure] = {}
        self.is_down = False
        self.telling = ConsentedTelling(
            self.tell, self, {"late": "email"}, purposes, self.keep, lambda: 7, "event_bus"
        )

    def read(self, person_ids: Sequence[str], _: frozenset[str]) -> dict[str, LivePerson]:
        return {one: PEOPLE[one] for one in person_ids if one in PEOPLE}

    def tell(self, changes: Sequence[MembershipChange]) -> int:
        self.told += changes
        return 0

    def keep(self, told: Sequence[tuple[str, Disclosure]]) -> None:
        if self.is_down:
            raise StoreError("down")
        self.kept |= dict(told)


def entered(person_id: str, segment: str = "late") -> MembershipChange:
    return MembershipChange(person_id, segment, "entered", "v", 5, "facts")


@pytest.mark.failure_line(38)
def test_only_those_who_allow_it_are_told_and_everybody_has_a_row() -> None:
    """Line 38: no record, a withdrawal, a person who is gone: nothing leaves."""
    world = World()
    changes = [entered(who) for who in (*PEOPLE, "gone")]
    assert world.telling(changes) == 0
    assert [one.person_id for one in world.told] == ["yes"]
    reasons = {one.person_id: one.reason for one in world.kept.values()}
    assert reasons == {
        "yes": Why.GRANTED,
        "no": Why.REFUSED,
        "unasked": Why.UNKNOWN,
        "hushed": Why.SUPPRESSED,
        "gone": Why.CHANGED,
    }
    assert world.kept.keys() == {one.change_id for one in changes}


def test_a_segment_without_a_purpose_is_told_as_ever_and_that_is_a_row() -> None:
    world = World()
    world.telling([entered("unasked", "plain")])
    world.telling.of_unsilenced([entered("yes", "plain")])
    assert len(world.told) == len(world.kept) == 2
    for one in world.kept.values():
        assert (one.reason, one.is_allowed, one.purpose) == (Why.UNSTATED, True, None)
        assert one.fields
    world.is_down = True
    assert world.telling.of_unsilenced([entered("no", "plain")]) == 1
    assert len(world.told) == 2


@pytest.mark.failure_line(38)
@pytest.mark.parametrize("segment", ["late", "plain"])
def test_of_who_is_suppressed_nothing_is_told_whether_or_not_a_purpose_is_stated(
    segment: str,
) -> None:
    """Line 38: and why is kept."""
    world = World()
    world.telling([entered("hushed", segment)])
    assert not world.told
    (kept,) = world.kept.values()
    assert (kept.reason, kept.is_allowed, kept.fields) == (Why.SUPPRESSED, False, ())


def test_what_is_withheld_is_kept_and_told_to_nobody() -> None:
    world = World()
    assert world.telling.withhold([entered("hushed", "plain"), entered("gone", "plain")]) == 0
    assert not world.told
    assert [one.reason for one in world.kept.values()] == [Why.SUPPRESSED, Why.CHANGED]
    world.is_down = True
    assert world.telling.withhold([entered("hushed", "plain")]) == 1


@pytest.mark.parametrize("covers", [("segments",), ("events",), ("segments.other", "events")])
def test_a_purpose_that_does_not_cover_the_bus_or_the_segment_tells_nobody(
    covers: tuple[str, ...],
) -> None:
    world = World(Purposes({"email": Purpose("email", covers)}))
    world.telling([entered("yes")])
    assert not world.told
    assert {one.reason for one in world.kept.values()} == {Why.NOT_COVERED}


def test_what_cannot_be_kept_is_not_told() -> None:
    world = World()
    world.is_down = True
    assert world.telling([entered("yes")]) == 1
    assert not world.told
