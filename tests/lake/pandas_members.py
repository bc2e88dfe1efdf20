"""Who is in which segment by pandas alone: none of the product's code, one function a rule."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

ZONE = "Europe/Amsterdam"
RULES: dict[str, str] = {
    "busy": "count(event = 'Order Completed', last 7 days) >= 2",
    "spender": "orders.total_30d > 40",
    "local": "traits.city = 'Delft'",
    "elsewhere": "not (traits.city = 'Delft')",
    "unknown": "traits.city is null or traits.city != 'Delft'",
    "payer": "sum(properties.amount, event = 'Paid', last 36 hours) > 10",
    "wine": "count(event = 'Product Viewed' and properties.category = 'Wine',"
    " between 1 and 5 days ago) >= 1",
    "looked": "did 'Product Viewed' last 14 days and not 'Order Completed' since",
    "large": "max(properties.amount, last 10 days) >= 20",
    "typical": "avg(properties.amount) between 5 and 15",
    "wine_last": "last(properties.category, event = 'Product Viewed') = 'Wine'",
    "quiet": "not in segment('busy') and last_at > now() - 3 days",
    "spent": "computed.spent > 25",
    "early": "computed.since_order >= 2",
    "summer": "count(event = 'Order Completed', since date '2026-10-25') >= 2",
    "newcomer": "first_at >= today - 20 days",
    "today": "count(last 1 day) >= 1",
    "adult": "traits.age >= 18",
}
TRAITS = """traits:
  spent:
    making: sum
    value: order.revenue
    where: event = 'Order Completed'
    window: last 30 days
  since_order:
    making: days_since
    where: event = 'Order Completed'
"""
HOUR_MS = 3_600_000


class Person:
    """The events of one person up to a moment, as a frame with days of the zone."""

    def __init__(self, events: pd.DataFrame, now_ms: int) -> None:
        self.now_ms = now_ms
        self.now = pd.Timestamp(now_ms, unit="ms", tz="UTC").tz_convert(ZONE)
        self.today = self.now.tz_localize(None).normalize()
        mine = events[events["at"] <= now_ms].sort_values(["at", "key"])
        local = pd.to_datetime(mine["at"], unit="ms", utc=True).dt.tz_convert(ZONE)
        self.events = mine.assign(
            ago=(self.today - local.dt.tz_localize(None).dt.normalize()).dt.days
        )

    def named(self, name: str) -> pd.DataFrame:
        """The events of one name."""
        return self.events[self.events["name"] == name]

    def trait(self, name: str) -> Any:
        """The value that was said last; None when there is none."""
        told = self.events[[isinstance(t, dict) and name in t for t in self.events.traits]]
        return None if told.empty else told.traits.iloc[-1][name]

    def spent(self) -> float:
        """Revenue of the last thirty days."""
        orders = self.named("Order Completed")
        return float(orders[orders.ago <= 29].amount.sum())


def members(events: pd.DataFrame, now_ms: int) -> dict[str, set[str]]:
    """The members of each rule among the persons of a frame of distinct events."""
    people = {who: Person(told, now_ms) for who, told in events.groupby("person")}
    return {
        name: {who for who, person in people.items() if holds(person)}
        for name, holds in HOLDS.items()
    }


def _looked(p: Person) -> bool:
    seen, bought = p.named("Product Viewed"), p.named("Order Completed")
    seen = seen[seen.ago <= 13]
    if seen.empty:
        return False
    return bool(bought.empty or bought["at"].max() <= seen["at"].max())


def _payer(p: Person) -> bool:
    paid = p.named("Paid")
    recent = paid[paid["at"] > p.now_ms - 36 * HOUR_MS]
    return bool(recent.amount.sum() > 10)


def _last_wine(p: Person) -> bool:
    told = p.named("Product Viewed").category.dropna()
    return bool(len(told) and told.iloc[-1] == "Wine")


def _busy(p: Person) -> bool:
    return bool((p.named("Order Completed").ago <= 6).sum() >= 2)


def _typical(p: Person) -> bool:
    return bool(len(p.events.amount.dropna()) and 5 <= round(p.events.amount.mean(), 9) <= 15)


def _old_enough(p: Person) -> bool:
    age = p.trait("age")
    return isinstance(age, int | float) and not isinstance(age, bool) and age >= 18


def _days_since_order(p: Person) -> bool:
    orders = p.named("Order Completed")
    return bool(len(orders) and orders.ago.min() >= 2)


def _since_clocks_changed(p: Person) -> bool:
    orders = p.named("Order Completed")
    days = p.today - pd.to_timedelta(orders.ago, unit="D")
    return bool((days >= pd.Timestamp("2026-10-25")).sum() >= 2)


HOLDS: dict[str, Callable[[Person], bool]] = {
    "busy": _busy,
    "spender": lambda p: p.spent() > 40,
    "local": lambda p: p.trait("city") == "Delft",
    "elsewhere": lambda p: isinstance(p.trait("city"), str) and p.trait("city") != "Delft",
    "unknown": lambda p: not isinstance(p.trait("city"), str) or p.trait("city") != "Delft",
    "payer": _payer,
    "wine": lambda p: bool(
        (
            (p.named("Product Viewed").category == "Wine")
            & p.named("Product Viewed").ago.between(1, 5)
        ).any()
    ),
    "looked": _looked,
    "large": lambda p: bool(np.nanmax([-1.0, *p.events[p.events.ago <= 9].amount]) >= 20),
    "typical": _typical,
    "wine_last": _last_wine,
    "quiet": lambda p: (
        not _busy(p) and bool(len(p.events) and p.events["at"].max() > p.now_ms - 72 * HOUR_MS)
    ),
    "spent": lambda p: p.spent() > 25,
    "early": _days_since_order,
    "summer": _since_clocks_changed,
    "newcomer": lambda p: bool(len(p.events) and p.events.ago.max() <= 20),
    "today": lambda p: bool((p.events.ago == 0).any()),
    "adult": _old_enough,
}
