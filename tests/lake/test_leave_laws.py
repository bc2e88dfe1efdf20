"""Merge then leave is a world without every edge between who leaves and who stays in their person.

A refused claim leads to another person: no leave cuts it, and whom nothing else holds by then may
be joined by it, as in a world where the two had never been one. Random histories and random
identifiers that leave: at once, after a replay, and after runs; besides streets
(`test_persons_by_hand.py`), where operators let identifiers leave under limits.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias
from unittest import mock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stamgast.identity.assurance import Assurance
from stamgast.identity.cuts import leaving_pairs
from stamgast.identity.edge import Pair
from stamgast.identity.survey import Survey
from tests.lake.test_cut_laws import (
    ANY,
    SMALL,
    VERIFIED,
    Event,
    cells,
    histories,
    lake,
    live,
    lived,
    names_of,
    send,
)
from tests.lake.test_cuts import Operators, event, key_of
from tests.lake.world import World

Events: TypeAlias = Sequence[tuple[Assurance, Event]]
Leaving: TypeAlias = tuple[Events, frozenset[str]]


def crossing(events: Events, leaving: frozenset[str]) -> set[Pair]:
    """The edges of which one end leaves."""
    edges = (
        (anchor, other)
        for _, told in events
        for anchor, *rest in [names_of(told)]
        for other in rest
    )
    return {(a, b) for a, b in edges if (a in leaving) is not (b in leaving)}


def held(world: World, pairs: set[Pair]) -> set[Pair]:
    """Those of the pairs of which both ends are one person now."""
    home = {key: root.founder for root in world.roots().values() for key in root.members}
    return {(a, b) for a, b in pairs if home[key_of(a)] == home[key_of(b)]}


def leave(world: World, told: Leaving) -> set[Pair]:
    """Lets them leave; gives the edges that held them until now."""
    events, leaving = told
    gone = held(world, crossing(events, leaving))
    Operators(world).leave([key_of(name) for name in leaving])
    return gone


@st.composite
def leavings(draw: Any, words: Sequence[Assurance]) -> Leaving:
    """A history, and some of its identifiers to which at least one edge leads."""
    events, _ = draw(histories(words))
    names = sorted({name for _, told in events for name in names_of(told)})
    leaving = frozenset(draw(st.lists(st.sampled_from(names), min_size=1, unique=True)))
    assume(crossing(events, leaving))
    return events, leaving


def merge_then_leave(told: Leaving) -> None:
    """The law for the live view, without any run."""
    events, _ = told
    left = lived(events)
    never = lived(events, leave(left, told))
    assert live(left) == live(never)
    send(left, reversed(events))  # a replay, and a redrive out of order
    assert live(left) == live(never)


def after_runs(told: Leaving, when: int) -> None:
    """The law for lake and view; they leave before the first run, or between two."""
    events, _ = told
    left, gone = lived(events), set[Pair]()
    for turn in range(2):
        if turn == when:
            gone = leave(left, told)
        left.run()
    never = lived(events, gone)
    never.run()
    assert live(left) == live(never)
    assert lake(left) == lake(never)
    assert cells(left) == cells(never)


@pytest.mark.failure_line(27)
@settings(max_examples=25)
@given(leavings(VERIFIED))
def test_merge_then_leave_is_a_world_without_the_edges_between(told: Leaving) -> None:
    """Law 3 and line 27: all that is named moves, and nothing else does."""
    merge_then_leave(told)


@settings(max_examples=1)
@given(leavings(ANY), st.sampled_from([0, 1]))
def test_after_a_run_it_is_that_world_cell_by_cell(told: Leaving, when: int) -> None:
    after_runs(told, when)


@pytest.mark.deep
@settings(max_examples=150)
@given(leavings(ANY), st.sampled_from([0, 1]))
def test_so_it_is_for_many_more_histories(told: Leaving, when: int) -> None:
    after_runs(told, when)


REFUSED: Leaving = (
    [
        (Assurance.VERIFIED, event("m1", 1, email="1@x.nl", anonymousId="d1")),
        (Assurance.VERIFIED, event("m2", 2, userId="1")),
        (Assurance.CLAIMED, event("m3", 3, userId="1", anonymousId="d1")),
    ],
    frozenset({"d:d1"}),
)


@pytest.mark.parametrize("when", [0, 1])
def test_a_refused_claim_joins_who_is_known_no_more(when: int) -> None:
    """It led to another person and was never cut: what it says is what there is of the device."""
    after_runs(REFUSED, when)


STAR: Leaving = (SMALL[0], frozenset({"u:1", "d:d2"}))


def one_alone(found: Survey, leaving: frozenset[str]) -> set[Pair]:
    """Of the edges that cross one is cut."""
    return set(sorted(leaving_pairs(found, leaving))[:1])


def test_a_leave_that_cuts_one_edge_of_many_is_found_out() -> None:
    merge_then_leave(STAR)
    broken = mock.patch("stamgast.identity.cut_request.leaving_pairs", one_alone)
    with broken, pytest.raises(AssertionError):
        merge_then_leave(STAR)
