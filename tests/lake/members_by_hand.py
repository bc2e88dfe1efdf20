"""Who is in which segment, by pandas and plain Python, of what the documentation says alone.

Nothing of the product is imported: neither its language nor its windows, scores or rhythms. Null is
None, and `both`, `either` and `no` are Kleene's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction
from functools import cache, cached_property
from itertools import pairwise
from math import ceil
from typing import Any

import pandas as pd

Verdict = bool | None
WITHOUT_MINOR, OF_THREE = {"JPY", "KRW", "ISK"}, {"KWD", "BHD"}
HOUR_MS = 3_600_000
GRID = """
lost lost at_risk at_risk cannot_lose
hibernating hibernating at_risk at_risk cannot_lose
about_to_sleep about_to_sleep need_attention loyal loyal
promising potential_loyalist potential_loyalist loyal loyal
new potential_loyalist potential_loyalist champions champions
"""


def both(*told: Verdict) -> Verdict:
    """True of all, false of one, else null."""
    return False if False in told else None if None in told else True


def either(*told: Verdict) -> Verdict:
    """True of one, false of all, else null."""
    return True if True in told else None if None in told else False


def no(told: Verdict) -> Verdict:
    """The other one; null of null."""
    return None if told is None else not told


def number(value: Any) -> float | None:
    """A JSON number; a boolean and a number in quotes are none."""
    return float(value) if type(value) in (int, float) else None


def text(value: Any) -> str | None:
    """A JSON text."""
    return value if isinstance(value, str) else None


def at(told: Any, *path: str) -> Any:
    """What stands in objects within objects; None where a step is missing."""
    for step in path:
        told = told.get(step) if isinstance(told, dict) else None
    return told


def when(value: float | None, test: Callable[[float], bool]) -> Verdict:
    """A comparison with what may be null."""
    return None if value is None else test(value)


@cache
def day_of(ms: int, zone: str) -> pd.Timestamp:
    """The day of an instant in a zone, asked of pandas."""
    moment = pd.Timestamp(ms, unit="ms", tz="UTC").tz_convert(zone)
    return pd.Timestamp(moment.year, moment.month, moment.day)


@dataclass(frozen=True)
class Clock:
    """A moment, and the zone whose days are meant."""

    ms: int
    zone: str

    @property
    def today(self) -> pd.Timestamp:
        return self.day(self.ms)

    def day(self, ms: int) -> pd.Timestamp:
        return day_of(ms, self.zone)

    def since(self, ms: int) -> int:
        """Whole days of the zone from an instant's day to today."""
        return int((self.today - self.day(ms)).days)


def amount_of(told: Any, currency: str) -> int | None:
    """Minor units, half to even; a number, or a number in quotes."""
    if type(told) not in (int, float, str):
        return None
    places = 0 if currency in WITHOUT_MINOR else 3 if currency in OF_THREE else 2
    try:
        return int((Decimal(str(told).strip()) * 10**places).quantize(1, ROUND_HALF_EVEN))
    except InvalidOperation:
        return None


def major_of(minor: int, currency: str) -> float:
    """Minor units in major ones."""
    return minor / (1 if currency in WITHOUT_MINOR else 1_000 if currency in OF_THREE else 100)


@dataclass(frozen=True)
class Order:
    """A completed order with an amount."""

    ms: int
    minor: int
    currency: str

    @property
    def major(self) -> float:
        return major_of(self.minor, self.currency)


def order_in(told: Mapping[str, Any]) -> Order | None:
    """The order of a track call of that name; one without an amount is none."""
    if told["type"] != "track" or told.get("event") != "Order Completed":
        return None
    properties = told.get("properties") or {}
    currency = properties.get("currency", "USD")
    for name in ("revenue", "total", "value"):
        minor = amount_of(properties.get(name), currency)
        if minor is not None:
            return Order(told["timestamp"], minor, currency)
    return None


class Someone:
    """A person's distinct messages up to a moment, and whatever is computed of them."""

    def __init__(self, told: Iterable[Mapping[str, Any]], clock: Clock) -> None:
        self.clock = clock
        mine = (one for one in told if one["timestamp"] <= clock.ms)
        self.events = sorted(mine, key=lambda one: int(one["timestamp"]))
        self.scores: Mapping[str, Any] = {}

    # what events tell

    def named(self, *names: str) -> list[Mapping[str, Any]]:
        return [one for one in self.events if one.get("event") in names]

    def ago(
        self, told: Iterable[Mapping[str, Any]], oldest: int, newest: int = 0
    ) -> list[Mapping[str, Any]]:
        """Those whose day in the zone lies between so many days ago."""
        return [e for e in told if newest <= self.clock.since(e["timestamp"]) <= oldest]

    def hours(self, told: Iterable[Mapping[str, Any]], hours: int) -> list[Mapping[str, Any]]:
        return [one for one in told if one["timestamp"] > self.clock.ms - hours * HOUR_MS]

    @cached_property
    def traits(self) -> dict[str, Any]:
        """What was said last of each; null takes it away."""
        found: dict[str, Any] = {}
        for one in self.events:
            found |= one.get("traits") or {}
        return {name: value for name, value in found.items() if value is not None}

    def consent(self, purpose: str) -> Verdict:
        """The latest word; null in place of the whole trait takes back what was said.

        Of a purpose that nobody named it says nothing, where the workspace declares none.
        """
        word: Verdict = None
        for told in (
            one["traits"] for one in self.events if "consent" in (one.get("traits") or {})
        ):
            if told["consent"] is None:
                word = None if word is None else False
            elif purpose in told["consent"]:
                word = told["consent"][purpose] is True
        return word

    @cached_property
    def is_closed(self) -> bool:
        """Whether null stood for every consent; no later word about one purpose opens that."""
        told = [one["traits"] for one in self.events if one.get("traits")]
        return any("consent" in one and one["consent"] is None for one in told)

    def property(self, told: Iterable[Mapping[str, Any]], *path: str) -> list[Any]:
        return [at(one.get("properties"), *path) for one in told]

    def amounts(self, told: Iterable[Mapping[str, Any]]) -> list[Fraction]:
        """The numbers of a property, exactly to the millionth."""
        listed = (number(one) for one in self.property(told, "amount"))
        return [
            Fraction(round(Decimal(str(one)) * 10**6), 10**6) for one in listed if one is not None
        ]

    # orders

    @cached_property
    def orders(self) -> list[Order]:
        return [order for one in self.events if (order := order_in(one)) is not None]

    @cached_property
    def principal(self) -> str | None:
        """Ordered in most often, then latest, then first by its code."""
        if not self.orders:
            return None
        ranked = sorted(
            (-len(mine := [o.ms for o in self.orders if o.currency == code]), -max(mine), code)
            for code in {o.currency for o in self.orders}
        )
        return ranked[0][2]

    def paid(self, days: int | None = None) -> list[Order]:
        """Orders in the principal currency, of the last days."""
        return [o for o in self.recent(days) if o.currency == self.principal]

    def recent(self, days: int | None = None) -> list[Order]:
        return [o for o in self.orders if days is None or self.clock.since(o.ms) < days]

    def total(self, days: int | None = None) -> float:
        minor = sum(o.minor for o in self.paid(days))
        return major_of(minor, self.principal) if self.principal else 0.0

    def average(self, days: int) -> float | None:
        paid = self.paid(days)
        return None if not paid else sum(o.major for o in paid) / len(paid)

    # rhythm

    @cached_property
    def order_days(self) -> list[pd.Timestamp]:
        return sorted({self.clock.day(o.ms) for o in self.orders})

    @cached_property
    def silence(self) -> int:
        return int((self.clock.today - self.order_days[-1]).days)

    @cached_property
    def usual(self) -> int | None:
        return rank(gaps(self.order_days), 50)

    @cached_property
    def slowness(self) -> float | None:
        return None if self.usual is None else self.silence / self.usual

    @cached_property
    def stage(self) -> str:
        if not self.order_days:
            return "prospect"
        late, lapsed = patience(self.order_days)
        if self.silence > lapsed:
            return "lapsed"
        if self.silence > late:
            return "late"
        if len(self.order_days) == 1:
            return "new"
        before = patience(self.order_days[:-1])[1]
        return "returned" if gaps(self.order_days)[-1] > before else "active"

    # funnels

    def then(self, *steps: str, within_ms: int | None = None, days: int | None = None) -> bool:
        """Each step later than the one before, the last within so long of the first."""
        told = self.events if days is None else self.ago(self.events, days - 1)
        for first in (e["timestamp"] for e in told if e.get("event") == steps[0]):
            last: int | None = first
            for step in steps[1:]:
                later = [
                    e["timestamp"]
                    for e in told
                    if e.get("event") == step and last is not None and e["timestamp"] > last
                ]
                last = min(later, default=None)
            if last is not None and (within_ms is None or last - first <= within_ms):
                return True
        return False

    def without(self, did: Sequence[Mapping[str, Any]], lacking: str) -> bool:
        """It happened, and the other not later than the latest."""
        last = max((e["timestamp"] for e in did), default=None)
        return last is not None and all(e["timestamp"] <= last for e in self.named(lacking))

    def latest(self, *names: str) -> int | None:
        return max((e["timestamp"] for e in self.named(*names)), default=None)


def gaps(days: Sequence[pd.Timestamp]) -> list[int]:
    """Days between neighbours."""
    return [int((b - a).days) for a, b in pairwise(days)]


def rank(listed: Sequence[int], percent: int) -> int | None:
    """The nearest rank, from three on."""
    if len(listed) < 3:
        return None
    return sorted(listed)[ceil(Fraction(percent, 100) * len(listed)) - 1]


def patience(days: Sequence[pd.Timestamp]) -> tuple[int, int]:
    """After how many days somebody is late, and gone."""
    usual, rare = rank(gaps(days), 50), rank(gaps(days), 90)
    if usual is None or rare is None:
        return 60, 365
    late = max(2 * usual, rare)
    return late, 3 * late


def scored(people: Mapping[str, Someone], moment_ms: int) -> dict[str, dict[str, Any]]:
    """RFM of every buyer: quintiles counted by hand, one-time buyers apart, money by currency."""
    rows = [
        {
            "who": who,
            "last": pd.Timestamp(max(o.ms for o in one.orders), unit="ms").normalize(),
            "times": len(one.orders),
            "money": sum(o.minor for o in one.paid()),
            "code": one.principal,
        }
        for who, one in people.items()
        if one.orders
    ]
    if not rows:
        return {}
    frame = pd.DataFrame(rows)
    days = (pd.Timestamp(moment_ms, unit="ms").normalize() - frame["last"]).dt.days.clip(lower=0)
    fresher = days.map(lambda one: (days < one).sum())
    frame["r"] = 5 - (5 * fresher) // len(frame)
    again = frame[frame.times > 1].times
    frame["f"] = [
        1 if n == 1 else 2 + (4 * int((again < n).sum())) // len(again) for n in frame.times
    ]
    below = [
        ((frame.code == code) & (frame.money < money)).sum()
        for code, money in zip(frame.code, frame.money, strict=True)
    ]
    alike = frame.groupby("code").who.transform("count")
    frame["m"] = 1 + (5 * pd.Series(below)) // alike
    cells = [line.split() for line in GRID.strip().splitlines()]
    value = [1 if f == 1 else (f + m + 1) // 2 for f, m in zip(frame.f, frame.m, strict=True)]
    frame["cell"] = [cells[r - 1][v - 1] for r, v in zip(frame.r, value, strict=True)]
    return {str(row["who"]): row for row in frame.to_dict("records")}
