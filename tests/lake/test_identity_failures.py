"""What identity meets in the wild, through the live loop: storms, full persons, odd values."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import RLock
from typing import Any

import pytest

from stamgast.identity.assurance import Assurance
from stamgast.identity.edge import EdgeState, Reason
from stamgast.identity.live import drain
from stamgast.identity.settings import DEFAULT
from stamgast.ingestion.accept import accept
from stamgast.ingestion.envelope import encode
from stamgast.profile.batch import Message
from stamgast.profile.loop import Outcome
from stamgast.workspace.model import Workspace
from tests.fakes.dynamodb import DynamoDB
from tests.lake.world import KEYRING, NOON_MS, World, receipt

DEVICES, A_BATCH, WORKERS, TRIES = 1_000, 50, 8, 12
NOBODY = [
    "anonymous", "null", "NULL", "None", "undefined", "Undefined", "nil", "NaN", "000-000", "0",
    "00000000-0000-0000-0000-000000000000", "[object Object]", "[OBJECT OBJECT]", "guest", "Guest",
    "test@test.com", "TEST@TEST.COM", '"undefined"', "'null'", "\u201cguest\u201d", "  null\t",
    "\uff55\uff4e\uff44\uff45\uff46\uff49\uff4e\uff45\uff44", "gu\u200best", "n/a", "unknown", "-",
    "${user.id}", "{{userId}}", "%USER_ID%", "(null)", "<null>", "[undefined]",
]  # fmt: skip
NO_VALUES: list[Any] = [
    True, False, [], ["u1"], {}, {"id": "u1"}, [[["u1"]]], "x" * 10_240, "\x00\x01\x02",
    "\u202e", "a" * 513, " " * 600,
]  # fmt: skip


CALLS = ("transact_write_items", "batch_get_item", "batch_write_item", "put_item", "update_item")


class OneAtATime(DynamoDB):
    """The store for several threads: each of its calls is one step, as DynamoDB's are."""

    def __init__(self) -> None:
        super().__init__("profiles", "control")
        self.turn = RLock()

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in CALLS:
            return found

        def alone(*arguments: Any, **told: Any) -> Any:
            with self.turn:
                return found(*arguments, **told)

        return alone


def open_world() -> World:
    return World(dynamodb=OneAtATime(), workspace=Workspace("1", "UTC", {}, DEFAULT))


def identify(number: int, **told: Any) -> Mapping[str, Any]:
    return {"type": "identify", "messageId": f"m{number}", "timestamp": NOON_MS - 60_000, **told}


def processed(world: World, *events: Mapping[str, Any], **told: Any) -> Outcome:
    body = encode(accept([dict(event) for event in events], receipt(**told)))
    return world.loop().process([Message("m", body, world.now_ms)])


@pytest.mark.failure_line(22)
@pytest.mark.failure_line(23)
def test_a_thousand_devices_that_identify_as_one_user_at_once_are_folded_and_end() -> None:
    """Lines 22 and 23: tries are bounded, a batch is one star, and no fact is lost."""
    world = open_world()
    sent = [identify(n, userId="u1", anonymousId=f"d{n}") for n in range(DEVICES)]
    batches = [sent[n : n + A_BATCH] for n in range(0, DEVICES, A_BATCH)]

    def work(number: int) -> Outcome:
        return processed(world, *batches[number], request_id=f"r{number}")

    with ThreadPoolExecutor(WORKERS) as workers:
        outcomes = list(workers.map(work, range(len(batches))))
    assert sum(one.archived for one in outcomes) == DEVICES
    pieces = 1 + (A_BATCH - 1) // 30
    minted = DEVICES + 1
    assert world.dynamodb.calls["TransactWriteItems"] <= len(batches) * pieces * TRIES + minted
    drain(world.identity, DEFAULT, lambda _: None)
    assert world.identity.parked(10) == []
    sizes = sorted(len(members) for members in world.persons().values())
    assert sizes == [1] * (DEVICES + 1 - DEFAULT.person_limit) + [DEFAULT.person_limit]
    world.run()
    counted = (facts.counters.get("$identify", 0) for facts in world.profiles().values())
    assert sum(counted) == DEVICES


@pytest.mark.failure_line(23)
def test_who_is_full_takes_no_more_and_the_event_is_kept_and_the_refusal_shows() -> None:
    """Line 23: the limit is asked before the write; the edge says why, and the count goes up."""
    world = open_world()
    full = [identify(n, userId="u1", anonymousId=f"d{n}") for n in range(DEFAULT.person_limit - 1)]
    processed(world, *full)
    (before,) = world.roots().values()
    outcome = processed(world, identify(999, userId="u1", anonymousId="one-more"), request_id="r2")
    assert outcome.identified.refused == 1
    after = world.roots()[before.person_id]
    assert after.members == before.members
    assert outcome.folded == outcome.archived == 1
    anchor = KEYRING.identifier_key("user_id", "u1")
    other = KEYRING.identifier_key("anonymous_id", "one-more")
    (edge,) = [e for e in world.identity.edges_from(anchor) if e.pair[1] == other]
    assert (edge.state, edge.why) == (EdgeState.REFUSED, Reason.PERSON_LIMIT)


@pytest.mark.failure_line(24)
@pytest.mark.parametrize("is_email", [False, True])
def test_nobody_is_no_link_in_any_spelling(is_email: bool) -> None:
    """Line 24: each device stays a person of its own, and each refusal is counted."""
    world = open_world()
    events = []
    for n, value in enumerate(NOBODY * 2):
        told = {"traits": {"email": value}} if is_email else {"userId": value}
        events.append(identify(n, anonymousId=f"d{n}", **told))
    outcome = processed(world, *events)
    assert outcome.archived == len(events)
    assert outcome.identifiers_refused == len(events)
    assert sorted(len(members) for members in world.persons().values()) == [1] * len(events)


@pytest.mark.failure_line(24)
@pytest.mark.parametrize("word", list(Assurance))
def test_what_is_no_value_is_a_refusal_and_costs_no_event(word: Assurance) -> None:
    """Line 24: lists, objects, booleans, ten kilobytes, controls: never an exception."""
    world = open_world()
    events = [
        identify(n, anonymousId=f"d{n}", traits={"email": value, "phone": value})
        for n, value in enumerate(NO_VALUES)
    ]
    outcome = processed(world, *events, assurance=word)
    assert (outcome.archived, outcome.rejected) == (len(events), 0)
    assert not outcome.returned
    assert sorted(len(members) for members in world.persons().values()) == [1] * len(events)
    run = world.run()
    assert run["load_events"]["stored"] == len(events)
