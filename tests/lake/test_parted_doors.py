"""What a run said of two as of one person leaves by no door once the two are parted."""

from collections.abc import Callable, Sequence

import pytest

from stamgast.egress import decision
from stamgast_lake.exports import parts, select
from stamgast_lake.logs import see
from stamgast_lake.rules import preview, preview_answer
from tests.lake.test_consent_laws import CUT, MAIL, MERGE, RUN, USER, Say
from tests.lake.test_door_laws import CITY, Step, Story
from tests.lake.world import resolve

DELFT, GOUDA = CITY[USER], CITY[MAIL]
# Only one of them ever allowed anything, and is one person with the other at the run.
PARTED: Sequence[Step] = (Say(MAIL, is_granted=True), MERGE, RUN, CUT)


def told(*steps: Step) -> Story:
    story = Story()
    for step in (*PARTED, *steps):
        story.take(step)
    return story


def in_the_middle_of_a_run() -> Story:
    """The next run knows who is whom, and has made no profile anew."""
    story = told()
    run = story.world.open()
    resolve(story.world, run, story.world.load(run))
    return story


def by_everybody(story: Story) -> str:
    """What the doors tell that read what a run left."""
    return story.exported("csv") + story.asked("preview", segment="everybody", sample=10)


def names_of(story: Story, text: str) -> set[str]:
    return {who for who in (USER, MAIL) if story.home(who) in text}


@pytest.mark.failure_line(38)
@pytest.mark.parametrize("story", [told, in_the_middle_of_a_run])
def test_who_was_parted_waits_for_a_run_that_knows_it(story: Callable[[], Story]) -> None:
    """Line 38: one granted, and the other's words stood under the same id."""
    found = story()
    text = by_everybody(found)
    assert (DELFT in text, GOUDA in text, names_of(found, text)) == (False, False, set())


@pytest.mark.failure_line(38)
def test_after_a_run_that_knows_it_each_is_asked_for_themselves() -> None:
    """Line 38: who allows it is told again, of themselves alone."""
    found = told(RUN)
    text = by_everybody(found)
    assert (DELFT in text, GOUDA in text, names_of(found, text)) == (False, True, {MAIL})


def test_a_receipt_says_that_the_person_is_another() -> None:
    story = told()
    body = {"segment": "everybody", "purpose": "email", "fields": ["traits.city"]}
    assert story.counter.ask("export", body, "mailer").body["answer"]["reasons"] == {
        decision.Why.CHANGED: 1
    }


def takes_whoever_bears_the_id(patch: pytest.MonkeyPatch) -> None:
    for door in (parts, preview_answer):
        patch.setattr(door, "unparted", lambda live, _: dict(live))


def reads_a_run_that_has_not_ended(patch: pytest.MonkeyPatch) -> None:
    for door in (select, preview):
        patch.setattr(door, "see_settled", see)


@pytest.mark.parametrize(
    ("broken", "story"),
    [
        (takes_whoever_bears_the_id, told),
        (reads_a_run_that_has_not_ended, in_the_middle_of_a_run),
    ],
)
def test_a_door_that_does_not_wait_is_found(
    broken: Callable[[pytest.MonkeyPatch], None],
    story: Callable[[], Story],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken(monkeypatch)
    found = story()
    text, sample = found.exported("csv"), found.asked("preview", segment="everybody", sample=10)
    assert (DELFT in text, names_of(found, sample)) == (True, {MAIL})
