"""The catalogue of sources says what pandas finds in the events as they were sent."""

import json
from collections import Counter
from functools import cache
from typing import Any

import pytest

from stamgast_cli.reports.sources import sources_report
from stamgast_lake.engine import session
from stamgast_lake.query import LakeSession
from tests.fakes.small_shop import FIRST_RUN_MS, HOUR_MS, NOON_MS, frame, shop, workspace
from tests.lake.world import World, evaluate, resolve, unify

SOURCES = pytest.mark.parametrize("source", ["shop", "web"])


@cache
def report(days: int | None = None) -> Any:
    return report_of(shop(), days)


def report_of(world: World, days: int | None = None) -> Any:
    with session() as engine:
        lake = LakeSession(engine, world.catalogue, None, "")  # type: ignore[arg-type]  # the fake
        return sources_report(lake, world.workspace, days)


def source_of(name: str, days: int | None = None) -> Any:
    return next(one for one in report(days)["sources"] if one["source"] == name)


@cache
def sent() -> Any:
    return frame()


def of(source: str) -> Any:
    return sent()[sent()["source"] == source]


def test_every_source_of_the_workspace_stands_in_it_also_one_that_never_sent() -> None:
    assert [one["source"] for one in report()["sources"]] == ["quiet", "shop", "web"]
    quiet = source_of("quiet")
    assert (quiet["events"], quiet["freshness"]["stage"]) == (0, "never")
    assert quiet["receipts"]["states"]["stored"] == {"receipts": 0, "share": None}
    assert quiet["name"] == "Quiet"


@SOURCES
def test_it_counts_what_a_source_sent_and_says_since_when(source: str) -> None:
    told, rows = source_of(source), of(source)
    found = {(one["type"], one["event"]): one["events"] for one in told["event_types"]}
    names = rows["step"].where(rows["type"] != "identify").str.removeprefix("page: ")
    names = names.astype(object).where(names.notna(), None)
    assert found == Counter(zip(rows["type"], names, strict=True))
    assert told["events"] == len(rows)
    assert told["first_event_at"] == rows["at"].min().isoformat()
    assert told["last_event_at"] == rows["at"].max().isoformat()


@SOURCES
def test_every_receipt_has_one_state(source: str) -> None:
    told = source_of(source)["receipts"]
    states = {name: one["receipts"] for name, one in told["states"].items()}
    assert states["stored"] == len(of(source))
    assert states["duplicate"] == 20
    assert told["total"] == sum(states.values())
    assert told["states"]["duplicate"]["share"] == pytest.approx(20 / told["total"])


@SOURCES
def test_identifiers_are_covered_by_namespace(source: str) -> None:
    told, rows = source_of(source), of(source)
    covered = {one["namespace"]: one["share"] for one in told["identifiers"]}
    assert covered["u"] == 1.0
    assert covered["e"] == pytest.approx((rows["type"] == "identify").mean())
    assert covered["d"] == 0.0
    assert told["without_identifier"]["events"] == 0
    assert told["assurance"]["verified"]["share"] == 1.0


@SOURCES
def test_properties_are_covered_by_kind_of_event_and_by_type(source: str) -> None:
    rows = of(source)
    orders = rows[rows["is_order"]]["properties"]
    told = {
        one["property"]: one
        for one in source_of(source)["properties"]
        if one["event"] == "Order Completed"
    }
    for name in ("order_id", "channel", "products", "gift_on", "revenue"):
        assert told[name]["share"] == pytest.approx(orders.map(lambda one, n=name: n in one).mean())
    numbers = orders.map(lambda one: one["order_id"] == 17).sum()
    assert told["order_id"]["types"].get("number", 0) == numbers
    assert told["products"]["types"] == {"list": len(orders)}
    assert (told["order_id"]["is_required"], told["currency"]["is_planned"]) == (True, False)


@SOURCES
def test_traits_of_identify_calls_are_covered_too(source: str) -> None:
    rows = [trait for trait in of(source)["traits"] if trait]
    told = {one["property"]: one["events"] for one in source_of(source)["properties"]}
    assert told.get("traits.email", 0) == len(rows)


@SOURCES
def test_quality_against_the_plan_is_that_of_the_events(source: str) -> None:
    rows = of(source)
    orders = rows[rows["is_order"]]["properties"]
    views = rows[rows["step"] == "Product Viewed"]["properties"]
    expected = {
        ("Order Completed", "order_id", "type"): orders.map(
            lambda one: one["order_id"] == 17
        ).sum(),
        ("Order Completed", "channel", "value"): orders.map(lambda o: o["channel"] == "app").sum(),
        ("Order Completed", "gift_on", "type"): orders.map(lambda one: "gift_on" in one).sum(),
        ("Product Viewed", "category", "missing"): views.map(lambda o: "category" not in o).sum(),
    }
    told = source_of(source)["plan"]
    found = {(one["event"], one["property"], one["fault"]): one["events"] for one in told["faults"]}
    assert found == {name: count for name, count in expected.items() if count}
    faulty = orders.map(lambda o: o["order_id"] == 17 or o["channel"] == "app" or "gift_on" in o)
    bad = int(faulty.sum()) + expected["Product Viewed", "category", "missing"]
    assert told["planned"] == len(orders) + len(views)
    assert told["kept"] == told["planned"] - bad
    assert told["unplanned"] == 0


def test_a_span_of_days_counts_what_was_received_in_it() -> None:
    assert source_of("shop", 7)["events"] == 0
    assert source_of("web", 7)["events"] == len(of("web"))
    assert source_of("shop", 7)["freshness"] == source_of("shop")["freshness"]


def test_freshness_is_measured_by_the_days_on_which_a_source_sent() -> None:
    told = source_of("shop")["freshness"]
    assert told["silent_hours"] == (NOON_MS - FIRST_RUN_MS + HOUR_MS) / HOUR_MS
    assert (told["days"], told["silent_days"], told["stage"]) == (1, 35, "new")


def late_shop() -> World:
    """A source that came every second day, and then no more; and some events that are refused."""
    day = 24 * HOUR_MS
    world = World(workspace=workspace())
    for number in range(8):
        at = NOON_MS - 40 * day + 2 * number * day
        told = {"type": "track", "event": "Looked", "userId": "a", "timestamp": at}
        world.put_file(
            {**told, "messageId": f"m{number}"},
            {
                "type": "track",
                "userId": "b",
                "messageId": f"bad{number}",
                "event": "",
                "x": "é@x.nl",
            },
            request_id=f"r{number}",
            source_id="web",
            received_ms=at,
        )
    world.run((resolve, unify, evaluate))
    return world


def test_a_silence_longer_than_the_habit_is_late_and_names_nobody() -> None:
    told = report_of(late_shop())
    web = next(one for one in told["sources"] if one["source"] == "web")
    assert (web["freshness"]["usual_days"], web["freshness"]["late_after_days"]) == (2, 4)
    assert web["freshness"]["stage"] == "lapsed"
    assert web["plan"]["unplanned_events"] == [{"event": "Looked", "events": 8}]
    assert report()["sources"]
    for name in ("@x.nl", "@example.org", "Person", "u01"):
        assert name not in json.dumps([told, report()])
