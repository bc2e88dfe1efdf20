"""Law 1 where an event comes more than once, and each time at another time.

Without a time of its own it happened when it was received; with one, and a client that says when it
sent it, as long before its receipt as before the sending. So copies that say the same differ in
time: after a run lake and live view tell the first one received, in whichever order they came.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any
from unittest import mock

import pytest

from stamgast.profile.ring import RING_SIZE
from stamgast_lake.publishing import lost_copies, timeline
from stamgast_lake.runs import Run
from tests.lake.test_conflict_laws import TOLD, anchors, check
from tests.lake.world import NOON_MS, Stage, World, resolve, unify

SEEDS = range(20)
REFUSAL = {"consents": {"ads": False}}


def said(number: int, **told: Any) -> Mapping[str, Any]:
    """What one person says without a time: a colour, or whatever is told."""
    body = {"messageId": f"m{number}", "type": "identify", "userId": "u1", "anonymousId": "d0"}
    return {**body, "traits": {"colour": f"c{number}"}, **told}


def send(world: World, body: Mapping[str, Any], after_ms: int) -> None:
    """A receipt of its own, which the live loop takes now, whenever it was received."""
    request_id = f"q{len(world.archive.lines)}"
    world.send(body, request_id=request_id, received_ms=NOON_MS + after_ms, source_id="web")


def told_again(stages: Sequence[Stage] = TOLD) -> World:
    """A run has the first copy of one message and the later one of another; then comes the rest."""
    world = World()
    for number, after_ms in ((1, 1), (2, 2), (3, 5), (4, 4)):
        send(world, said(number), after_ms)
    world.run(TOLD)
    send(world, said(1), 6)
    send(world, said(3), 3)
    world.run(stages)
    return world


def lived(seed: int) -> World:
    """Few messages, each some copies, some with a time, in any order with runs in between."""
    random, world = Random(seed), World()
    bodies = [said(n, anonymousId=f"d{n % 2}") for n in range(4)]
    bodies += [said(4, traits=REFUSAL), said(5, type="track", event="Seen", traits={})]
    bodies += [said(n, timestamp=NOON_MS - 5 * n) for n in (6, 7, 8)]
    for after_ms in random.sample(range(1, 50), 14):
        body = random.choice(bodies)
        sent_ms = random.choice((NOON_MS - 50, NOON_MS + after_ms - random.randrange(5)))
        send(world, {**body, "sentAt": sent_ms} if random.random() < 0.5 else body, after_ms)
        if random.random() < 0.3:
            world.run(TOLD)
    world.run(TOLD)
    return world


def check_links(world: World) -> None:
    """A live link is as old as the oldest kept copy that bears it out."""
    told: dict[tuple[str, str], int] = {}
    for event in world.events():
        for other in event.identifiers[1:]:
            pair = (event.identifiers[0].key, other.key)
            told[pair] = min(event.event_ms, told.get(pair, event.event_ms))
    edges = [edge for key in anchors(world) for edge in world.identity.edges_from(key)]
    assert {edge.pair: edge.support.event_ms for edge in edges} == told


@pytest.mark.failure_line(4)
def test_a_copy_received_later_changes_nothing_that_is_told() -> None:
    """Line 4: no second effect in the profile, and none in the timeline."""
    world = told_again()
    check(world)
    check_links(world)


def told_after_many() -> World:
    """A run has a colour and a newer one; then come as many events as the ring knows, and between
    two runs without any other news the same bytes of the first: sent at noon, received later."""
    world = World()
    sent = {"sentAt": NOON_MS}
    first = said(0, timestamp=NOON_MS - 10, **sent)
    send(world, first, 0)
    send(world, said(1, timestamp=NOON_MS - 5, **sent), 0)
    for n in range(2, 2 + RING_SIZE):
        send(world, said(n, timestamp=NOON_MS - 4, type="track", event="Seen", traits={}), 0)
    world.run(TOLD)
    send(world, first, 1_000)
    world.run(TOLD)
    return world


@pytest.mark.failure_line(4)
def test_the_same_bytes_long_after_outrank_nothing_that_is_newer() -> None:
    """Line 4: nor do they get a line of their own."""
    check(told_after_many())


@pytest.mark.deep
@pytest.mark.parametrize(
    ("right", "wrong", "story"),
    [
        ("state = 'duplicate' and", "false and", told_again),
        ("state = 'duplicate' and", "sent_on = date '1970-01-01' and", told_after_many),
        ("and older.state = 'stored'", "and older.payload_hash <> kept.payload_hash", told_again),
    ],
)
def test_a_run_that_takes_such_copies_for_one_another_is_found_out(
    right: str, wrong: str, story: Callable[[], World]
) -> None:
    assert right in lost_copies.LOST
    broken = lost_copies.LOST.replace(right, wrong)
    with mock.patch.object(lost_copies, "LOST", broken):
        world = story()
    with pytest.raises(AssertionError):
        check(world)


@pytest.mark.deep
def test_copies_that_tell_the_same_time_are_no_news() -> None:
    """What a client without a clock of its own sends again costs a publish nothing."""
    world = World()
    body = said(1, timestamp=NOON_MS - 5)
    send(world, body, 1)
    world.run(TOLD)
    send(world, body, 2)
    assert world.run(TOLD)["publish"].get("timeline_corrected", 0) == 0


def page_by_page(world: World, run: Run, _load: dict[str, int]) -> Mapping[str, int]:
    """Publishing by a function that is out of time after each page."""
    told = world.publish(run, is_late=lambda: True)
    while told.left is not None:
        told = world.publish(run, told.left, figures=told.figures, is_late=lambda: True)
    figures: Mapping[str, int] = told.figures
    return figures


@pytest.mark.deep
def test_what_is_taken_back_is_gone_on_with_where_time_ran_out() -> None:
    counted = []

    def counts(world: World, run: Run, load: dict[str, int]) -> Mapping[str, int]:
        counted.append(page_by_page(world, run, load)["timeline_corrected"])
        return {}

    with mock.patch.object(timeline, "ENTRIES_AT_ONCE", 1):
        check(told_again((resolve, unify, counts)))
    assert counted == [4], "a void and a line for each of two messages, once"


@pytest.mark.deep
@pytest.mark.parametrize("seed", SEEDS)
def test_copies_of_other_times_come_in_any_order(seed: int) -> None:
    world = lived(seed)
    check(world)
    check_links(world)
