"""A generated shop with tastes, discounts, contracts and an experiment; nobody is real.

Each customer has a taste, three favourites within it and a liking for discounts. Those who open
tickets cancel their contracts. Half of all saw an experiment's offer, which changed nothing.
"""

from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import EVENTS
from tests.fakes.model_world import DAYS, ENDS_AT, person

PEOPLE, TASTES, ITEMS = 450, 3, 14
EXPERIMENT_DAY, EXPERIMENT_ON = 250, "2026-10-01"
MODELS = f"""
models:
  next_products:
    kind: recommendation
    cutoffs: {{number: 4, every_days: 30}}
    recommend: {{number: 5, least_buyers: 15, not_bought_within_days: 365}}
  on_offer:
    kind: discount
  leaves:
    kind: churn
    within_days: 30
    cutoffs: {{number: 4, every_days: 30}}
    contract: {{starts: event = 'Subscription Started', ends: event = 'Subscription Cancelled'}}
    defaults: false
    features: {{tickets: "count(event = 'Ticket Opened', last 30 days)", orders: orders.count}}
  helped_by_offer:
    kind: uplift
    target: event = 'Order Completed' and order.revenue >= 30
    within_days: 20
    defaults: false
    features: {{orders: orders.count}}
    experiment:
      starts_on: {EXPERIMENT_ON}
      treated: count(event = 'Experiment Viewed' and properties.variant = 'offer') >= 1
      held_out: count(event = 'Experiment Viewed' and properties.variant = 'none') >= 1
  what_brings_orders:
    kind: drivers
    cutoffs: {{number: 3, every_days: 30}}
    defaults: false
    features: {{tickets: "count(event = 'Ticket Opened', last 30 days)", orders: orders.count_90d}}
  groups:
    kind: clusters
    defaults: false
    features:
      taste_0: "count('taste 0' in products.category) / orders.count"
      taste_1: "count('taste 1' in products.category) / orders.count"
      taste_2: "count('taste 2' in products.category) / orders.count"
    clusters: {{most: 4}}
"""


@cache
def happened(seed: int = 11) -> pa.Table:
    """What everybody did, equal for equal seeds."""
    random = np.random.default_rng(seed)
    rows = [row for number in range(PEOPLE) for row in _life(random, number)]
    return pa.Table.from_pylist(rows, schema=arrow_schema(EVENTS))


def taste_of(number: int) -> int:
    """The taste of a customer."""
    return number % TASTES


def _life(random: Any, number: int) -> list[dict[str, Any]]:
    liking, gap = random.beta(1.5, 1.5), random.uniform(6, 16)
    favourites = random.choice(ITEMS, 3, replace=False)
    told, day = _contract(random, number), random.uniform(0, 20)
    while day < DAYS:
        told.append(_order(random, number, day, favourites, liking))
        day += random.gamma(3.0, gap / 3)
    variant = "offer" if random.random() < 0.5 else "none"
    told.append(event_of(number, EXPERIMENT_DAY + 0.5, "Experiment Viewed", variant=variant))
    return told


def _contract(random: Any, number: int) -> list[dict[str, Any]]:
    """A contract; a ticket makes it end within a month, half the time."""
    day, told = random.uniform(0, 60), []
    told.append(event_of(number, day, "Subscription Started"))
    while (day := day + random.exponential(90)) < DAYS:
        told.append(event_of(number, day, "Ticket Opened"))
        if random.random() < 0.5:
            told.append(event_of(number, day + random.uniform(5, 30), "Subscription Cancelled"))
            break
    return [one for one in told if one["event_at"] < ENDS_AT]


def _order(random: Any, number: int, day: float, favourites: Any, liking: float) -> dict[str, Any]:
    lines = []
    for _ in range(random.integers(1, 5)):
        own = random.random() < 0.3
        item = random.choice(favourites) if own else random.integers(ITEMS)
        other = random.random() < 0.1
        taste = random.integers(TASTES) if other else taste_of(number)
        lines.append(_line(random, int(taste), int(item), random.random() < liking))
    return {**event_of(number, day, "Order Completed"), **_paid(lines)}


def _line(random: Any, taste: int, item: int, is_discounted: bool) -> dict[str, Any]:
    full = 200 + 20 * item
    price = round(full * (0.7 if is_discounted else 1.0))
    quantity = int(1 + random.poisson(2 if is_discounted else 1))
    return {
        "product_id": f"t{taste}-i{item:02}",
        "category": f"taste {taste}",
        "price_minor": price,
        "quantity": quantity,
        "discount_minor": (full - price) * quantity,
    }


def _paid(lines: list[dict[str, Any]]) -> dict[str, Any]:
    total = sum(line["price_minor"] * line["quantity"] for line in lines)
    return {"products": lines, "revenue_minor": total, "currency": "EUR"}


def event_of(number: int, day: float, name: str, **properties: str) -> dict[str, Any]:
    """A row of the table of events: who, on which day of the world, what."""
    at = ENDS_AT - timedelta(days=DAYS - day)
    key = f"m{number:04}-{name}-{day:.6f}"
    said = ", ".join(f'"{one}": "{value}"' for one, value in properties.items())
    return {
        **dict.fromkeys(("message_key", "message_id", "receipt_id", "payload_hash"), key),
        "source_id": "shop",
        "type": "track",
        "event": name,
        **dict.fromkeys(("event_at", "original_at", "received_at"), at),
        "assurance": 2,
        "has_own_time": True,
        "anchor_key": f"u:1:{person(number)}",
        "identifiers": [],
        "order_id": key if name == "Order Completed" else None,
        "products": [],
        "properties": f"{{{said}}}",
        "context": "{}",
        "event_on": at.date(),
        "run_id": "r1",
    }
