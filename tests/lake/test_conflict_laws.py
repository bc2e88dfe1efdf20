"""Law 2 where copies of a message differ: after a run the live view tells the copy that holds.

Random histories of few messages, each with copies that name other people, times and events, in any
order and batches, with runs in between; whichever run learns that a copy lost, and however late.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any
from unittest import mock

import pytest

from stamgast.profile.facts import NOTHING
from stamgast.profile.registers import canonical
from stamgast.profile.steps import is_worth_publishing, read_facts
from stamgast.profile.timeline import Entry, entry_of
from stamgast.profile.timeline_items import place_of
from stamgast_lake.engine import session
from stamgast_lake.publishing import anchors as publishing_anchors
from stamgast_lake.publishing import lost_copies
from stamgast_lake.publishing import timeline as publishing_timeline
from stamgast_lake.query import LakeSession
from tests.lake.copies import TOLD, facts_of_anchors
from tests.lake.world import NOON_MS, TIMELINE_DAYS, World

HOUR_MS = 3_600_000
SEEDS, MORE_SEEDS = range(2), range(2, 80)
Line = tuple[str, str, str]


def copies(random: Random) -> list[tuple[Mapping[str, Any], int]]:
    """Bodies with the moments of their receipt; the day of a message's copies is the same."""
    told = []
    for number in range(random.randrange(1, 5)):
        for _ in range(random.choice((1, 2, 2, 3, 4))):
            body: dict[str, Any] = {
                "messageId": f"m{number}",
                "type": "track",
                "event": random.choice(("Seen", "Order Completed")),
                "userId": f"u{random.randrange(3)}",
                "timestamp": NOON_MS - random.randrange(3) * HOUR_MS,
                "properties": {"revenue": random.randrange(3), "currency": "EUR"},
            }
            told.append((body, NOON_MS + random.randrange(8)))
    random.shuffle(told)
    return told


def lived(seed: int) -> World:
    """Copies one by one, some of them delivered twice, with runs in between and one at the end."""
    random, world = Random(seed), World()
    for number, (body, received_ms) in enumerate(copies(random)):
        for _ in range(random.choice((1, 1, 2))):
            world.send(body, request_id=f"q{number}", received_ms=received_ms, source_id="web")
        if random.random() < 0.4:
            world.run(TOLD)
    world.run(TOLD)
    return world


def anchors(world: World) -> set[str]:
    items = world.dynamodb.items("profiles")
    return {i["PK"]["S"][2:] for i in items if i["PK"]["S"].startswith("I#")}


def told_of(line: Entry) -> str:
    return f"{line.name} {canonical(line.summary).decode()}"


def lines(world: World) -> set[Line]:
    """Every line that a reader sees."""
    return {
        (anchor, place_of(line), told_of(line))
        for anchor in anchors(world)
        for line in world.facts.entries(anchor, world.now_ms)
    }


def check(world: World) -> None:
    events = world.events()
    told = [(event.anchor, entry_of(event, TIMELINE_DAYS)) for event in events]
    expected = {(a, place_of(one), told_of(one)) for a, one in told}
    assert lines(world) == expected
    facts = read_facts(world.facts, sorted(anchors(world)), lambda _: None)
    assert {anchor: one for anchor, one in facts.items() if one != NOTHING} == facts_of_anchors(
        events
    )


@pytest.mark.failure_line(3)
@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_run_the_live_view_tells_the_copy_that_holds_and_no_other(seed: int) -> None:
    """Line 3: the first is kept, whichever came first to the live loop or to a run."""
    check(lived(seed))


@pytest.mark.deep
@pytest.mark.parametrize("seed", MORE_SEEDS)
def test_so_it_does_after_many_more_histories(seed: int) -> None:
    check(lived(seed))


def told_twice_at_once() -> World:
    """Two copies that the live loop believed, one run, and the losing one once more."""
    world = World()
    world.send(seen(1, "u1", 0), request_id="q1", received_ms=NOON_MS)
    world.send(seen(1, "u2", 1), request_id="q2", received_ms=NOON_MS + 5)
    world.run(TOLD)
    world.send(seen(1, "u2", 1), request_id="q2", received_ms=NOON_MS + 5)
    return world


def told_earlier_later() -> World:
    """A copy that was received before the one that a run has stored."""
    world = World()
    world.send(seen(1, "u2", 1), request_id="q1", received_ms=NOON_MS + 5)
    world.run(TOLD)
    world.send(seen(1, "u1", 2), request_id="q2", received_ms=NOON_MS)
    world.run(TOLD)
    return world


def test_a_copy_that_comes_again_after_the_run_that_took_it_back_stays_taken_back() -> None:
    world = told_twice_at_once()
    check(world)
    assert len(lines(world)) == 1


@pytest.mark.deep
@pytest.mark.parametrize(
    ("right", "wrong", "story"),
    [
        ("where state = 'conflict'\n           or", "where", told_twice_at_once),
        ("where kept.state = 'stored' and", "where false and", told_earlier_later),
    ],
)
def test_a_run_that_overlooks_a_kind_of_lost_copy_is_found_out(
    right: str, wrong: str, story: Callable[[], World]
) -> None:
    assert right in lost_copies.LOST
    broken = lost_copies.LOST.replace(right, wrong)
    with mock.patch.object(lost_copies, "LOST", broken), pytest.raises(AssertionError):
        check(story())


@pytest.mark.deep
def test_a_run_whose_word_the_live_loop_overwrites_is_found_out() -> None:
    def as_live(line: Any, **told: Any) -> Any:
        return replace(line, **{**told, "run": 0})

    broken = mock.patch.object(publishing_timeline, "replace", as_live)
    with broken, pytest.raises(AssertionError):
        check(told_twice_at_once())


def seen(number: int, user: str, hours: int) -> dict[str, Any]:
    """An event like any other but for its message, its person and its time."""
    told = {"messageId": f"m{number}", "type": "track", "event": "Seen", "userId": user}
    return {**told, "timestamp": NOON_MS - hours * HOUR_MS}


def alike() -> World:
    """A losing copy that counts like an event by file which only the same run brings."""
    world = World()
    for number, body in enumerate((seen(1, "u2", 3), seen(2, "u2", 1), seen(3, "u1", 2))):
        world.send(body, request_id=f"q{number}")
    world.send(seen(3, "u2", 2), request_id="q3", received_ms=NOON_MS + 1)
    world.put_file(seen(4, "u2", 2), source_id="web")
    world.run(TOLD)
    world.put_file(seen(5, "u2", 2), source_id="web", request_id="import-g")
    world.run(TOLD)
    return world


def test_a_losing_copy_goes_even_where_a_reader_sees_as_many_events_as_there_should_be() -> None:
    check(alike())


@pytest.mark.deep
def test_a_run_that_leaves_a_losing_copy_where_the_numbers_agree_is_found_out() -> None:
    def by_numbers(*told: Any) -> bool:
        return is_worth_publishing(*told[:4])

    broken = mock.patch.object(publishing_anchors, "is_worth_publishing", by_numbers)
    with broken, pytest.raises(AssertionError):
        check(alike())


def current_anchors(world: World) -> list[dict[str, Any]]:
    with session() as engine:
        lake = LakeSession(engine, world.catalogue, None, "")  # type: ignore[arg-type]
        return lake.rows("select anchor_key, events from anchors_current")


def test_an_anchor_whose_only_event_was_displaced_is_current_no_more() -> None:
    """As after a rebuild from raw, which never gave it one."""
    world = told_earlier_later()
    check(world)
    [event] = world.events()
    assert current_anchors(world) == [{"anchor_key": event.anchor, "events": 1}]


def test_a_copy_that_claims_another_day_gets_its_line_and_takes_the_other_one_away() -> None:
    world = World()
    world.send(seen(1, "u2", 26), request_id="q1", received_ms=NOON_MS + 5)
    world.run(TOLD)
    world.send(seen(1, "u2", 200), request_id="q2", received_ms=NOON_MS)
    world.run(TOLD)
    check(world)
    assert len(lines(world)) == 1
