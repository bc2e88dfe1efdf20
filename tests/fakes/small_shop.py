"""A shop of ninety people over nine weeks, drawn from a seed, and the same as rows for pandas."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pandas as pd

from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import Workspace, workspace_of
from tests.lake.world import NOON_MS, WORKSPACE, World, evaluate, resolve, unify

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ZONE, PEOPLE, FIRST_RUN_MS = "Europe/Amsterdam", 90, NOON_MS - 35 * DAY_MS
CITIES, CHANNELS = ("Delft", "Δελφοί", "東京"), ("web", "app", "store")
RULES = """
segments:
  regulars:
    title: Regulars <b>
    description: They come often.
    rule: orders.count >= 3
  wine:
    rule: count('Wine' in products.category, last 28 days) >= 1
  handful:
    rule: traits.handful is true
  everybody:
    rule: person_id is not null
  nobody:
    rule: orders.count > 1000
"""
TRAITS = """
traits:
  views:
    making: count
    where: event = 'Product Viewed'
  days_since_order:
    making: days_since
    where: event = 'Order Completed'
"""
SOURCES = "sources:\n  web:\n    name: Web\n  shop:\n    name: Tills\n  quiet:\n    name: Quiet\n"
PLAN = """
tracking_plan:
  unplanned: flag
  events:
    Order Completed:
      properties:
        order_id: {type: text, required: true}
        revenue: {type: number, required: true}
        channel: {type: text, values: [web, store]}
        products: {type: list, required: true}
        gift_on: {type: date}
    Product Viewed:
      properties:
        category: {type: text, required: true}
"""


def workspace() -> Workspace:
    """The shop's workspace, with the identity settings of the other tests."""
    texts = {
        "workspace.yaml": f"time_zone: {ZONE}\n",
        "sources.yaml": SOURCES,
        "segments.yaml": RULES,
        "traits.yaml": TRAITS,
        "tracking_plan.yaml": PLAN,
    }
    return replace(workspace_of(compile_files(texts)), identity=WORKSPACE.identity)


def story(seed: int = 7) -> list[dict[str, Any]]:
    """Every event as a client sends it, by time; `timestamp` in milliseconds."""
    draw = random.Random(seed)
    told = [event for person in range(PEOPLE) for event in _life(person, draw)]
    return sorted(told, key=lambda event: (event["timestamp"], event["messageId"]))


def _life(person: int, draw: random.Random) -> list[dict[str, Any]]:
    is_regular, user = person % 3 == 0, f"u{person:02}"
    at = NOON_MS - draw.randrange(50, 62) * DAY_MS - draw.randrange(24) * HOUR_MS
    told = [_identify(person, user, at, is_regular, draw)] if person % 5 else []
    for visit in range(draw.randrange(4, 9) if is_regular else draw.randrange(1, 4)):
        at += draw.randrange(1, 12) * DAY_MS + draw.randrange(24) * HOUR_MS + draw.randrange(60)
        told += _visit(user, f"{user}-{visit}", at, is_regular, draw)
    return [event for event in told if event["timestamp"] < NOON_MS - DAY_MS]


def _identify(
    person: int, user: str, at: int, is_regular: bool, draw: random.Random
) -> dict[str, Any]:
    city = draw.choices(CITIES, (6, 1, 1) if is_regular else (1, 2, 2))[0]
    return {
        "type": "identify",
        "messageId": f"i-{user}",
        "userId": user,
        "timestamp": at,
        "traits": {
            "email": f"{user}@example.org",
            "name": f"Person {user}",
            "address": {"city": city, "street": f"Street {person}"},
            "age": 20 + person % 37,
            "tags": ["new", *(["vip"] if is_regular else [])],
            **({"handful": True} if person in (1, 2, 3, 4) else {}),
        },
    }


def _visit(
    user: str, name: str, at: int, is_regular: bool, draw: random.Random
) -> list[dict[str, Any]]:
    channel = draw.choices(CHANNELS, (5, 1, 2) if is_regular else (2, 2, 4))[0]
    known = {"userId": user, "properties": {"channel": channel}}
    steps: list[dict[str, Any]] = []
    if channel != "store":
        steps.append({"type": "page", "name": "Home"})
        if draw.random() < 0.8:
            view = {"category": "Wine"} if draw.random() < 0.7 else {}
            steps.append({"type": "track", "event": "Product Viewed", "properties": view})
    if draw.random() < (0.8 if is_regular else 0.4):
        steps.append(_order(name, is_regular, draw))
    return [
        {
            **known,
            **step,
            "messageId": f"{name}-{place}",
            "timestamp": at + place * 90_000,
            "properties": {**known["properties"], **step.get("properties", {})},  # type: ignore[dict-item]
        }
        for place, step in enumerate(steps)
    ]


def _order(name: str, is_regular: bool, draw: random.Random) -> dict[str, Any]:
    kinds = ["Wine" if draw.random() < (0.7 if is_regular else 0.2) else "Bread"]
    kinds += ["Milk"] * (draw.random() < 0.5)
    lines = [{"product_id": kind.lower(), "category": kind, "price": 3} for kind in kinds]
    properties: dict[str, Any] = {
        "order_id": f"o-{name}",
        "revenue": draw.randrange(100, 9_000) / 100,
        "currency": "USD" if draw.random() < 0.1 else "EUR",
        "products": lines,
    }
    if draw.random() < 0.1:
        properties["gift_on"] = "tomorrow"
    if draw.random() < 0.1:
        properties["order_id"] = 17
    return {"type": "track", "event": "Order Completed", "properties": properties}


@cache
def shop() -> World:
    """The shop after two runs, five weeks apart; not to be changed."""
    world = World(workspace=workspace())
    events = story()
    for number, (moment, source) in enumerate(((FIRST_RUN_MS, "shop"), (NOON_MS, "web"))):
        part = [one for one in events if (one["timestamp"] < FIRST_RUN_MS) is (number == 0)]
        told = {"received_ms": moment - HOUR_MS, "source_id": source}
        world.put_file(*part, request_id=f"f{number}", **told)
        world.put_file(*part[:20], request_id=f"again{number}", **told)
        world.run((resolve, unify, evaluate), moment)
    return world


def frame() -> pd.DataFrame:
    """The events as rows: user, at (UTC), local, type, step, channel, source and the order."""
    rows = [_row(event) for event in story()]
    told = pd.DataFrame(rows)
    told["at"] = pd.to_datetime(told["ms"], unit="ms", utc=True)
    told["local"] = told["at"].dt.tz_convert(ZONE).dt.tz_localize(None)
    told["week"] = told["local"].dt.normalize() - pd.to_timedelta(
        told["local"].dt.day_of_week, unit="D"
    )
    return told


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    told = event.get("properties", {})
    name = event.get("event") or event.get("name")
    step = f"page: {name}" if event["type"] == "page" else name or event["type"]
    source = "shop" if event["timestamp"] < FIRST_RUN_MS else "web"
    is_order = event.get("event") == "Order Completed"
    return {
        "user": event["userId"],
        "message": event["messageId"],
        "ms": event["timestamp"],
        "type": event["type"],
        "step": step,
        "source": source,
        "channel": told.get("channel") or source,
        "is_order": is_order,
        "cents": round(told["revenue"] * 100) if is_order else None,
        "currency": told.get("currency"),
        "kinds": [line["category"] for line in told.get("products", ())],
        "properties": told,
        "traits": event.get("traits", {}),
    }


NOON_AT = datetime.fromtimestamp(NOON_MS / 1000, UTC)
