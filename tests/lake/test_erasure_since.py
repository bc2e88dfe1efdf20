"""What is said after an erasure and before its proof keeps no certificate open, and takes nobody.

Each world is erased, searched and run several times, which takes seconds.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from stamgast.erasure.request import Kind, RightsRequest
from stamgast_aws import erasure_items
from stamgast_lake.erasure.archive import ArchiveErasure
from stamgast_lake.erasure.work import RightsWork
from stamgast_lake.publishing.work import UnsettledError
from tests.lake.erasure_world import ErasureWorld, erasure_world

CANARY, MAIL = "canary-7731", "canary@example.org"
KEEPER, PASSER, HEIR = "keeper-1122", "passer-by-33", "heir-of-the-address"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        yield made


def said(world: ErasureWorld, message_id: str, user: str, **traits: Any) -> None:
    """An identify call that happens and arrives now."""
    at = world.now_ms = world.now_ms + 1_000
    told = {"type": "identify", "messageId": message_id, "userId": user, "traits": traits}
    world.send(told, request_id=message_id, received_ms=at)


def erased(world: ErasureWorld) -> str:
    """A request that was carried out and waits for its proof; others are there."""
    said(world, "c1", CANARY, email=MAIL)
    said(world, "k1", KEEPER, age=50)
    said(world, "h1", HEIR, age=30)
    world.run()
    asked = world.request(Kind.ERASURE, user_id=CANARY)
    world.now_ms += 1_000
    assert world.work().carry_out([asked]) == {asked: "completed"}
    world.seq += 1
    return asked


def searched(world: ErasureWorld, asked: str) -> RightsRequest:
    """The request after a search, and what follows one that found something."""
    work = world.work()
    assert work.prove() == 1
    while work.is_found_again():
        work.carry_out([asked])
        world.seq += 1
        assert work.prove() == 1
    told = world.requests.read(asked)
    assert told is not None
    return told


def ages(world: ErasureWorld) -> list[Any]:
    found = (one.traits.get("age") for one in world.profiles().values())
    return sorted(one.value for one in found if one is not None)


def came_back(world: ErasureWorld) -> RightsRequest:
    """The erased are customers again, and somebody else bears their address by now."""
    asked = erased(world)
    said(world, "c2", CANARY, age=20)
    said(world, "h2", HEIR, email=MAIL)
    return searched(world, asked)


@pytest.mark.failure_line(36)
def test_who_came_back_before_the_proof_keeps_nothing_open_and_is_left_alone(
    world: ErasureWorld,
) -> None:
    """FAILURES line 36: what arrives minutes after an erasure is of somebody new."""
    told = came_back(world)
    assert (told.proven_ms > 0, told.report["certificate"]["came_back"]) == (True, 2)
    assert world.requests.document(told.request_id) is None
    world.run()
    assert ages(world) == [20, 30, 50]
    [heir] = [one for one in world.profiles().values() if "email" in one.traits]
    assert (heir.traits["age"].value, heir.traits["email"].value) == (30, MAIL)


@pytest.mark.deep
def test_counting_who_came_back_as_a_remainder_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RightsWork, "_judged", lambda *told: told[-1])
    assert not came_back(world).proven_ms


def noted(world: ErasureWorld) -> RightsRequest:
    """Strangers write of the erased, one whom no run has taken in; the erased are back as well."""
    asked = erased(world)
    said(world, "k2", KEEPER, note=f"ask {MAIL} again")
    said(world, "c2", CANARY, age=20)
    said(world, "h2", HEIR, email=MAIL)
    world.run()
    said(world, "p1", PASSER, note=f"met {MAIL} today", age=70)
    told = searched(world, asked)
    world.run()
    return told


@pytest.mark.deep
@pytest.mark.failure_line(37)
def test_what_strangers_wrote_before_the_proof_is_taken_out_and_all_of_them_stay(
    world: ErasureWorld,
) -> None:
    """FAILURES line 37: notes go, who bears the identifiers since keeps them."""
    assert noted(world).proven_ms
    assert ages(world) == [20, 30, 50, 70]
    notes = [o.traits["note"].value for o in world.profiles().values() if "note" in o.traits]
    assert sorted(notes) == ["ask  again", "met  today"]
    [heir] = [one for one in world.profiles().values() if "email" in one.traits]
    assert (heir.traits["age"].value, heir.traits["email"].value) == (30, MAIL)
    assert [row["is_conserved"] for row in world.rows("reconciliation")].count(False) == 0


@pytest.mark.deep
def test_taking_who_bears_the_address_since_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure_items, "_is_since", lambda *_: False)
    with suppress(UnsettledError):  # a run may not mend what was half taken
        noted(world)
    assert ages(world) != [20, 30, 50, 70]


@pytest.mark.deep
def test_passing_over_what_no_run_has_taken_in_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ArchiveErasure, "strangers", lambda *_: frozenset())
    asked = erased(world)
    said(world, "p1", PASSER, note=f"met {MAIL} today", age=70)
    assert not searched(world, asked).proven_ms


def test_of_an_open_request_one_document_is_kept_however_often_it_is_searched(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RightsWork, "_judged", lambda *told: told[-1])
    asked = came_back(world).request_id
    world.work().prove()
    place = {"Bucket": "lake", "Prefix": f"erasure/{asked}/"}
    assert len(world.s3.list_object_versions(**place)["Versions"]) == 1
