"""Worlds in which buying tells who somebody is: an experiment with visitors, and customers who are
unnamed until they pay.

Visitors of the experiment are those of `tests.fakes.joining_world`: two devices each, joined when
they first buy. Chance shows half of them an offer, which makes the eager buy more often. Customers
look around in the weeks before they buy, on a browser that is new every three weeks, and sign in on
it when they pay alone.
"""

from collections.abc import Iterator

import numpy as np

from tests.fakes.joining_world import BEYOND, Happened
from tests.fakes.model_world import DAYS

START, STARTS_ON, LIFT = 264.79, "2026-10-16", 3.0
"""The day of the experiment's beginning, of the world and of the calendar of Amsterdam."""
OFFERED = f"""
models:
  moved:
    kind: uplift
    target: event = 'Order Completed'
    within_days: 30
    population: count(last 60 days) >= 1
    exclude: orders.count >= 1
    defaults: false
    features: {{visits_30d: count(last 30 days), days_known: days_since(first_at)}}
    experiment:
      starts_on: {STARTS_ON}
      treated: count(event = 'Offer Shown' and properties.variant = 'offer') >= 1
      held_out: count(event = 'Offer Shown' and properties.variant = 'none') >= 1
"""
WORTH = """
models:
  worth:
    kind: lifetime_value
    within_days: 30
    cutoffs: {number: 5, every_days: 30}
    defaults: false
    features:
      days_since_order: days_since(orders.last_at)
      orders: orders.count
      days_since_seen: days_since(last_at)
      visits_14d: count(event = 'Product Viewed', last 14 days)
"""
Random = np.random.Generator


def visitors(people: int, seed: int, treated: float = 0.5) -> list[Happened]:
    """What everybody does, of whom such a part is offered something."""
    random = np.random.default_rng((seed, round(1000 * treated)))
    return [one for human in range(people) for one in _visitor(random, human, treated)]


def _visitor(random: Random, human: int, treated: float) -> Iterator[Happened]:
    day, visits = random.uniform(-60, DAYS - 40), random.gamma(2.0, 0.06)
    is_eager, is_treated = random.random() < 0.5, random.random() < treated
    known, shown = set[int](), set[int]()
    while (day := day + random.exponential(1 / max(visits, 0.01))) < DAYS:
        device = int(random.random() < 0.5)
        if day >= START and device not in shown:
            variant = "offer" if is_treated else "none"
            shown.add(device)
            yield Happened(day, human, device, "Offer Shown", device in known, variant=variant)
        chance = (0.04 if is_eager else 0.01) * (LIFT if is_eager and is_treated and shown else 1)
        if random.random() < chance and day >= 0:
            if not known:
                yield Happened(day + random.uniform(0, 3), human, 1 - device, "Signed In", True)
            known = {0, 1}
            yield Happened(day, human, device, "Order Completed", True)
        elif day >= 0:
            yield Happened(day, human, device, "Product Viewed", device in known)


def rate(happened: list[Happened], of: range) -> float:
    """Of those who were seen on a device of late, and had bought nothing, who buys in the days."""
    days = dict.fromkeys(of, START + BEYOND)
    for one in happened:
        if one.event == "Order Completed":
            days[one.human] = min(one.day, days[one.human])
    seen = {(one.human, one.device) for one in happened if START - 60 <= one.day < START}
    return float(np.mean([days[h] < START + BEYOND for h, _ in seen if days[h] >= START]))


def customers(people: int, seed: int) -> list[Happened]:
    """What customers do, until a horizon beyond the end."""
    random = np.random.default_rng((seed, 7))
    return [one for human in range(people) for one in _customer(random, human)]


def _customer(random: Random, human: int) -> list[Happened]:
    orders, until = _orders(random), DAYS + BEYOND
    scale, before = 1 / random.gamma(4.0, 1 / 3.0), random.uniform(0, 20, (len(orders), 4))
    views = [*(day - back for day, of in zip(orders, before, strict=True) for back in of)]
    views += list(random.uniform(0, until, random.poisson(6)))
    named: dict[int, float] = {}
    for day in orders:
        named.setdefault(_browser(day), day)
    told = [
        Happened(
            day, human, _browser(day), "Product Viewed", day >= named.get(_browser(day), until)
        )
        for day in views
    ]
    cents = (100 * random.gamma(6.0, scale, len(orders)) + 50).astype(int)
    for day, paid in zip(orders, cents, strict=True):
        told.append(Happened(day, human, _browser(day), "Order Completed", True, cents=int(paid)))
    return [one for one in told if 0 <= one.day < until]


def _browser(day: float) -> int:
    return int(day // 21)


def _orders(random: Random) -> list[float]:
    gap, leaves = 1 / max(random.gamma(1.2, 1 / 40), 1e-3), random.beta(1.0, 9.0)
    days = [random.uniform(0, DAYS - 20)]
    while days[-1] < DAYS + BEYOND and random.random() >= leaves:
        days.append(days[-1] + random.exponential(gap))
    return days
