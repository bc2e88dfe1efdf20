"""What others said on their own word stays said, on that word, when whom they named is erased."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stamgast_lake.erasure.rules import LEFT_ALONE, RULES
from tests.lake.erasure_world import ErasureWorld, erasure_world

KEEPER, CANARY, DEVICE = "keeper-1122", "canary-7731", "canary-device-55"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    with erasure_world(tmp_path, monkeypatch) as made:
        yield made


def word_of_the_other(world: ErasureWorld) -> Any:
    """How well the lake knows whom a server named beside a device that was somebody else's."""
    both = ((KEEPER, "k1"), (CANARY, "c1"))
    for user, message in both:
        told = {"type": "identify", "userId": user, "anonymousId": DEVICE, "messageId": message}
        world.send(told, request_id=message)
    world.cut(("user_id", KEEPER), ("anonymous_id", DEVICE))
    world.run()
    world.now_ms += 1_000
    world.erase(world.subject(user_id=CANARY))
    world.now_ms += 1_000
    world.run()
    known = world.rows("identity_current")
    return [row["assurance"] for row in known if row["namespace"] == "user_id"]


@pytest.mark.deep
def test_whom_a_server_named_beside_the_erased_is_known_as_well_as_before(
    world: ErasureWorld,
) -> None:
    """Else a page's claim could join two whom servers know, after the erasure of a third."""
    assert word_of_the_other(world) == [2]


@pytest.mark.deep
def test_dropping_the_whole_edge_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = RULES["evidence"]
    assert f" and not {LEFT_ALONE}" in rule.gone
    whole = replace(rule, gone=rule.gone.replace(f" and not {LEFT_ALONE}", ""))
    monkeypatch.setattr("stamgast_lake.erasure.tables.RULES", {**RULES, "evidence": whole})
    assert word_of_the_other(world) != [2]
