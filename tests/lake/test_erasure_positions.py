"""An erasure that takes an identifier out of others' messages moves nobody else's place in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stamgast.moments import iso_of
from stamgast_lake.archive import read_lines
from tests.lake.erasure_world import WORKSPACE, ErasureWorld, erasure_world
from tests.lake.world import KEYRING, NOON_MS, World

KEEPER, CANARY, DEVICE = "keeper-1122", "canary@example.com", "keepers-device-55"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        yield made


def said(name: str, **told: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": name, "timestamp": iso_of(NOON_MS), **told}


def homes(world: World) -> dict[str, str]:
    """Whom each identifier leads to in the live view."""
    return {key: person_id for person_id, keys in world.persons().items() for key in keys}


def rebuilt(world: ErasureWorld) -> World:
    """The same platform, made anew from the raw archive alone."""
    other = World(workspace=WORKSPACE)
    raw = (body for key, body in world.archived().items() if key.startswith("raw/"))
    other.archive.lines = [line for body in raw for line in read_lines(body)]
    other.run()
    return other


def ids_after_an_erasure(world: ErasureWorld) -> list[dict[str, str]]:
    """Persons of a message that named the erased between two of somebody else's identifiers."""
    told = {"traits": {"email": CANARY}, "anonymousId": DEVICE}
    world.send(said("k1", userId=KEEPER, **told), request_id="r1")
    world.cut(("user_id", KEEPER), ("email", CANARY))
    world.cut(("user_id", KEEPER), ("anonymous_id", DEVICE))
    world.run()
    world.now_ms += 1_000
    world.erase(world.subject(email=CANARY))
    world.run()
    lake = {row["identifier"]: row["person_id"] for row in world.rows("identity_current")}
    return [homes(world), lake, homes(rebuilt(world))]


@pytest.mark.deep
def test_whom_a_redacted_message_founded_keeps_the_id_in_a_rebuild_from_raw(
    world: ErasureWorld,
) -> None:
    live, lake, archive = ids_after_an_erasure(world)
    device = KEYRING.identifier_key("anonymous_id", DEVICE)
    assert live[device] == KEYRING.person_id("web", "k1", 2)
    assert live == lake == archive


@pytest.mark.deep
def test_positions_that_close_up_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stamgast.erasure.remains.noted", lambda _: ())
    live, lake, archive = ids_after_an_erasure(world)
    assert live == lake != archive
