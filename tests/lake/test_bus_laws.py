"""Of who is suppressed the bus hears nothing: live, by runs, merged and parted."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.identity.assurance import Assurance
from stamgast.segments.changes import MembershipChange
from stamgast.segments.live.visit import Visit
from tests.lake.test_cuts import Operators, key_of
from tests.lake.test_memberships import world
from tests.lake.thorough import thorough
from tests.lake.world import NOON_MS

USER, MAIL = "u:1", "e:ada@x.nl"
BOTH = frozenset((USER, MAIL))
GOOD, BAD, SUPPRESS, LIFT, CLAIM, MERGE, CUT, RUN = (
    "good",
    "bad",
    "suppress",
    "lift",
    "claim",
    "merge",
    "cut",
    "run",
)
Step = tuple[str, str]
STEP = st.tuples(
    st.sampled_from((GOOD, GOOD, BAD, SUPPRESS, LIFT, CLAIM, RUN)), st.sampled_from((USER, MAIL))
)
STORIES = st.lists(STEP, min_size=4, max_size=7).flatmap(
    lambda steps: st.permutations([*steps, (MERGE, USER), (CUT, USER)])
)


class Story:
    """Two identifiers that are two persons or one, and what the bus was told of them."""

    def __init__(self) -> None:
        self.world = world(glad="traits.mood = 'good'")
        self.operators = Operators(self.world)
        self.said: dict[str, list[tuple[int, bool]]] = {USER: [], MAIL: []}
        self.is_one = self.is_cut = False
        self.count = 0
        self.world.tell_memberships = self.hear  # type: ignore[method-assign]
        self.heard: list[MembershipChange] = []
        for who in (USER, MAIL):
            self.send(who)

    def hear(self, changes: Sequence[MembershipChange]) -> int:
        """The law: nobody is told of who is suppressed at this moment."""
        self.heard += changes
        assert not [one for one in changes if self.is_suppressed(self.whose(one.person_id))]
        return 0

    def is_suppressed(self, identifiers: frozenset[str]) -> bool:
        """Whether some word of theirs suppresses, and none that is later lifts it."""
        said = sorted(word for who in identifiers for word in self.said[who])
        return bool(said) and said[-1][1]

    def whose(self, person_id: str) -> frozenset[str]:
        """The identifiers of whoever this person is by now."""
        now = frozenset(who for who in BOTH if self.home(who) == person_id)
        return now or (BOTH if self.is_one else frozenset())

    def home(self, who: str) -> str | None:
        homes = {key: one for one, keys in self.world.persons().items() for key in keys}
        return homes.get(key_of(who))

    def send(self, who: str, **body: Any) -> None:
        self.count += 1
        assurance = body.pop("assurance", Assurance.VERIFIED)
        names = {USER: {"userId": "1"}, MAIL: {"anonymousId": "d2"}}[who]
        address = {"email": "ada@x.nl"} if who == MAIL else {}
        told = {
            "messageId": f"m{self.count}",
            "type": "identify",
            "timestamp": NOON_MS - 100_000 + 1_000 * self.count,
            "context": body.pop("context", {}),
            "traits": {**address, **body},
            **names,
        }
        self.world.send(told, assurance=assurance, request_id=f"r{self.count}")

    def take(self, step: Step) -> None:
        what, who = step
        if what in (GOOD, BAD):
            self.send(who, mood=what)
        elif what in (SUPPRESS, LIFT):
            self.said[who].append((self.count, what == SUPPRESS))
            self.send(who, context={"consent": {"suppressed": what == SUPPRESS}})
        elif what == CLAIM:
            lifted = {"consent": {"suppressed": False}}
            self.send(who, context=lifted, assurance=Assurance.CLAIMED)
        elif what == MERGE and not self.is_cut:
            self.is_one = True
            self.send(USER, email="ada@x.nl")
        elif what == CUT and self.is_one:
            self.is_one, self.is_cut = False, True
            self.operators.cut(USER, MAIL)
        elif what == RUN:
            self.world.run()


def holds(steps: Sequence[Step]) -> Story:
    story = Story()
    for step in (*steps, (RUN, USER)):
        story.take(step)
    return story


@pytest.mark.failure_line(38)
@thorough(2)
@given(STORIES)
def test_the_bus_hears_nothing_of_who_is_suppressed(steps: list[Step]) -> None:
    """Line 38: whatever was said, merged and parted, by both loops."""
    holds(steps)


@pytest.mark.deep
@pytest.mark.failure_line(38)
@thorough(200)
@given(STORIES)
def test_the_bus_hears_nothing_of_who_is_suppressed_in_many_more_stories(steps: list[Step]) -> None:
    """Line 38: the same, for many more words, merges and un-merges."""
    holds(steps)


# Both are in; then they are one person, of whom the older id stays and the other is left behind.
SUPPRESSED_THEN_MERGED: Sequence[Step] = (
    (GOOD, USER),
    (GOOD, MAIL),
    (RUN, USER),
    (SUPPRESS, USER),
    (MERGE, USER),
    (BAD, MAIL),
)
LIFTED: Sequence[Step] = ((SUPPRESS, USER), (GOOD, USER), (CLAIM, USER), (LIFT, USER), (BAD, USER))


@pytest.mark.failure_line(38)
def test_who_is_suppressed_is_told_of_again_once_lifted_and_not_of_what_was_meanwhile() -> None:
    """Line 38: what happened while nothing might be told is not told later."""
    assert [one.change for one in holds(LIFTED).heard] == ["left"]


@pytest.mark.failure_line(38)
def test_whom_a_suppressed_person_was_merged_with_is_not_told_of_either() -> None:
    """Line 38: nor is the id that the merge left behind."""
    assert [one.change for one in holds(SUPPRESSED_THEN_MERGED).heard] == ["entered", "entered"]


def ask_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Visit, "is_silenced", False)


def ask_no_heir(patch: pytest.MonkeyPatch) -> None:
    def own(visit: Visit) -> bool | None:
        return visit.one.root is not None and visit.one.root.into is None and heard(visit)

    heard = Visit.is_silenced.fget
    patch.setattr(Visit, "is_silenced", property(own))


BROKEN: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    "nobody is asked": ask_nobody,
    "who was merged away is not asked": ask_no_heir,
}


@pytest.mark.deep
@pytest.mark.parametrize("variant", BROKEN)
def test_a_bus_that_leaves_a_question_out_is_found(
    variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    BROKEN[variant](monkeypatch)
    with pytest.raises(AssertionError):
        holds(SUPPRESSED_THEN_MERGED)
