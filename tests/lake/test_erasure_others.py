"""Others after an erasure: their ids are those of what is left, and so are their late events."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stamgast.erasure.subject import Subject
from stamgast.erasure.tombstones import Tombstone
from stamgast.identity.interpret import interpret
from stamgast.identity.star import star_of
from stamgast.moments import iso_of
from stamgast.raw.record import RawRecord
from stamgast_lake.archive import read_lines
from stamgast_lake.erasure.archive import tombstones_of
from stamgast_lake.live_evidence import LakeEvidence
from stamgast_lake.tables import EVENTS
from tests.lake.erasure_world import ErasureWorld, erasure_world
from tests.lake.world import KEYRING, NOON_MS

CANARY = {"user_id": "canary-7731", "email": "canary@example.com"}
KEEPER = {"user_id": "keeper-1122", "email": "keeper@example.com"}
DEVICE, STRANGER = "keepers-device-55", "stranger-3344"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        yield made


def said(name: str, **told: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": name, "timestamp": iso_of(NOON_MS), **told}


def ids_without_the_founder(world: ErasureWorld) -> list[set[str]]:
    """The person of a device that a message of the erased founded: live, lake, rebuilt from raw."""
    world.send(said("c1", userId=CANARY["user_id"], anonymousId=DEVICE), request_id="r1")
    world.cut(("user_id", CANARY["user_id"]), ("anonymous_id", DEVICE))
    world.now_ms += 1_000
    world.send(said("k1", anonymousId=DEVICE), request_id="r2", received_ms=world.now_ms)
    world.run()
    world.now_ms += 1_000
    world.erase(world.subject(user_id=CANARY["user_id"]))
    world.run()
    lake = {row["person_id"] for row in world.rows("identity_current")}
    return [set(world.persons()), lake, rebuilt(world)]


def rebuilt(world: ErasureWorld) -> set[str]:
    """The person whom the oldest message in the archive founds."""
    settings = world.workspace.identity
    records = (
        RawRecord.from_json(line) for body in world.archived().values() for line in read_lines(body)
    )
    stars = (star_of(interpret(one, settings, KEYRING), KEYRING) for one in records)
    births = [seen.born for star in stars if star for seen in star.sightings.values()]
    return {min(births).person_id}


@pytest.mark.deep
def test_whom_an_erased_message_founded_has_the_id_of_what_is_left_everywhere(
    world: ErasureWorld,
) -> None:
    live, lake, archive = ids_without_the_founder(world)
    assert live == lake == archive


@pytest.mark.deep
def test_a_run_that_believes_erased_births_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    believing = lambda self, messages: self.held.conflicting(messages)  # noqa: E731
    monkeypatch.setattr(LakeEvidence, "conflicting", believing)
    live, lake, archive = ids_without_the_founder(world)
    assert live != lake == archive


def counted_after_late_events(world: ErasureWorld) -> set[str]:
    """The late events that stay, of those that name the erased under others' anchors."""
    canary, mail = CANARY["user_id"], CANARY["email"]
    world.send(
        said("c1", userId=canary, traits={"email": mail, "phone": "+31612345678"}),
        said("k1", userId=KEEPER["user_id"], traits={"email": KEEPER["email"]}),
        said("s1", userId=STRANGER),
        request_id="r1",
    )
    world.cut(("user_id", canary), ("user_id", KEEPER["user_id"]))
    world.run()
    world.now_ms += 1_000
    whole, _ = world.erase(world.subject(user_id=canary))
    world.send(
        said("cut", userId=KEEPER["user_id"], traits={"email": mail}),
        said("theirs", traits={"email": KEEPER["email"], "phone": "+31612345678"}, userId="n/a"),
        said("strange", userId=STRANGER, traits={"email": mail}),
        request_id="r2",
        received_ms=world.now_ms + 1_000,
    )
    world.run()
    assert len(world.persons()) == 2
    assert not whole.keys & {key for keys in world.persons().values() for key in keys}
    left = world.lake.catalogue.dataset(EVENTS).to_table(columns=["message_id"])
    return set(left["message_id"].to_pylist()) - {"k1", "s1"}


@pytest.mark.deep
def test_a_late_event_stays_with_whoever_was_told_apart_and_a_strangers_does_not(
    world: ErasureWorld,
) -> None:
    assert counted_after_late_events(world) == {"cut", "theirs"}


@pytest.mark.deep
def test_tombstones_that_know_no_more_than_shared_messages_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow(subjects: Iterable[Subject]) -> dict[str, Tombstone]:
        return tombstones_of(replace(one, partners=frozenset()) for one in subjects)

    monkeypatch.setattr("tests.lake.erasure_world.tombstones_of", narrow)
    assert counted_after_late_events(world) == set()


def test_every_identifier_of_who_was_told_apart_is_named_by_tombstones(
    world: ErasureWorld,
) -> None:
    world.send(said("c1", userId=CANARY["user_id"]), said("k1", userId=KEEPER["user_id"]))
    world.send(said("k2", userId=KEEPER["user_id"], traits={"email": KEEPER["email"]}))
    world.cut(("user_id", CANARY["user_id"]), ("user_id", KEEPER["user_id"]))
    whole = world.live_tables.resolve(world.subject(user_id=CANARY["user_id"]))
    [stone] = tombstones_of([whole]).values()
    assert stone.apart == {KEYRING.identifier_key(*one) for one in KEEPER.items()}
