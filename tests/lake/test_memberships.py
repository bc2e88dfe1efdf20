"""Who is in which segment after a run, what the log says of it, and what time alone does."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from stamgast.moments import ms_of
from stamgast.segments.changes import MembershipChange
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_lake.publishing.work import UntoldError
from stamgast_lake.tables import MEMBERSHIPS
from tests.lake.world import NOON_MS, WORKSPACE, World, evaluate, publish, resolve, unify

STAGES = (resolve, unify, evaluate)
DAY_MS = 86_400_000


def workspace(zone: str = "UTC", **rules: str) -> Workspace:
    lines = [f"  {name}:\n    rule: |\n      {rule}" for name, rule in rules.items()]
    texts = {
        "sources.yaml": "sources:\n  web:\n    name: Web\n",
        "segments.yaml": "segments:\n" + "\n".join(lines) if rules else "{}",
    }
    segments = workspace_of(compile_files(texts)).segments
    return replace(WORKSPACE, segments=segments, time_zone=zone)


def world(**rules: str) -> World:
    return World(workspace=workspace(**rules))


def bought(user: str, message: str, at_ms: int = NOON_MS, **properties: Any) -> dict[str, Any]:
    return {
        "messageId": message,
        "type": "track",
        "event": "Order Completed",
        "userId": user,
        "timestamp": at_ms,
        "properties": {"revenue": 10, "currency": "EUR", **properties},
    }


def log(world: World) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = world.catalogue.rows(MEMBERSHIPS)
    return sorted(rows, key=lambda row: (row["recorded_at"], row["segment"], row["change"]))


def told(world: World) -> list[tuple[str, str, str]]:
    return [(row["segment"], row["change"], row["because"]) for row in log(world)]


def members(world: World) -> Mapping[str, int]:
    return {
        name.removeprefix("segment_"): count
        for name, count in world.run(STAGES)["evaluate"].items()
        if name.startswith("segment_")
    }


def test_who_the_rule_means_enters_and_nobody_else() -> None:
    shop = world(buyers="orders.count >= 2", dear="orders.total_365d > 15")
    shop.send(bought("a", "m1"), bought("a", "m2"), bought("b", "m3", revenue=99))
    assert members(shop) == {"buyers": 1, "dear": 2}
    assert told(shop) == [
        ("buyers", "entered", "facts"),
        ("dear", "entered", "facts"),
        ("dear", "entered", "facts"),
    ]


def test_a_second_run_of_the_same_moment_changes_nothing() -> None:
    shop = world(buyers="orders.count >= 1")
    shop.send(bought("a", "m1"))
    shop.run(STAGES)
    assert shop.run(STAGES)["evaluate"]["memberships"] == 0
    assert len(log(shop)) == 1


@pytest.mark.failure_line(33)
def test_somebody_leaves_with_no_new_event_when_the_window_has_passed() -> None:
    """Line 33: a time window passes, on the day in the workspace's zone and not before."""
    shop = world(active="count(last 7 days) >= 1")
    shop.send(bought("a", "m1"))
    moments = [NOON_MS + days * DAY_MS for days in (0, 6, 7)]
    runs = [shop.run(STAGES, moment)["evaluate"]["segment_active"] for moment in moments]
    assert runs == [1, 1, 0]
    assert told(shop) == [("active", "entered", "facts"), ("active", "left", "facts")]


@pytest.mark.failure_line(33)
def test_a_late_purchase_brings_somebody_in() -> None:
    """Line 33: a late purchase."""
    shop = world(loyal="count(event = 'Order Completed', last 30 days) >= 2")
    shop.send(bought("a", "m1"))
    assert members(shop) == {"loyal": 0}
    shop.send(bought("a", "m2", NOON_MS - 20 * DAY_MS), request_id="r2")
    assert members(shop) == {"loyal": 1}


def test_an_edited_rule_says_so_and_a_removed_segment_lets_everybody_go() -> None:
    shop = world(buyers="orders.count >= 1")
    shop.send(bought("a", "m1"))
    shop.run(STAGES)
    shop.workspace = workspace(buyers="orders.count >= 2")
    shop.run(STAGES, NOON_MS + 1)
    shop.workspace = workspace(buyers="orders.count >= 0")
    shop.run(STAGES, NOON_MS + 2)
    shop.workspace = workspace()
    shop.run(STAGES, NOON_MS + 3)
    assert told(shop) == [
        ("buyers", "entered", "facts"),
        ("buyers", "left", "rule_changed"),
        ("buyers", "entered", "rule_changed"),
        ("buyers", "left", "segment_gone"),
    ]


def test_what_moved_somebody_is_told_by_what_the_run_before_asked() -> None:
    """A widened rule and a new one bring people in; one that was edited long ago moves nobody."""
    shop = world(active="count(last 3 days) >= 1")
    shop.send(bought("a", "m1"), bought("b", "m2", NOON_MS - 4 * DAY_MS))
    shop.run(STAGES)
    shop.workspace = workspace(active="count(last 7 days) >= 1", everybody="person_id is not null")
    for days in (0, 1, 4, 9):
        shop.run(STAGES, NOON_MS + days * DAY_MS + 1)
    assert sorted(told(shop)) == [
        ("active", "entered", "facts"),
        ("active", "entered", "rule_changed"),
        ("active", "left", "facts"),
        ("active", "left", "facts"),
        ("everybody", "entered", "rule_changed"),
        ("everybody", "entered", "rule_changed"),
    ]


def test_who_was_merged_away_leaves() -> None:
    shop = world(buyers="orders.count >= 1")
    shop.send(bought("a", "m1"), {**bought("", "m2"), "userId": None, "anonymousId": "d1"})
    shop.run(STAGES)
    known = {"messageId": "m3", "type": "identify", "userId": "a", "anonymousId": "d1"}
    shop.send(known, request_id="r2")
    assert shop.run(STAGES, NOON_MS + 1)["evaluate"]["segment_buyers"] == 1
    assert told(shop)[2:] == [("buyers", "left", "person_gone")]


def test_a_change_has_the_id_that_the_pure_rule_gives_it() -> None:
    shop = world(buyers="orders.count >= 1")
    shop.send(bought("a", "m1"))
    shop.run(STAGES)
    (row,) = log(shop)
    names = ("person_id", "segment", "change", "rule_version", "because")
    change = MembershipChange(at_ms=ms_of(row["at"]), **{name: row[name] for name in names})
    assert row["change_id"] == change.change_id


def test_rules_see_the_scores_of_the_same_run_and_other_segments() -> None:
    shop = world(
        fresh="rfm.segment = 'new' and rfm.r = 5",
        both="in segment('fresh') and not in segment('rich')",
        rich="orders.revenue > 1000",
    )
    shop.send(bought("a", "m1"))
    assert members(shop) == {"fresh": 1, "both": 1, "rich": 0}


def test_a_trait_an_order_line_and_a_consent_are_found_where_the_lake_keeps_them() -> None:
    shop = world(
        here="traits.address.city = 'Delft' and 'vip' in traits.tags",
        wine="count('Wine' in products.category) = 1",
        willing="consent.email is true",
        unknown="consent.phone is null",
        seen="first_at = last_at and orders.first_at is null",
    )
    traits = {"address": {"city": "Delft"}, "tags": ["vip"], "consent": {"email": True}}
    shop.send(
        {"messageId": "m1", "type": "identify", "userId": "a", "traits": traits},
        bought("b", "m2", products=[{"product_id": "p", "category": "Wine", "price": 1}]),
    )
    sizes = members(shop)
    assert sizes == {"here": 1, "wine": 1, "willing": 1, "unknown": 2, "seen": 1}


@pytest.mark.failure_line(33)
@pytest.mark.parametrize(("zone", "is_in"), [("UTC", 0), ("America/New_York", 1)])
def test_a_day_is_one_of_the_workspaces_zone(zone: str, is_in: int) -> None:
    """Line 33: days across time zones; the evening before is still today in New York."""
    shop = world(today="count(last 1 day) >= 1")
    shop.workspace = workspace(zone, today="count(last 1 day) >= 1")
    midnight = NOON_MS // DAY_MS * DAY_MS
    shop.send(bought("a", "m1", midnight - 3_600_000))
    assert shop.run(STAGES, midnight + 3_600_000)["evaluate"]["segment_today"] == is_in


def standing(shop: World) -> list[str]:
    items = shop.dynamodb.items("profiles")
    rows = [item for item in items if item["SK"]["S"].startswith("M#")]
    return sorted(row["SK"]["S"] for row in rows if row["state"]["S"] == "entered")


def test_who_entered_stands_in_the_live_view_and_is_told_once_a_change() -> None:
    shop = world(buyers="orders.count >= 1", dear="orders.total_365d > 15")
    shop.send(bought("a", "m1"), bought("b", "m2", revenue=99))
    shop.run((*STAGES, publish))
    assert standing(shop) == ["M#buyers", "M#buyers", "M#dear"]
    assert sorted(one.segment for one in shop.told_memberships) == ["buyers", "buyers", "dear"]
    shop.run((*STAGES, publish))
    assert len(shop.told_memberships) == 3


def test_who_left_because_time_passed_is_gone_from_the_live_view_and_told() -> None:
    shop = world(recent="orders.count_2d >= 1")
    shop.send(bought("a", "m1"))
    shop.run((*STAGES, publish))
    shop.run((*STAGES, publish), moment_ms=NOON_MS + 5 * DAY_MS)
    assert standing(shop) == []
    assert [one.change for one in shop.told_memberships] == ["entered", "left"]


def test_a_change_that_the_bus_did_not_take_is_told_by_the_next_run_under_the_same_id() -> None:
    shop = world(buyers="orders.count >= 1")
    shop.untold = 1
    shop.send(bought("a", "m1"))
    with pytest.raises(UntoldError):
        shop.run((*STAGES, publish))
    shop.untold = 0
    shop.run((*STAGES, publish))
    assert len(shop.told_memberships) > 1
    assert len({one.change_id for one in shop.told_memberships}) == 1


def test_a_view_that_was_thrown_away_gets_its_memberships_back_and_nobody_is_told() -> None:
    shop = world(buyers="orders.count >= 1")
    shop.send(bought("a", "m1"))
    shop.run((*STAGES, publish))
    shop.dynamodb.tables["profiles"].clear()
    run = shop.open()
    shop.load(run)
    shop.publish(run, is_whole=True)
    shop.close(run)
    assert standing(shop) == ["M#buyers"]
    assert len(shop.told_memberships) == 1
