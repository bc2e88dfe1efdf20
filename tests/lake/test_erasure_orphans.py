"""An erasure takes whom only the erased had named, told apart from them, and nobody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stamgast_aws import erasure_items
from stamgast_lake.erasure import resolve
from tests.lake.erasure_world import ErasureWorld, erasure_world
from tests.lake.test_erasure_positions import homes, rebuilt, said
from tests.lake.world import KEYRING

KEEPER, CANARY = "keeper-1122", "canary-7731"
LONE, CUT, SHARED, LATE = "lone-device-1", "cut-device-2", "shared-device-3", "late-device-4"
DEVICES = {KEYRING.identifier_key("anonymous_id", one): one for one in (LONE, CUT, SHARED, LATE)}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        yield made


def devices(told: dict[str, str]) -> dict[str, str]:
    return {DEVICES[key]: person_id for key, person_id in told.items() if key in DEVICES}


def after_an_erasure(world: ErasureWorld) -> list[dict[str, str]]:
    """Devices of the erased that were cut from them, all but one from another person, too.

    That one names the last two, one of them since the run. Their persons in the live view, in the
    lake after another run, then live, and rebuilt from raw.
    """
    for number, device in enumerate(DEVICES.values()):
        world.send(said(f"c{number}", userId=CANARY, anonymousId=device), request_id=f"c{number}")
        for user in (CANARY, KEEPER)[: 1 if device == LONE else 2]:
            world.cut(("user_id", user), ("anonymous_id", device))
    world.now_ms += 1_000
    told = {"request_id": "k1", "received_ms": world.now_ms}
    world.send(said("k1", userId=KEEPER, anonymousId=SHARED), **told)
    world.run()
    told = {"request_id": "k2", "received_ms": world.now_ms}
    world.send(said("k2", userId=KEEPER, anonymousId=LATE), **told)
    world.now_ms += 1_000
    world.erase(world.subject(user_id=CANARY))
    before = homes(world)
    world.run()
    lake = {row["identifier"]: row["person_id"] for row in world.rows("identity_current")}
    return [devices(one) for one in (before, lake, homes(world), homes(rebuilt(world)))]


@pytest.mark.deep
def test_whom_the_erased_alone_had_named_goes_and_the_others_stay(world: ErasureWorld) -> None:
    before, lake, live, raw = after_an_erasure(world)
    assert before.keys() == {CUT, SHARED, LATE}
    assert lake == live == raw


@pytest.mark.deep
def test_an_erasure_that_leaves_them_is_found_out(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure_items, "orphans_of", lambda *_: {})
    _, lake, live, raw = after_an_erasure(world)
    assert live.keys() - {LONE} == lake.keys() == raw.keys() != live.keys()


@pytest.mark.deep
@pytest.mark.parametrize("taken", [SHARED, CUT])
def test_an_erasure_that_takes_whom_others_name_is_found_out(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    named = resolve._named_elsewhere
    gone = {key for key, one in DEVICES.items() if one == taken}
    monkeypatch.setattr(resolve, "_named_elsewhere", lambda *told: named(*told) - gone)
    assert after_an_erasure(world)[0].keys() == {CUT, SHARED, LATE} - {taken}
