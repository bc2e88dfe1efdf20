"""Laws 1 and 2 where a queue delivers a losing copy once more, after the run that took it back.

The load knows its receipt and counts nothing; the live loop believes it again until the next run.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any
from unittest import mock

import pytest

from stamgast_lake import begun as begun_run
from stamgast_lake import logs
from stamgast_lake.inputs import Inputs
from stamgast_lake.loading import redelivered
from stamgast_lake.loading.load import Loader
from stamgast_lake.loading.run import is_loaded
from stamgast_lake.loading.stage import Taken
from stamgast_lake.publishing import lost_copies
from stamgast_lake.runs import INPUTS, Run
from stamgast_lake.tables import (
    EVENTS,
    EVIDENCE,
    MESSAGE_INDEX,
    RAW_FILES,
    RECEIPTS,
    LakeTable,
)
from tests.fakes.lake_catalogue import CrashError, MemoryCatalogue
from tests.lake.copies import CLAIMED, TOLD, VERIFIED, Copy, check, say
from tests.lake.erasure_world import run_of
from tests.lake.test_assurance_copies import BODY
from tests.lake.thorough import seeds
from tests.lake.world import NOON_MS, World

SEEDS, MORE_SEEDS = range(1), range(1, 40)
KEPT = {**BODY, "traits": {"email": "e1@x.org"}}
OTHER = {**BODY, "anonymousId": "d2", "traits": {"colour": "red"}}
# Whom a copy alone names keeps an empty person, so all are known by messages of their own.
SEEN = {"type": "identify", "traits": {}}
KNOWN = [
    {**SEEN, "messageId": "k1", "anonymousId": "d1", "traits": {"email": "e1@x.org"}},
    {**SEEN, "messageId": "k2", "anonymousId": "d2"},
]


def begun() -> World:
    world = World()
    for n, body in enumerate(KNOWN):
        say(world, body, CLAIMED, -9 + n)
    return world


def told(kept: Copy, losing: Copy, first: bool) -> Callable[[], World]:
    """The copy that holds comes first or last, with a run after both; then the losing one again."""

    def story() -> World:
        world = begun()
        for copy in (kept, losing) if first else (losing, kept):
            say(world, *copy)
            world.run(TOLD)
        say(world, *losing)
        world.run(TOLD)
        return world

    return story


CLAIM, HELD = (KEPT, CLAIMED, 1), (KEPT, VERIFIED, 1)
VOUCHED, ANOTHER = (KEPT, VERIFIED, 2), (OTHER, VERIFIED, 2)
STORIES = [told(HELD, ANOTHER, True), told(CLAIM, VOUCHED, True)]
DISPLACED = told(HELD, ANOTHER, False)
# The earlier copy is a page's; the later one vouched for an address that pages alone name.
VOUCHED_AGAIN = told((OTHER, CLAIMED, 1), (KEPT, VERIFIED, 2), False)


@pytest.mark.failure_line(4)
@pytest.mark.parametrize("story", STORIES)
def test_a_losing_copy_that_is_delivered_again_is_taken_back_again(
    story: Callable[[], World],
) -> None:
    """Line 4: a message that comes back hours later has no second effect."""
    check(story())


@pytest.mark.parametrize("story", [DISPLACED, VOUCHED_AGAIN])
def test_so_is_one_that_an_earlier_copy_has_displaced(story: Callable[[], World]) -> None:
    check(story())


@pytest.mark.deep
@pytest.mark.parametrize(
    ("kind", "story"),
    [
        ("known.state = 'conflict'", STORIES[0]),
        ("known.is_unlike", STORIES[1]),
        ("known.state = 'stored'", DISPLACED),
    ],
)
def test_a_load_that_overlooks_a_kind_of_them_is_found_out(
    kind: str, story: Callable[[], World]
) -> None:
    assert kind in redelivered.LOSERS
    broken = redelivered.LOSERS.replace(kind, "false")
    with mock.patch.object(redelivered, "LOSERS", broken), pytest.raises(AssertionError):
        check(story())


@pytest.mark.deep
def test_a_run_that_forgets_whom_the_displaced_copy_named_is_found_out() -> None:
    right = "coalesce(dropped, [])"
    assert right in lost_copies.LOST
    broken = lost_copies.LOST.replace(right, "[]")
    with mock.patch.object(lost_copies, "LOST", broken), pytest.raises(AssertionError):
        check(VOUCHED_AGAIN())


def test_a_run_takes_up_what_a_failed_one_noted() -> None:
    assert failed_before(lost_copies.UNSETTLED) is None


@pytest.mark.deep
def test_a_run_that_reads_its_own_notes_alone_is_found_out() -> None:
    with pytest.raises(AssertionError):
        failed_before("select run_id from runs where false")


def failed_before(unsettled: str) -> None:
    """The run that loads the copy fails; the next has nothing else that is new of the person."""
    world = begun()
    for copy in (HELD, ANOTHER):
        say(world, *copy)
    world.run(TOLD)
    say(world, *ANOTHER)
    run = world.open()
    world.load(run)
    world.close(run, "failed")
    with mock.patch.object(lost_copies, "UNSETTLED", unsettled):
        world.run(TOLD)
    check(world)


LOADED = (EVENTS, RECEIPTS, EVIDENCE, MESSAGE_INDEX, RAW_FILES)


@pytest.mark.parametrize("last", [RECEIPTS, RAW_FILES], ids=lambda table: table.name)
def test_nothing_is_lost_of_a_run_that_stopped_and_left_no_row(last: LakeTable) -> None:
    """Whichever commit of the load was its last: its notes were written before the first."""
    check(stopped_after(last))


@pytest.mark.deep
@pytest.mark.parametrize("last", LOADED, ids=lambda table: table.name)
def test_nothing_is_lost_whichever_commit_was_the_last(last: LakeTable) -> None:
    check(stopped_after(last))


@pytest.mark.deep
def test_a_load_that_notes_once_all_is_committed_is_found_out() -> None:
    with mock.patch("tests.lake.world.Loader", NotesLate), pytest.raises(AssertionError):
        check(stopped_after(RAW_FILES))


@pytest.mark.deep
def test_an_opening_that_closes_nobody_is_found_out() -> None:
    with mock.patch.object(begun_run, "_begun", return_value=None), pytest.raises(AssertionError):
        check(stopped_after(RAW_FILES))


@pytest.mark.parametrize("last", [EVENTS, RAW_FILES], ids=lambda table: table.name)
def test_what_a_stopped_run_displaced_goes_from_lake_and_live_view(last: LakeTable) -> None:
    """Evidence that is gone is no news: the next run reads all of it once more."""
    check(stopped_after(last, [ANOTHER], HELD))


@pytest.mark.deep
def test_a_run_that_is_owed_nothing_by_one_without_figures_is_found_out() -> None:
    right = "or stage = 'run' and"
    assert right in logs.OWED
    broken = logs.OWED.replace(right, "or false and")
    with mock.patch.object(logs, "OWED", broken), pytest.raises(AssertionError):
        check(stopped_after(RAW_FILES, [ANOTHER], HELD))


class NotesLate(Loader):
    """It notes what it saw when the last commit is made, as it was once."""

    def load(self, taken: Sequence[Taken]) -> dict[str, int]:
        figures = Loader.load(replace(self, note=lambda _: None), taken)
        self.note(self.connection)
        return figures


def stopped_after(
    last: LakeTable, loaded: Sequence[Copy] = (HELD, ANOTHER), then: Copy = ANOTHER
) -> World:
    """The run that loads the copy stops after this commit, with no row; the next finds no more."""
    world = begun()
    for copy in loaded:
        say(world, *copy)
    world.run(TOLD)
    say(world, *then)
    run, had = opened(world), world.loaded
    with stopping(last), pytest.raises(CrashError):
        world.load(run)
    if not is_loaded(world.lake, run.run_id):
        world.loaded = had
        world.load(run)  # the next run's load finishes it first
    begun_run.close_left(world.lake, run_of(world.seq + 1, world.now_ms), run.moment)
    world.run(TOLD)
    return world


def opened(world: World) -> Run:
    """A run as the opening leaves it: with its inputs, and named as the one that was begun."""
    run = world.open()
    at = run.moment.isoformat()
    inputs = Inputs(run.run_id, run.seq, at, world.workspace.version, False, (), ())
    world.lake.put_document(run.run_id, INPUTS, inputs.to_json())
    begun_run.begin(world.lake, run)
    return run


@contextmanager
def stopping(last: LakeTable) -> Iterator[None]:
    """The process ends once this table is committed."""
    right = MemoryCatalogue.replace

    def replace(self: MemoryCatalogue, table: LakeTable, *told: Any) -> int:
        written = right(self, table, *told)
        if table is last:
            raise CrashError
        return written

    with mock.patch.object(MemoryCatalogue, "replace", replace):
        yield


def lived(random: Random) -> World:
    """Few messages with copies of all kinds, some delivered up to three times, runs in between."""
    world, copies = begun(), list[Copy]()
    for after_ms in range(1, 9):
        body = {**random.choice((KEPT, OTHER)), "messageId": f"m{random.randrange(3)}"}
        sent = {"sentAt": NOON_MS} if random.random() < 0.3 else {}
        word = random.choice((CLAIMED, VERIFIED))
        copies.append(({**body, **sent}, word, after_ms))
    for copy in [*copies, *random.sample(copies * 2, 8)]:
        say(world, *copy)
        if random.random() < 0.3:
            world.run(TOLD)
    world.run(TOLD)
    return world


@pytest.mark.parametrize("seed", seeds(SEEDS, MORE_SEEDS))
def test_whatever_is_delivered_again_a_run_makes_the_live_view_what_the_lake_is(seed: int) -> None:
    check(lived(Random(seed)))
