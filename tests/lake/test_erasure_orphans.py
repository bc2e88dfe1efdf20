"""An erasure takes whom only the erased had named, told apart from them, and nobody else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stamgast.erasure.needles import needles_of
from stamgast.identity.codec import root_attributes
from stamgast.identity.root import RootState
from stamgast_aws import erasure_items
from stamgast_aws.dynamo_values import item_of
from stamgast_lake.erasure import resolve
from tests.lake.erasure_world import ErasureWorld, erasure_world
from tests.lake.test_erasure_positions import homes, rebuilt, said
from tests.lake.world import KEYRING

KEEPER, CANARY, MAIL = "keeper-1122", "canary-7731", "canary.bird@example.com"
CANARY_KEY, PASSED = KEYRING.identifier_key("user_id", CANARY), KEYRING.person_id("web", "k2", 0)
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


def merged_before_a_cut(world: ErasureWorld) -> list[str]:
    """What the live view has of the erased after a search of bytes.

    A second message of the other's came first and founded a person, whom the erased took in; the
    cut has named the other after the first. Nothing of the erased names that message.
    """
    world.send(said("c1", userId=CANARY, traits={"email": MAIL}), request_id="c1")
    world.send(said("k1", userId=KEEPER), request_id="k1")
    [[canary, root]] = [one for one in world.roots().items() if CANARY_KEY in one[1].members]
    left = replace(root, state=RootState.MERGED, into=canary, members={}, anchors=frozenset())
    key = {"PK": {"S": f"P#{PASSED}"}, "SK": {"S": "@"}}
    world.dynamodb.put_item(TableName="profiles", Item={**key, **item_of(root_attributes(left))})
    whole = world.live_tables.resolve(world.subject(user_id=CANARY))
    world.live_tables.erase(whole)
    needles = needles_of([whole])
    world.live_tables.scan(needles)
    return world.found(needles)["items"]


def test_whom_the_erased_had_taken_in_before_a_cut_goes_with_the_search(
    world: ErasureWorld,
) -> None:
    assert merged_before_a_cut(world) == []
    assert len(world.roots()) == 1


def test_a_search_that_leaves_who_was_merged_is_found(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure_items, "_is_merged_into", lambda *_: False)
    assert merged_before_a_cut(world) == ["profiles P# @"]
