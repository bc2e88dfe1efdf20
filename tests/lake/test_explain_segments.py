"""What an explanation reads of somebody is what the lake's rules read: after a run they agree."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_lake import segment_records
from tests.fakes.segment_desk import Counter
from tests.lake.world import NOON_MS, WORKSPACE, World

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
RULES = {
    "columns": "orders.count >= 2 and orders.revenue > 20 and orders.currency = 'EUR'",
    "dates": "orders.first_at >= today - 20 days and last_at <= now() - 1 hours",
    "totals": "orders.total_30d > 20 or orders.average_365d > 11",
    "rfm": "rfm.segment in ('champions', 'loyal', 'potential_loyalist') and rfm.f >= 2",
    "rfm_money": "rfm.monetary > 20 and rfm.last_order_on > today - 9 days",
    "traits": "traits.address.city = 'Delft' or 'vip' in traits.tags",
    "consent": "consent.email is true",
    "windows": "count(event = 'Viewed' and properties.category = 'Wine', last 14 days) >= 1",
    "hours": "count(event = 'Viewed', last 30 hours) >= 1",
    "products": "count('Wine' in products.category) >= 1",
    "context": "count(campaign.source = 'mail' or page.path = '/wine') >= 1",
    "funnel": "did 'Viewed' then 'Order Completed' within 10 days",
    "lacking": "did 'Viewed' last 20 days and not 'Order Completed' since",
    "distinct": "count_distinct(properties.category) >= 2",
    "sums": "sum(order.revenue, between 3 and 40 days ago) > 10",
    "days": "computed.days_since_basket > 4",
    "computed": "computed.favourite = 'Wine' and computed.baskets >= 2",
    "latest": "computed.latest_basket > now() - 10 days",
    "rhythm": "rhythm.slowness > 0.5 or lifecycle = 'new'",
    "nested": "in segment('columns') and not in segment('windows')",
}
TRAITS = """
traits:
  days_since_basket: {making: days_since, where: "event = 'Order Completed'"}
  favourite: {making: most_frequent, value: properties.category, where: "event = 'Viewed'"}
  baskets: {making: count, where: "event = 'Order Completed'"}
  latest_basket: {making: maximum, value: event_at, where: "event = 'Order Completed'"}
"""
PEOPLE = "bcdefg"


def workspace(rules: Mapping[str, str] = RULES, traits: str = TRAITS) -> Workspace:
    lines = [f"  {name}:\n    rule: |\n      {rule}" for name, rule in rules.items()]
    made = workspace_of(
        compile_files(
            {
                "sources.yaml": "sources:\n  web:\n    name: Web\n",
                "segments.yaml": "segments:\n" + "\n".join(lines),
                "traits.yaml": traits,
            }
        )
    )
    zone = "Europe/Amsterdam"
    return replace(WORKSPACE, segments=made.segments, traits=made.traits, time_zone=zone)


def happened(who: str, place: int) -> list[dict[str, Any]]:
    """What a person did, another thing for each place in the alphabet."""
    told = []
    for number in range(place % 5):
        at = NOON_MS - (number * 5 + place) * DAY_MS - HOUR_MS
        line = {"product_id": "p1", "category": ("Wine", "Beer")[place % 2], "price": 5}
        basket = {"revenue": 9 + place, "currency": "EUR", "products": [line]}
        told.append({"event": "Order Completed", "timestamp": at, "properties": basket})
    for number in range(place % 4):
        at = NOON_MS - number * 3 * DAY_MS - place * HOUR_MS
        context = {"campaign": {"source": "mail"}} if place == 3 else {"page": {"path": "/wine"}}
        seen = {"category": ("Wine", "Beer", "Tea")[number], "price": number}
        told.append({"event": "Viewed", "timestamp": at, "properties": seen, "context": context})
    for number, one in enumerate(told):
        one |= {"type": "track", "userId": who, "messageId": f"{who}{number}"}
    traits: dict[str, Any] = {"address": {"city": ("Delft", "Gouda")[place % 2]}}
    if place % 3:
        traits |= {"tags": ["vip"], "consent": {"email": place % 3 == 1}}
    identify = {"type": "identify", "userId": who, "messageId": f"{who}i", "traits": traits}
    return [*told, {**identify, "timestamp": NOON_MS - 50 * DAY_MS}]


@pytest.fixture(scope="module")
def counter(engine: DuckDBPyConnection) -> Iterator[Counter]:
    """The people after a run; one session answers all questions, for there are many."""
    shop = World(workspace=workspace())
    for place, who in enumerate(PEOPLE, start=1):
        shop.send(*happened(who, place), request_id=f"r{who}")
    shop.run()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_records, "session", lambda: nullcontext(engine))
        yield Counter(shop)


@pytest.mark.parametrize("segment", RULES)
def test_an_explanation_agrees_with_what_the_run_published(counter: Counter, segment: str) -> None:
    verdicts = set()
    for who in PEOPLE:
        told = counter.answer("explain", segment=segment, identifier=f"u:{who}")
        logged = (told["membership"]["last_change"] or {}).get("change") == "entered"
        assert told["is_in"] == logged, (who, told["reasons"])
        verdicts.add(told["is_in"])
    assert verdicts == {True, False}, "the people tell nothing about this rule"


LIVE = {
    "listed": "count('blue' in properties.tags) >= 1",
    "basket": "count('Wine' in products.category) >= 1",
    "campaign": "count(campaign.source = 'mail', last 2 days) >= 1",
    "share": "computed.share >= 0.8",
    "behind": "in segment('share') and not in segment('listed')",
}
SHARE = """
traits:
  share: {making: share, where: event = 'Viewed', matching: "'x' in properties.tags"}
"""


def test_between_runs_an_explanation_says_of_live_rules_what_look_ups_say(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of lists, baskets, campaigns and traits since the run the items know, no timeline does."""
    monkeypatch.setattr(segment_records, "session", lambda: nullcontext(engine))
    shop = World(workspace=workspace(LIVE, SHARE))
    viewed: dict[str, Any] = {"type": "track", "userId": "b", "event": "Viewed"}
    viewed["timestamp"] = NOON_MS - HOUR_MS
    shop.send({**viewed, "messageId": "m1", "properties": {"tags": []}}, request_id="r1")
    shop.run()
    fresh = {**viewed, "properties": {"tags": ["x"]}, "context": {"campaign": {"source": "mail"}}}
    basket = {"revenue": 9, "products": [{"product_id": "p", "category": "Wine"}]}
    order = {**viewed, "event": "Order Completed", "messageId": "o", "properties": basket}
    shop.send(*({**fresh, "messageId": f"f{n}"} for n in range(4)), order, request_id="r2")
    counter = Counter(shop)
    told = {name: counter.answer("explain", segment=name, identifier="u:b") for name in LIVE}
    assert {name for name, one in told.items() if one["is_in"]} == LIVE.keys() - {"listed"}
    assert all(one["is_as_published"] for one in told.values())
    assert told["share"]["reasons"][0]["seen"][0]["value"] == 0.8
