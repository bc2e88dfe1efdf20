"""Laws 1 and 2 where copies of one message come on different words: by a public and a secret key.

The first received holds, as among any copies: whatever came first to the live loop or to a run,
lake and live view then tell the same traits, links, trust and births, as well known as it said.
"""

from collections.abc import Mapping
from itertools import permutations, product
from typing import Any
from unittest import mock

import pytest

from stamgast.identity.assurance import Assurance
from stamgast_lake.loading import duplicates
from stamgast_lake.publishing import lost_copies
from tests.lake.test_laws import facts_by_person, lake_facts, lake_persons, oracle, persons_of
from tests.lake.world import NOON_MS, World, publish, resolve, unify

TOLD = (resolve, unify, publish)
Words = tuple[Assurance, Assurance]
CLAIMED, VERIFIED = Assurance.CLAIMED, Assurance.VERIFIED
BODY = {
    "messageId": "m1",
    "type": "identify",
    "userId": "u1",
    "anonymousId": "d1",
    "timestamp": NOON_MS - 10,
    "traits": {"email": "e1@x.org", "colour": "red"},
}
AFTER = {**BODY, "messageId": "m2", "timestamp": NOON_MS - 20, "traits": {"colour": "blue"}}


def say(world: World, body: Mapping[str, Any], word: Assurance, after_ms: int) -> None:
    world.send(
        body,
        request_id=f"q{after_ms}",
        received_ms=NOON_MS + after_ms,
        assurance=word,
        source_id="web",
    )


def lived(words: Words, order: tuple[int, ...], runs: tuple[int, ...]) -> World:
    """Copies on these words, received in turn, and another message; runs after some of them."""
    world = World()
    told = [(BODY, words[0], 1), (BODY, words[1], 2), (AFTER, VERIFIED, 3)]
    for place, number in enumerate(order):
        say(world, *told[number])
        if place in runs:
            world.run(TOLD)
    world.run(TOLD)
    return world


def check(world: World) -> None:
    """The lake is what the kept copies say, and the live view is the lake."""
    events = world.events()
    assert lake_persons(world) == persons_of(events)
    assert world.persons() == persons_of(events)
    assert lake_facts(world) == facts_by_person(events)
    assert world.profiles() == facts_by_person(events)
    members = {key: one for root in world.roots().values() for key, one in root.members.items()}
    assert {key: one.group for key, one in members.items()} == oracle(events).groups
    best = {
        seen.key: max(e.assurance for e in events if seen in e.identifiers)
        for event in events
        for seen in event.identifiers
    }
    assert {key: one.assurance for key, one in members.items()} == best
    pointers = world.identity.read_pointers(members)
    assert {key: one.assurance for key, one in pointers.items()} == best


WORDS = ((CLAIMED, VERIFIED), (VERIFIED, CLAIMED))
RUNS = ((), (0,), (1,), (0, 1))
HISTORIES = [*product(WORDS, permutations(range(3)), RUNS)]
# A claim that comes second, and one that a run hears of last, after all and before the rest.
SOME = [(WORDS[0], (0, 1, 2), ()), (WORDS[0], (2, 1, 0), (1,)), (WORDS[0], (1, 0, 2), (0,))]
MORE = [pytest.param(*one, marks=pytest.mark.deep) for one in HISTORIES if one not in SOME]


@pytest.mark.failure_line(1)
@pytest.mark.parametrize(("words", "order", "runs"), [*SOME, *MORE])
def test_the_copy_received_first_holds_on_whatever_word(
    words: Words, order: tuple[int, ...], runs: tuple[int, ...]
) -> None:
    """Line 1: the same event sent again, by another key, has no second effect."""
    check(lived(words, order, runs))


def test_a_load_that_does_not_ask_for_the_word_would_be_seen() -> None:
    right = "or arrival.assurance is distinct from canonical.assurance"
    assert right in duplicates.STATES
    broken = mock.patch.object(duplicates, "STATES", duplicates.STATES.replace(right, ""))
    with broken, pytest.raises(AssertionError):
        check(lived(*SOME[0]))


def test_a_run_that_doubts_the_anchor_of_a_displaced_copy_alone_would_be_seen() -> None:
    right = "coalesce(keys, [])"
    assert right in lost_copies.LOST
    broken = mock.patch.object(lost_copies, "LOST", lost_copies.LOST.replace(right, "[]"))
    with broken, pytest.raises(AssertionError):
        check(lived(*SOME[2]))


def test_such_a_copy_is_a_duplicate_as_it_says_the_same() -> None:
    world = World()
    for word, after_ms in ((CLAIMED, 1), (VERIFIED, 2)):
        say(world, BODY, word, after_ms)
    assert world.run(TOLD)["load_events"]["duplicate"] == 1
