"""What a plan says that the next run joins is what a run joins: drawn histories, drawn leaves."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeAlias
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamgast.identity import next_run as foreseeing
from stamgast.identity.assurance import Assurance
from stamgast.identity.cut_request import Requests
from stamgast.identity.decision import Verdict
from stamgast.identity.edge import Pair
from stamgast.identity.next_run import NextRun
from stamgast.identity.settings import IdentitySettings
from stamgast.workspace.model import Workspace
from tests.lake.test_cut_laws import ANY, WIDE, send
from tests.lake.test_cuts import Operators, event, key_of
from tests.lake.test_leave_laws import REFUSED, Events, Leaving, leavings
from tests.lake.world import KEYRING, SETTINGS, World

Joined: TypeAlias = set[frozenset[str]]
RULES = (WIDE, SETTINGS)


def begun(events: Events, rules: IdentitySettings, *, has_run: bool) -> World:
    world = World(workspace=Workspace("1", "UTC", {}, rules))
    send(world, events)
    if has_run:
        world.run()
    return world


def requests_in(world: World) -> Requests:
    return Requests(Operators(world).store, world.workspace.identity, KEYRING, lambda _: None)


def planned(world: World, keys: Collection[str], *, is_alone: bool) -> tuple[set[Pair], NextRun]:
    """The pairs to cut, and what a plan says of the next run."""
    requests = requests_in(world)
    pairs = requests.leaving(keys, is_alone=is_alone)
    plan = requests.preview(sorted(pairs), Verdict.CUT)
    if plan is None:  # nobody would stay behind
        return pairs, NextRun((), is_whole=True)
    return pairs, requests.next_run(plan[0], plan[1].targets, pairs)


def home(world: World) -> dict[str, str]:
    return {key: p for p, root in world.roots().items() for key in root.members}


def foreseen(told: NextRun, now: dict[str, str]) -> Joined:
    """The pairs of identifiers of two persons of now that become one person's."""
    return {
        frozenset((a, b))
        for join in told.joins
        for a in join.person.members
        for b in join.person.members
        if now[a] != now[b]
    }


def joined(mine: Collection[str], now: dict[str, str], later: dict[str, str]) -> Joined:
    """The same as a run did it, of the persons of these."""
    persons = {now[key] for key in mine}
    ours = [key for key in now if now[key] in persons]
    with_us = {later[key] for key in ours}
    grown = [key for key in later if later[key] in with_us]
    return {
        frozenset((a, b)) for a in grown for b in grown if later[a] == later[b] and now[a] != now[b]
    }


def check(told: Leaving, rules: IdentitySettings, *, has_run: bool, is_alone: bool) -> Joined:
    """A plan, the leave, a run; the same is told before, after the cut, and by the run."""
    events, leaving = told
    world, keys = begun(events, rules, has_run=has_run), {key_of(name) for name in leaving}
    pairs, plan = planned(world, keys, is_alone=is_alone)
    if not pairs:
        return set()
    Operators(world).leave(keys, is_alone=is_alone)
    now = home(world)
    mine = {key for pair in pairs for key in pair}
    assert plan.is_whole
    assert foreseen(requests_in(world).after(pairs), now) == foreseen(plan, now)
    world.run()
    found = joined(mine, now, home(world))
    assert foreseen(plan, now) == found
    if is_alone:
        gone = {key for key in now if now[key] in {now[one] for one in keys}}
        assert not any(len(pair & gone) == 1 for pair in found)
    return found


CASES = st.tuples(leavings(ANY), st.sampled_from(RULES), st.booleans(), st.booleans())
Case: TypeAlias = tuple[Leaving, IdentitySettings, bool, bool]


@settings(max_examples=3)
@given(CASES)
def test_a_plan_says_whom_the_next_run_joins(case: Case) -> None:
    told, rules, has_run, is_alone = case
    check(told, rules, has_run=has_run, is_alone=is_alone)


@pytest.mark.deep
@settings(max_examples=300)
@given(CASES)
def test_so_it_does_for_many_histories(case: Case) -> None:
    told, rules, has_run, is_alone = case
    check(told, rules, has_run=has_run, is_alone=is_alone)


def test_a_refused_claim_that_will_join_is_told_with_its_link() -> None:
    assert check(REFUSED, WIDE, has_run=True, is_alone=False) == {
        frozenset((key_of("u:1"), key_of("d:d1")))
    }
    _, plan = planned(begun(REFUSED[0], WIDE, has_run=False), {key_of("d:d1")}, is_alone=False)
    (join,) = plan.joins
    (link,) = join.links
    assert (link.pair, link.assurance) == ((key_of("u:1"), key_of("d:d1")), Assurance.CLAIMED)


def test_whoever_leaves_alone_stays_alone() -> None:
    assert check(REFUSED, WIDE, has_run=False, is_alone=True) == set()


# Two claims lead from the device to two persons: once the one is cut, the other would join it.
TWICE: Leaving = (
    [*REFUSED[0], (Assurance.VERIFIED, event("m4", 4, userId="2")),
     (Assurance.CLAIMED, event("m5", 5, userId="2", anonymousId="d1"))],
    REFUSED[1],
)  # fmt: skip


def test_whoever_leaves_alone_is_cut_from_the_next_who_would_join_as_well() -> None:
    told = check(TWICE, WIDE, has_run=False, is_alone=False)
    assert told == {frozenset((key_of("u:1"), key_of("d:d1")))}
    assert check(TWICE, WIDE, has_run=False, is_alone=True) == set()


@pytest.mark.deep
def test_a_leave_alone_that_cuts_what_crosses_only_is_found_out() -> None:
    def crossing(_: Requests, __: object, ___: object, pairs: set[Pair]) -> set[Pair]:
        return pairs

    with mock.patch.object(Requests, "_alone", crossing), pytest.raises(AssertionError):
        check(REFUSED, WIDE, has_run=False, is_alone=True)


def near_only(*_: object) -> Sequence[str]:
    """Nobody whom a pointer remembers: a claim lies at its anchor, which is the other's."""
    return ()


@pytest.mark.deep
def test_a_plan_that_sees_only_the_links_of_its_own_persons_is_found_out() -> None:
    broken = mock.patch.object(foreseeing, "_met", near_only)
    with broken, pytest.raises(AssertionError):
        check(REFUSED, WIDE, has_run=False, is_alone=False)


def test_a_plan_that_forgets_the_cut_is_found_out() -> None:
    right = Requests._foreseen

    def blind(self: Requests, around: foreseeing.Around, now: object, _: object) -> NextRun:
        found = replace(around.found, decisions={})
        return right(self, replace(around, found=found), found.roots, ())

    with mock.patch.object(Requests, "_foreseen", blind), pytest.raises(AssertionError):
        check(REFUSED, WIDE, has_run=False, is_alone=False)


def test_what_hangs_together_beyond_the_bound_is_said_not_to_be_looked_at() -> None:
    world = begun(REFUSED[0], WIDE, has_run=False)
    with mock.patch.object(foreseeing, "MOST_FORESEEN", 2):
        _, plan = planned(world, {key_of("d:d1")}, is_alone=False)
    assert plan == NextRun((), is_whole=False)
