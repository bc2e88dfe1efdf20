"""Laws 1 and 2 where copies of one message come on different words: by a public and a secret key.

The first received holds, as among any copies: whatever came first to the live loop or to a run,
lake and live view then tell the same traits, links, trust and births, as well known as it said.
"""

from itertools import permutations, product
from unittest import mock

import pytest

from stamgast.identity.assurance import Assurance
from stamgast_lake.loading import duplicates
from stamgast_lake.publishing import lost_copies
from tests.lake.copies import CLAIMED, TOLD, VERIFIED, check, say
from tests.lake.world import NOON_MS, World

Words = tuple[Assurance, Assurance]
BODY = {
    "messageId": "m1",
    "type": "identify",
    "userId": "u1",
    "anonymousId": "d1",
    "timestamp": NOON_MS - 10,
    "traits": {"email": "e1@x.org", "colour": "red"},
}
AFTER = {**BODY, "messageId": "m2", "timestamp": NOON_MS - 20, "traits": {"colour": "blue"}}


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


@pytest.mark.deep
def test_a_load_that_does_not_ask_for_the_word_would_be_seen() -> None:
    right = "or arrival.assurance is distinct from canonical.assurance"
    assert right in duplicates.STATES
    broken = mock.patch.object(duplicates, "STATES", duplicates.STATES.replace(right, ""))
    with broken, pytest.raises(AssertionError):
        check(lived(*SOME[0]))


@pytest.mark.deep
def test_a_run_that_doubts_the_anchor_of_a_displaced_copy_alone_would_be_seen() -> None:
    right = "coalesce(kept.identifiers, [])"
    assert right in lost_copies.LOST
    broken = mock.patch.object(lost_copies, "LOST", lost_copies.LOST.replace(right, "[]"))
    with broken, pytest.raises(AssertionError):
        check(lived(*SOME[2]))


def test_such_a_copy_is_a_duplicate_as_it_says_the_same() -> None:
    world = World()
    for word, after_ms in ((CLAIMED, 1), (VERIFIED, 2)):
        say(world, BODY, word, after_ms)
    assert world.run(TOLD)["load_events"]["duplicate"] == 1
