"""Copies of one message: how they are sent, and what lake and live view must make of them."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias

from stamgast.identity.assurance import Assurance
from stamgast.identity.event import Event
from stamgast.profile.facts import NOTHING, Facts, facts_of, merge
from tests.lake.test_laws import facts_by_person, lake_facts, lake_persons, oracle, persons_of
from tests.lake.world import NOON_MS, World, publish, resolve, unify

# The stages that tell of persons and their events; scores and segments are others'.
TOLD = (resolve, unify, publish)
CLAIMED, VERIFIED = Assurance.CLAIMED, Assurance.VERIFIED
Copy: TypeAlias = tuple[Mapping[str, Any], Assurance, int]


def say(world: World, body: Mapping[str, Any], word: Assurance, after_ms: int) -> None:
    """A copy received so many milliseconds after noon, in a request of its own."""
    told = {"request_id": f"q{after_ms}", "received_ms": NOON_MS + after_ms}
    world.send(body, **told, assurance=word, source_id="web")


def check(world: World) -> None:
    """Persons, facts, trust groups and words are what the kept copies say, and live is the lake.

    Whom losing copies alone name keeps an empty person of its own in the live view.
    """
    events = world.events()
    expected, facts = persons_of(events), facts_by_person(events)
    named = frozenset[str]().union(*expected.values())
    assert lake_persons(world) == expected
    assert lake_facts(world) == facts
    live, profiles = world.persons(), world.profiles()
    assert {p: keys for p, keys in live.items() if keys & named} == expected
    assert all(len(keys) == 1 for keys in live.values() if not keys & named)
    assert profiles == {p: facts.get(p, NOTHING) for p in live}
    check_words(world, events)


def check_words(world: World, events: Sequence[Event]) -> None:
    """Trust groups, and how well each identifier is known, at its person and at its pointer."""
    best = words(events)
    members = {key: one for root in world.roots().values() for key, one in root.members.items()}
    assert {key: members[key].group for key in best} == oracle(events).groups
    assert {key: members[key].assurance for key in best} == best
    pointers = world.identity.read_pointers(best)
    assert {key: one.assurance for key, one in pointers.items()} == best


def words(events: Sequence[Event]) -> dict[str, Assurance]:
    """The best word on which each identifier was named."""
    best: dict[str, Assurance] = {}
    for event in events:
        for seen in event.identifiers:
            best[seen.key] = max(event.assurance, best.get(seen.key, event.assurance))
    return best


def facts_of_anchors(events: Sequence[Event]) -> dict[str, Facts]:
    """What the kept copies say of each anchor."""
    return {
        anchor: reduce(merge, (facts_of(e) for e in events if e.anchor == anchor), NOTHING)
        for anchor in {event.anchor for event in events if event.anchor is not None}
    }
