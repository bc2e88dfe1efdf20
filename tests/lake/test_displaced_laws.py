"""Law 2 where copies of one message name other people: whom a losing copy named is known no better.

Random histories under limits, on any word, in any order with runs in between, and the shortest that
failed: a displaced copy leaves no word behind, nor does one whom nobody else had named until then.
"""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any
from unittest import mock

import pytest

from stamgast.identity.birth import Birth
from stamgast_lake import begun as begun_run
from stamgast_lake.engine import session
from stamgast_lake.loading import load, redelivered
from stamgast_lake.loading.audit import audit
from stamgast_lake.publishing import lost_copies
from stamgast_lake.tables import EVENTS, EVIDENCE, MESSAGE_INDEX, LakeTable
from tests.fakes.lake_catalogue import CrashError
from tests.lake.copies import CLAIMED, TOLD, VERIFIED, check, say
from tests.lake.erasure_world import run_of
from tests.lake.test_redelivered_laws import opened, stopping
from tests.lake.thorough import seeds
from tests.lake.world import NOON_MS, World

SEEDS, MORE_SEEDS = (44,), range(150)


def named(number: int, user: str, **told: Any) -> dict[str, Any]:
    """A message of a user, with whatever else it names."""
    mail = {"traits": {"email": told.pop("email")}} if "email" in told else {}
    body = {"messageId": f"m{number}", "type": "identify", "userId": user, "timestamp": NOON_MS}
    return {**body, **mail, **told}


def any_copy(random: Random, number: int) -> dict[str, Any]:
    """A message that names some of few users, addresses and devices."""
    body: dict[str, Any] = {"messageId": f"m{number}", "type": "identify", "traits": {}}
    if random.random() < 0.6:
        body["userId"] = f"u{random.randrange(4)}"
    if random.random() < 0.6 or "userId" not in body:
        body["anonymousId"] = f"d{random.randrange(3)}"
    if random.random() < 0.5:
        body["traits"] = {"email": f"e{random.randrange(3)}@x.org"}
    return {**body, "timestamp": NOON_MS - random.randrange(4)}


def lived(seed: int) -> World:
    """Few messages, each of up to three copies, in any order, with runs in between."""
    random, world = Random(seed), World()
    copies = [
        (any_copy(random, number), random.choice((CLAIMED, VERIFIED)))
        for number in range(random.randrange(2, 6))
        for _ in range(random.choice((1, 1, 2, 3)))
    ]
    received = random.sample(range(1, 90), len(copies))
    told = list(zip(copies, received, strict=True))
    random.shuffle(told)
    for (body, word), after_ms in told:
        say(world, body, word, after_ms)
        if random.random() < 0.35:
            world.run(TOLD)
    world.run(TOLD)
    return world


@pytest.mark.parametrize("seed", seeds(SEEDS, MORE_SEEDS))
def test_after_a_run_everybody_is_known_as_well_as_the_kept_copies_say(seed: int) -> None:
    check(lived(seed))


def vouched_by_a_displaced_copy() -> World:
    """A server names an address that else is only claimed; an earlier copy does not name it."""
    world = World()
    say(world, named(1, "u2", email="e0@x.org"), CLAIMED, 1)
    say(world, named(2, "u0", email="e0@x.org"), VERIFIED, 5)
    world.run(TOLD)
    say(world, named(2, "u1"), VERIFIED, 3)
    world.run(TOLD)
    return world


def named_by_a_losing_copy_first() -> World:
    """Nobody but a losing copy knows a user until after the run; then a page claims them."""
    world = World()
    say(world, named(1, "u0"), VERIFIED, 1)
    say(world, named(1, "u1"), VERIFIED, 2)
    world.run(TOLD)
    say(world, named(2, "u1", anonymousId="d0"), CLAIMED, 3)
    world.run(TOLD)
    return world


def audited(world: World) -> None:
    """A run that begins with the daily audit, as those of large lakes do."""
    run = opened(world)
    catalogue: Any = world.catalogue
    note = partial(redelivered.note_audited, world.lake, run.run_id)
    with session() as engine:
        found = audit(catalogue, engine, run.run_id, note)
    told = {**world.load(run), "displaced": found}
    for stage in TOLD:
        stage(world, run, told)
    world.close(run)


def stopped(last: LakeTable) -> Callable[[World], None]:
    """The audit's process ends with this commit, and its run leaves no row; then comes the next."""

    def story(world: World) -> None:
        with stopping(last), pytest.raises(CrashError):
            audited(world)
        later = run_of(world.seq + 1, world.now_ms)
        begun_run.close_left(world.lake, later, later.moment)
        audited(world)

    return story


def under_two_dates(audits: Callable[[World], None] = audited) -> World:
    """Two runs of a large lake each store a copy: their messages claim different days."""
    with mock.patch.object(load, "CHECKED_WHOLE_ROWS", 0):
        world = World()
        for day, user in enumerate(("u1", "u0")):
            told = {"timestamp": NOON_MS - 3 * 86_400_000 * day}
            say(world, named(1, user, anonymousId=f"d{day}", **told), CLAIMED, day)
            say(world, named(2 + day, user, anonymousId="d9", **told), VERIFIED, 5 + day)
            say(world, named(4 + day, "u8", anonymousId=f"d{day}", **told), CLAIMED, 7 + day)
            world.run(TOLD)
        audits(world)
    return world


def test_what_an_audit_takes_out_of_the_lake_goes_from_the_live_view() -> None:
    check(under_two_dates())


@pytest.mark.parametrize("last", [EVENTS, EVIDENCE, MESSAGE_INDEX], ids=lambda table: table.name)
def test_so_it_does_where_the_audits_run_stopped_and_left_no_row(last: LakeTable) -> None:
    """After its last commit no later audit finds the copies: what it noted is all there is."""
    check(under_two_dates(stopped(last)))


@pytest.mark.deep
@pytest.mark.parametrize(
    "broken",
    [
        mock.patch.object(begun_run, "_begun", return_value=None),
        mock.patch.object(lost_copies, "UNSETTLED", "select run_id from runs where false"),
        mock.patch.object(redelivered, "note_audited"),
    ],
    ids=["closes_nobody", "reads_its_own_notes", "notes_nothing"],
)
def test_losing_what_a_stopped_audit_noted_is_found_out(broken: Any) -> None:
    with broken, pytest.raises(AssertionError):
        check(under_two_dates(stopped(MESSAGE_INDEX)))


@pytest.mark.deep
def test_an_audit_that_notes_nothing_is_found_out() -> None:
    broken = mock.patch.object(redelivered, "note_audited")
    with broken, pytest.raises(AssertionError):
        check(under_two_dates())


@pytest.mark.failure_line(3)
@pytest.mark.parametrize("story", [vouched_by_a_displaced_copy, named_by_a_losing_copy_first])
def test_a_losing_copy_leaves_nobody_better_known_or_older(story: Callable[[], World]) -> None:
    """Line 3: the first payload is kept, and what another had said of people goes."""
    check(story())


@pytest.mark.deep
def test_a_load_that_forgets_whom_displaced_copies_named_is_found_out() -> None:
    right = "where named.key is not null"
    assert right in load.DROPPED
    broken = mock.patch.object(load, "DROPPED", load.DROPPED.replace(right, "where false"))
    with broken, pytest.raises(AssertionError):
        check(vouched_by_a_displaced_copy())


@pytest.mark.deep
def test_a_run_that_lets_void_births_stand_is_found_out() -> None:
    broken = mock.patch.object(Birth, "voided", lambda born: born)
    with broken, pytest.raises(AssertionError):
        check(named_by_a_losing_copy_first())
