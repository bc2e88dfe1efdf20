"""What a run said of two as of one person leaves by no door once the two are parted."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from stamgast.egress import decision
from stamgast.identity.assurance import Assurance
from stamgast_aws import identity_jobs
from stamgast_lake.exports import parts, select
from stamgast_lake.logs import see
from stamgast_lake.publishing.parted_since import PartedSince
from stamgast_lake.rules import preview, preview_answer
from tests.lake.test_computed_traits import workspace
from tests.lake.test_consent_laws import CUT, MAIL, MERGE, RUN, USER, Say
from tests.lake.test_door_laws import ALL, CITY, MAILER, Step, Story
from tests.lake.world import evaluate, publish, resolve, unify

DELFT, GOUDA = CITY[USER], CITY[MAIL]
# Only one of them ever allowed anything, and is one person with the other at the run.
PARTED: Sequence[Step] = (Say(MAIL, is_granted=True), MERGE, RUN, CUT)


TRAITS = """
traits:
  places:
    making: unique_list
    value: properties.place
"""


class Visits(Story):
    """The same two, each of whom was seen at a place; what is computed of that is shown to all."""

    def __init__(self) -> None:
        super().__init__()
        traits = workspace(TRAITS).traits
        self.world.workspace = replace(self.world.workspace, traits=traits)
        for who in (USER, MAIL):
            place = {"place": CITY[who]}
            self.send(who, Assurance.VERIFIED, type="track", event="Seen", properties=place)
        self.readers["mailer"] = replace(MAILER, purposes=())

    def shown(self, who: str) -> str:
        body: dict[str, Any] = {"include": ALL, "identifiers": [who]}
        return self.look(self.readers["mailer"], "POST", "/v1/profiles:lookup", body)


def told(*steps: Step, made: type[Story] = Story) -> Any:
    story = made()
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


@pytest.mark.failure_line(38)
def test_nothing_computed_of_both_is_shown_of_either() -> None:
    """Line 38: it is gone at once, and comes back from a run that knows the cut."""
    story = told(made=Visits)
    assert not [who for who in (USER, MAIL) if '"places"' in story.shown(who)]
    story.take(RUN)
    assert (GOUDA in story.shown(MAIL), DELFT in story.shown(MAIL)) == (True, False)
    assert (DELFT in story.shown(USER), GOUDA in story.shown(USER)) == (True, False)


@pytest.mark.deep
def test_computed_traits_that_outlive_a_cut_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity_jobs, "EVALUATED", ("M#", "R#", "S#"))
    assert DELFT in told(made=Visits).shown(MAIL)


def cut_in_the_middle_of_a_run() -> Visits:
    """The run has made of both all that it says of one, and publishes it after the cut."""
    story = Visits()
    for step in PARTED[:-1]:
        story.take(step)
    story.send(USER, Assurance.VERIFIED, type="track", event="Order Completed")
    elsewhere = {"place": "Utrecht"}
    story.send(USER, Assurance.VERIFIED, type="track", event="Seen", properties=elsewhere)
    run = story.world.open()
    load = story.world.load(run)
    for stage in (resolve, unify, evaluate):
        stage(story.world, run, load)
    story.take(CUT)
    publish(story.world, run, load)
    story.world.close(run)
    return story


def said_by_runs(story: Visits) -> set[str]:
    items = story.world.dynamodb.scan(TableName="profiles")["Items"]
    rows = {item["SK"]["S"] for item in items if "run" in item and item["PK"]["S"][:2] == "P#"}
    return {row[0] for row in rows} & {"R", "T"}


@pytest.mark.failure_line(38)
def test_a_run_that_is_overtaken_by_a_cut_tells_of_neither() -> None:
    """Line 38: what it wrote after the cut goes again, and comes back from the next."""
    story = cut_in_the_middle_of_a_run()
    assert (said_by_runs(story), '"places"' in story.shown(MAIL)) == (set(), False)
    story.take(RUN)
    assert said_by_runs(story) == {"R", "T"}
    assert (GOUDA in story.shown(MAIL), DELFT in story.shown(MAIL)) == (True, False)


@pytest.mark.deep
def test_a_run_that_does_not_look_for_cuts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PartedSince, "of", lambda *_: frozenset())
    story = cut_in_the_middle_of_a_run()
    assert (said_by_runs(story), DELFT in story.shown(MAIL)) == ({"R", "T"}, True)


def test_an_export_that_the_version_before_began_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    read = parts.read_part
    older = lambda *told: read(*told).drop_columns(["members"])  # noqa: E731
    monkeypatch.setattr(parts, "read_part", older)
    assert GOUDA in told(RUN).exported("csv")


def takes_whoever_bears_the_id(patch: pytest.MonkeyPatch) -> None:
    for door in (parts, preview_answer):
        patch.setattr(door, "unparted", lambda live, _: dict(live))


def reads_a_run_that_has_not_ended(patch: pytest.MonkeyPatch) -> None:
    for door in (select, preview):
        patch.setattr(door, "see_settled", see)


@pytest.mark.deep
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
