"""What two workers do at once: one is interrupted before each of its calls, and another is done.

Each history is played once for every call that the first worker makes, so no moment is left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count, permutations
from typing import Any, TypeAlias

import pytest

from stamgast.identity.assurance import Assurance
from stamgast.identity.live import drain
from stamgast.identity.settings import DEFAULT
from stamgast.identity.store import Outcome, Write
from stamgast.metrics import Metric
from stamgast.workspace.model import Workspace
from stamgast_aws.identity_jobs import DynamoJobStore
from tests.fakes.dynamodb import Fault
from tests.lake.test_identity_failures import processed
from tests.lake.world import KEYRING, NOON_MS, World, publish, resolve
from tests.schedules.identity_variants import RootsUnguarded

Event: TypeAlias = Mapping[str, Any]
Events: TypeAlias = Sequence[Event]


def said(mid: str, **told: Any) -> Event:
    return {"type": "identify", "messageId": mid, "timestamp": NOON_MS - 60_000, **told}


def key(namespace: str, value: str) -> str:
    return KEYRING.identifier_key(namespace, value)


def interrupted(world: World, calls: int, by: Callable[[], object]) -> list[bool]:
    """Lets something happen before the store's call of this number; whether it came to that."""
    has_come: list[bool] = []
    left = iter(range(calls))

    def before(_operation: str, _request: object) -> None:
        if next(left, None) is None and not has_come:
            has_come.append(True)
            world.dynamodb.before = lambda *_: None
            by()

    world.dynamodb.before = before
    return has_come


def worlds(
    before: Events, *workers: Event, store: type[DynamoJobStore] = DynamoJobStore
) -> Iterator[World]:
    """A world for each call before which the first worker is interrupted by the next, and so on."""
    for calls in count():
        world = World(workspace=Workspace("1", "UTC", {}, DEFAULT))
        world.identity = store(world.dynamodb, "profiles", "control", lambda _: None)
        for event in before:
            processed(world, event, request_id=f"q{event['messageId']}")
        if not _work(world, calls, list(workers)):
            return
        world.dynamodb.before = lambda *_: None
        drain(world.identity, DEFAULT, lambda _: None)
        yield world


def _work(world: World, calls: int, workers: list[Event]) -> bool:
    """Whether the first worker was interrupted."""
    event, *others = workers
    has_come: Sequence[bool] = (False,)
    if others:
        has_come = interrupted(world, calls, partial(_work, world, calls, others))
    processed(world, event, request_id=f"q{event['messageId']}")
    return any(has_come)


def one_person(world: World, *keys: str) -> bool:
    """Whether these identifiers and no others are the one person there is."""
    return list(world.persons().values()) == [frozenset(keys)]


def order_of(workers: Sequence[Event]) -> str:
    """The order of messages as a test is called by it."""
    return "-".join(event["messageId"] for event in workers)


USER, DEVICE, MAIL = key("user_id", "u1"), key("anonymous_id", "d1"), key("email", "a@x.nl")
LOG_IN = said("m1", userId="u1", anonymousId="d1", traits={"plan": "gold"})
AGAIN = said("m2", userId="u1", anonymousId="d1", traits={"color": "blue"})
VISIT = said("m3", anonymousId="d1", traits={"color": "blue"})
ALONE = said("m4", userId="u1")


@pytest.mark.failure_line(19)
def test_two_workers_that_meet_the_same_new_person_make_one() -> None:
    """Line 19: two workers create the same new person."""
    for world in worlds((), LOG_IN, AGAIN):
        assert one_person(world, USER, DEVICE)


LINKS = (
    said("m1", userId="u1", traits={"email": "a@x.nl"}),
    said("m2", anonymousId="d1", traits={"email": "a@x.nl"}),
    said("m3", anonymousId="d1", traits={"phone": "+31201234567"}),
)


@pytest.mark.failure_line(19)
@pytest.mark.parametrize("order", list(permutations(LINKS)), ids=order_of)
def test_links_that_are_made_at_once_make_one_component(order: Sequence[Event]) -> None:
    """Line 19: A–B, B–C, C–D concurrently, in any order: one component, always."""
    for world in worlds((), *order):
        assert one_person(world, USER, MAIL, DEVICE, key("phone", "+31201234567"))


def traits_of(world: World) -> dict[str, Any]:
    (facts,) = world.profiles().values()
    return {name: trait.value for name, trait in facts.traits.items()}


@pytest.mark.failure_line(20)
@pytest.mark.parametrize("workers", [(LOG_IN, VISIT), (VISIT, LOG_IN)], ids=order_of)
def test_a_log_in_races_the_creation_of_the_anonymous_person(workers: Sequence[Event]) -> None:
    """Line 20: `identify` races the anonymous person's creation; no trait is lost."""
    for world in worlds((), *workers):
        assert one_person(world, USER, DEVICE)
        assert traits_of(world) == {"plan": "gold", "color": "blue"}


@pytest.mark.failure_line(20)
@pytest.mark.parametrize("workers", [(LOG_IN, VISIT), (VISIT, LOG_IN)], ids=order_of)
def test_a_merge_races_a_trait_and_a_word(workers: Sequence[Event]) -> None:
    """Line 20: a merge races a trait update; no trait, no flag (on whose word) is lost."""
    for world in worlds((ALONE, said("m5", anonymousId="d1")), *workers):
        (root,) = world.roots().values()
        assert {m.assurance for m in root.members.values()} == {Assurance.VERIFIED}
        assert traits_of(world) == {"plan": "gold", "color": "blue"}


THREE = (
    said("m4", userId="u1", anonymousId="d3"),
    said("m5", anonymousId="d1"),
    said("m6", traits={"email": "a@x.nl"}, anonymousId="d2"),
)
MERGES = (LOG_IN, said("m7", anonymousId="d3", traits={"email": "a@x.nl"}))
"""Both change the person of `u1`, and no pointer that the other changes."""


def torn(store: type[DynamoJobStore]) -> int:
    """In how many of the worlds an identifier's person does not list it, or there are two."""
    faults = 0
    for world in worlds(THREE, *MERGES, store=store):
        roots = world.roots()
        faults += sum(len(r.members) for r in roots.values()) != 5 or len(roots) != 1
    return faults


@pytest.mark.failure_line(21)
def test_a_person_that_another_has_just_merged_away_is_read_again() -> None:
    """Line 21: a worker holds an id that is merged away: its condition fails, it reads again."""
    assert torn(DynamoJobStore) == 0


class WithoutVersions(RootsUnguarded):
    """Roots are written over whatever came; there is one call more between reading and writing."""

    def commit(self, writes: Sequence[Write]) -> Outcome:
        self.fence()
        return super().commit(writes)


def test_a_person_written_without_its_version_is_torn() -> None:
    assert torn(WithoutVersions) > 0


@pytest.mark.failure_line(26)
def test_a_merge_that_fails_is_a_metric_a_retry_and_a_parked_star() -> None:
    """Line 26: a merge fails and the caller sees success: counted, parked, and made good."""
    world = World(workspace=Workspace("1", "UTC", {}, DEFAULT))
    processed(world, ALONE, request_id="q1")
    processed(world, said("m5", anonymousId="d1"), request_id="q2")
    world.dynamodb.before = lambda operation, request: (
        Fault.CONFLICT if len(request.get("TransactItems", ())) > 2 else None
    )
    outcome = processed(world, LOG_IN, request_id="q3")
    assert (outcome.figures()[Metric.IDENTITY_PARKED], outcome.folded) == (1, 1)
    assert len(world.persons()) == 2
    world.dynamodb.before = lambda *_: None
    assert drain(world.identity, DEFAULT, lambda _: None).parked == 0
    assert one_person(world, USER, DEVICE)
    assert traits_of(world) == {"plan": "gold"}


FAMILY = tuple(
    said(f"f{n}", userId=f"child{n}", traits={"phone": "+31201234567"}) for n in range(6)
)
TILL = tuple(
    said(f"t{n}", userId=f"guest{n}", context={"device": {"id": "till"}}) for n in range(4)
)
SOLD = {"type": "track", "event": "Sold", "messageId": "s", "anonymousId": "a-1",
        "context": {"device": {"id": "till"}}, "timestamp": NOON_MS - 60_000}  # fmt: skip


@pytest.mark.failure_line(25)
def test_a_till_and_a_familys_phone_link_nobody_whatever_comes_first() -> None:
    """Line 25: a shop's tablet with many users, a family's phone: the same in any order."""
    found = []
    events = [*FAMILY, SOLD, *TILL]
    for order in (events, events[::-1]):
        world = World(workspace=Workspace("1", "UTC", {}, DEFAULT))
        for event in order:
            processed(world, event, request_id=f"q{event['messageId']}")
        world.run(stages=(resolve, publish))
        found.append((world.persons(), {p: dict(f.counters) for p, f in world.profiles().items()}))
    assert found[0] == found[1]
    persons, counters = found[0]
    assert {len(members) for members in persons.values()} == {1}
    (till,) = [p for p, keys in persons.items() if key("device_id", "till") in keys]
    assert counters[till] == {"Sold": 1}
