"""Laws 1 to 4 against persons by hand: shared devices, attackers, limits, cuts, in any order.

The oracle imports nothing of the product. Compared are persons and their ids, whom each identifier
shares trust with, what is off, and every refusal with its reason, in the lake and in the live view.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamgast.identity.edge import EdgeState
from stamgast.identity.plan import Draft
from stamgast_lake import evidence, state
from stamgast_lake import resolve as resolving
from stamgast_lake.tables import CONSTRAINTS
from tests.lake.persons_by_hand import persons_of
from tests.lake.street import CLAIMS_BESIDE, ROOMY, Home, Said, Street, crowd, homes
from tests.lake.test_laws import lake_persons
from tests.lake.thorough import thorough
from tests.lake.world import World, latest, resolve

SEEDS = st.integers(0, 2**32)
VERIFIED = (2,)


def check(street: Street) -> None:
    """Lake and live view are what the oracle says."""
    check_lake(street)
    world, told = street.world, street.should_be()
    assert world.persons() == told.persons
    assert trusted(world) == told.trusted
    edges, cut = live_edges(world), cuts_of(street)
    assert edges == {
        pair: "cannot_link" if frozenset(pair) in cut else told.refused.get(pair, "active")
        for pair in edges
    }


def check_lake(street: Street) -> None:
    """After one more run the lake is what the oracle says."""
    street.run()
    world, told = street.world, street.should_be()
    assert lake_persons(world) == told.persons
    assert off(world) == told.off
    assert refused(world) == told.refused


def check_live(street: Street) -> None:
    """First come or not: no strangers in a person, no cut pair, and no trust by a claim."""
    lifted = [replace(one, is_cut=False) for one in street.verdicts]
    vouched = persons_of(ROOMY, street.receipts, lifted).trusted
    believed = [replace(one, assurance=2) for one in street.receipts]
    connected = persons_of(ROOMY, believed, lifted).trusted
    for person in street.world.persons().values():
        assert all(person <= connected[key] for key in person)
        assert len(person) <= street.house.person_limit + CLAIMS_BESIDE
        assert not any(pair <= person for pair in cuts_of(street))
    for key, group in trusted(street.world).items():
        assert group <= vouched[key]


def cuts_of(street: Street) -> set[frozenset[str]]:
    """The pairs whose newest verdict is a cut: an edge between them is cut, whatever else it is."""
    newest = {one.pair: one for one in sorted(street.verdicts, key=lambda v: (v.at_ms, v.message))}
    return {frozenset(pair) for pair, one in newest.items() if one.is_cut}


def trusted(world: World) -> dict[str, frozenset[str]]:
    """Whom each live identifier shares trust with."""
    return {
        key: frozenset(other for other, m in root.members.items() if m.group == one.group)
        for root in world.roots().values()
        for key, one in root.members.items()
    }


def held(world: World) -> Iterable[Mapping[str, Any]]:
    """The constraints of the lake that hold."""
    rows = world.catalogue.rows(CONSTRAINTS)
    keyed = [{**row, "key": (row["kind"], row["a"], row["b"])} for row in rows]
    return [row for row in latest(keyed, "key").values() if row["lifted_at"] is None]


def refused(world: World) -> dict[tuple[str, str], str]:
    return {(r["a"], r["b"]): r["reason"] for r in held(world) if r["kind"] == "refused"}


def off(world: World) -> set[str]:
    return {row["a"] for row in held(world) if row["kind"] == "off"}


def live_edges(world: World) -> dict[tuple[str, str], str]:
    """What became of each live edge."""
    keys = {key for root in world.roots().values() for key in root.members}
    edges = [edge for key in keys for edge in world.identity.edges_from(key)]
    return {e.pair: "active" if e.state is EdgeState.ACTIVE else str(e.why) for e in edges}


def streets(most: int) -> st.SearchStrategy[list[Home]]:
    return st.lists(homes(), min_size=most, max_size=most)


@pytest.mark.failure_line(24)
@pytest.mark.failure_line(25)
@thorough(2)
@given(streets(8), SEEDS)
def test_persons_are_those_of_the_oracle_in_lake_and_live_view(told: list[Home], seed: int) -> None:
    """Lines 24 and 25: what names nobody, and what many share, joins nobody."""
    check(Street(told).live(seed, runs=1))


@pytest.mark.deep
@thorough(120)
@given(streets(12), SEEDS, st.integers(0, 3))
def test_persons_are_those_of_the_oracle_on_many_more_streets(
    told: list[Home], seed: int, runs: int
) -> None:
    check(Street(told).live(seed, runs))


@settings(max_examples=20)
@given(streets(1), SEEDS)
def test_the_live_view_joins_no_strangers_and_trusts_no_claim(told: list[Home], seed: int) -> None:
    check_live(Street(told).live(seed, runs=0))


@settings(max_examples=20)
@given(homes(VERIFIED), SEEDS)
def test_with_room_enough_the_live_view_has_the_oracles_persons_before_any_run(
    told: Home, seed: int
) -> None:
    """Law 1: without a limit to decide, arrival decides nothing."""
    events = tuple(
        Said(e.names, 2, e.received, e.at, e.spelling, e.noise, False) for e in told.events
    )
    street = Street([Home(events)], ROOMY).live(seed, runs=0)
    assert set(street.world.persons().values()) == set(street.should_be().persons.values())
    assert trusted(street.world) == street.should_be().trusted


# What each broken rule is found out by: an attacker's made-up ids for somebody's address, a claim
# between two whom a server knows, a value that first has a name too many and then serves a crowd.
VICTIM = Said((("user_id", 0), ("email", 0)), received=9)
ATTACKED = Home((*crowd(("email", 0), "user_id", 5, 1), VICTIM))
KNOWN = (Said((("user_id", 1),)), Said((("email", 1),)))
CLAIM = Home((*KNOWN, Said((("user_id", 1), ("email", 1)), word=1)))
LATER_OFF = Home(crowd(("user_id", 0), "user_id", 5, 2))
DIRECTED = (ATTACKED, CLAIM, LATER_OFF)


def test_the_directed_street_is_right_run_after_run() -> None:
    all_holds()


def lake_holds() -> None:
    street = Street(DIRECTED)
    street.stages = (resolve,)
    check_lake(street.in_turn())


def all_holds() -> None:
    check(Street(DIRECTED).in_turn())


BROKEN: Mapping[str, tuple[Any, str, str, str, Callable[[], None]]] = {
    "claims count for verified links": (
        *(evidence, "OFF", "when vouched >", "when persons >"),
        lake_holds,
    ),
    "a claim joins two who are known": (
        *(resolving, "SUSPECT", "where seen.is_known", "where false"),
        lake_holds,
    ),
    "an old refusal is not told anew": (state, "WIDER", "where is_wide", "where false", all_holds),
}


@pytest.mark.deep
@pytest.mark.parametrize("name", BROKEN)
def test_a_rule_that_is_broken_is_found_out(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    module, statement, right, wrong, law = BROKEN[name]
    text = getattr(module, statement)
    assert right in text
    monkeypatch.setattr(module, statement, text.replace(right, wrong))
    with pytest.raises(AssertionError):
        law()


def test_a_live_view_that_takes_claims_for_trust_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check_live(Street([ATTACKED]).live(0, runs=0))
    merge = Draft._merge

    def trusting(draft: Draft, left: Any, right: Any) -> str:
        winner = merge(draft, left, right)
        draft._trust(winner, (min(left.members), min(right.members)))
        return winner

    monkeypatch.setattr(Draft, "_merge", trusting)
    with pytest.raises(AssertionError):
        check_live(Street([ATTACKED]).live(0, runs=0))
