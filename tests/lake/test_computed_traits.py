"""What is computed of everybody's events after a run, what the log says, and what rules see."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_lake.tables import COMPUTED_TRAITS
from tests.lake.test_memberships import DAY_MS, STAGES, bought
from tests.lake.world import NOON_MS, WORKSPACE, World, publish

TRAITS = """
traits:
  baskets:
    making: count
    where: event = 'Order Completed'
  favourite_store:
    making: most_frequent
    value: properties.store
  since_last:
    making: days_since
"""


def workspace(traits: str, segments: str = "{}") -> Workspace:
    texts = {
        "sources.yaml": "sources:\n  web:\n    name: Web\n",
        "traits.yaml": traits,
        "segments.yaml": segments,
    }
    compiled = workspace_of(compile_files(texts))
    return replace(WORKSPACE, segments=compiled.segments, traits=compiled.traits)


def kept(shop: World) -> list[Mapping[str, Any]]:
    rows = sorted(shop.catalogue.rows(COMPUTED_TRAITS), key=lambda row: row["recorded_at"])
    return [orjson.loads(row["traits"]) for row in rows]


def test_a_run_keeps_what_is_computed_of_each_person() -> None:
    shop = World(workspace=workspace(TRAITS))
    north, south = [bought("a", m, store="north") for m in ("m1", "m2")], NOON_MS - DAY_MS
    shop.send(*north, bought("a", "m3", south, store="south"))
    assert shop.run(STAGES)["evaluate"]["computed"] == 1
    assert kept(shop) == [
        {"baskets": 3.0, "favourite_store": "north", "since_last": {"$since": "2026-11-21"}}
    ]


def test_a_passing_day_rewrites_no_trait() -> None:
    shop = World(workspace=workspace(TRAITS))
    shop.send(bought("a", "m1"))
    shop.run(STAGES)
    assert shop.run(STAGES, moment_ms=NOON_MS + 3 * DAY_MS)["evaluate"]["computed"] == 0


def test_rules_see_computed_traits() -> None:
    segments = "segments:\n  regulars:\n    rule: computed.baskets >= 2\n"
    shop = World(workspace=workspace(TRAITS, segments))
    shop.send(bought("a", "m1"), bought("a", "m2"), bought("b", "m3"))
    assert shop.run(STAGES)["evaluate"]["segment_regulars"] == 1


def test_traits_that_are_no_longer_computed_go() -> None:
    shop = World(workspace=workspace(TRAITS))
    shop.send(bought("a", "m1"))
    shop.run(STAGES)
    shop.workspace = workspace("{}")
    assert shop.run(STAGES)["evaluate"]["computed"] == 1
    assert kept(shop)[-1] == {}


def test_a_run_publishes_what_is_computed_and_takes_it_back() -> None:
    shop = World(workspace=workspace(TRAITS))
    shop.send(bought("a", "m1", store="north"))
    shop.run((*STAGES, publish))
    assert published(shop)[0]["favourite_store"] == "north"
    shop.workspace = workspace("{}")
    shop.run((*STAGES, publish))
    assert published(shop) == []


def published(shop: World) -> list[dict[str, Any]]:
    items = shop.dynamodb.items("profiles")
    return [orjson.loads(item["traits"]["S"]) for item in items if item["SK"]["S"] == "T#computed"]
