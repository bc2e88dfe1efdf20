"""Rules of segments, and each of them once more by hand."""

from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pandas as pd

from tests.lake.members_by_hand import (
    HOUR_MS,
    Someone,
    Verdict,
    at,
    both,
    either,
    no,
    number,
    patience,
    text,
    when,
)

DAY_MS = 24 * HOUR_MS
STAGES = ("prospect", "new", "active", "returned", "late", "lapsed")
LEFT = "date(max(event_at, event = 'Newsletter Unsubscribed'))"
TRAITS = """traits:
  paid_lately: {making: sum, value: properties.amount, where: event = 'Paid', window: last 3 days}
  paid_mean: {making: average, value: properties.amount, where: event = 'Paid'}
  paid_least:
    {making: minimum, value: properties.amount, where: event = 'Paid', window: last 30 days}
  reads: {making: count, where: event = 'Article Read', window: between 1 and 3 days ago}
  topic: {making: most_frequent, value: properties.meta.topic, where: event = 'Article Read'}
  topics: {making: unique_count, value: properties.meta.topic}
  kinds: {making: unique_list, value: products.category, limit: 2}
  since_reading: {making: days_since, where: event = 'Article Read'}
  reading_rhythm: {making: usual_interval, where: event = 'Article Read'}
  blue: {making: share, where: event = 'Article Read', matching: "'blue' in properties.tags"}
  score: {making: expression, value: orders.count / (1 + days_since(first_at))}
"""


def tags(p: Someone, told: str) -> bool:
    listed = (at(e, "properties", "tags") for e in p.events)
    return any(isinstance(one, list) and told in one for one in listed)


def topics(p: Someone) -> list[str]:
    return [t for t in p.property(p.named("Article Read"), "meta", "topic") if t is not None]


def labels(p: Someone) -> list[Any] | None:
    told = p.traits.get("labels")
    return told if isinstance(told, list) else None


def born(p: Someone) -> pd.Timestamp | None:
    """A day of the zone, told as a date or a moment, which without an offset is UTC."""
    told = p.traits.get("born")
    if not isinstance(told, str) or not told[:4].isdigit():
        return None
    try:
        moment = pd.Timestamp(told)
    except ValueError:
        return None
    if len(told) == 10:
        return moment
    aware = moment.tz_localize("UTC") if moment.tzinfo is None else moment
    return aware.tz_convert(p.clock.zone).tz_localize(None).normalize()


def years_on(day: pd.Timestamp, years: int) -> pd.Timestamp:
    return day + pd.DateOffset(years=years)


def categories(p: Someone) -> list[tuple[int, list[Any]]]:
    told = ((e["timestamp"], at(e, "properties", "products")) for e in p.events)
    lines = ((ms, one) for ms, one in told if isinstance(one, list))
    return [(ms, [line.get("category") for line in one]) for ms, one in lines]


def often(listed: list[tuple[int, Any]]) -> Any:
    """What came most often; among equals the one seen last."""
    times, seen = Counter(value for _, value in listed), {value: ms for ms, value in listed}
    return max(times, key=lambda value: (times[value], seen[value]), default=None)


def topic(p: Someone) -> Any:
    read = p.named("Article Read")
    told = zip(read, p.property(read, "meta", "topic"), strict=True)
    return often([(e["timestamp"], t) for e, t in told if t is not None])


def mean(p: Someone) -> Fraction | None:
    told = p.amounts(p.named("Paid"))
    return sum(told, Fraction(0)) / len(told) if told else None


def reading_rhythm(p: Someone) -> int | None:
    days = sorted({p.clock.day(e["timestamp"]) for e in p.named("Article Read")})
    between = sorted(int((b - a).days) for a, b in pairwise(days))
    return between[(len(between) + 1) // 2 - 1] if len(between) >= 3 else None


def blue(p: Someone) -> Fraction | None:
    read = p.property(p.named("Article Read"), "tags")
    told = [isinstance(one, list) and "blue" in one for one in read]
    return Fraction(sum(told), len(told)) if told else None


def slowed(p: Someone) -> bool:
    """Left the letter before the silence grew too long, at most 90 days before the last order."""
    left = p.latest("Newsletter Unsubscribed")
    if p.stage != "late" or left is None:
        return False
    last, on = p.order_days[-1], p.clock.day(left)
    late_since = last + pd.Timedelta(days=patience(p.order_days)[0] + 1)
    return bool(last - pd.Timedelta(days=90) < on < late_since)


def months_ago(p: Someone, months: int) -> pd.Timestamp:
    return p.clock.today - pd.DateOffset(months=months)


def first_day(p: Someone) -> pd.Timestamp:
    return p.clock.day(p.events[0]["timestamp"])


def distinct(p: Someone) -> int:
    """Numbers by value, texts and booleans apart."""
    told = p.property(p.named("Paid"), "amount")
    plain = [one for one in told if isinstance(one, (int, float, str, bool))]
    return len({(str, one) if isinstance(one, str) else (type(one) is bool, one) for one in plain})


RULES: dict[str, tuple[str, Callable[[Someone], Verdict]]] = {
    "sport": (
        "count(event = 'Article Read' and properties.meta.topic = 'Sport', last 7 days) >= 2",
        lambda p: (
            [at(e, "properties", "meta", "topic") for e in p.ago(p.named("Article Read"), 6)].count(
                "Sport"
            )
            >= 2
        ),
    ),
    "other_topic": (
        "count(event = 'Article Read' and properties.meta.topic != 'Sport') >= 1",
        lambda p: any(one != "Sport" for one in topics(p)),
    ),
    "no_topic": (
        "count(event = 'Article Read' and properties.meta.topic is null) >= 1",
        lambda p: len(topics(p)) < len(p.named("Article Read")),
    ),
    "blue": ("count('blue' in properties.tags) >= 1", lambda p: tags(p, "blue")),
    "vip": (
        "'vip' in traits.labels",
        lambda p: None if (told := labels(p)) is None else "vip" in told,
    ),
    "three": (
        "not traits.labels contains 3",
        lambda p: no(
            None if (told := labels(p)) is None else any(number(one) == 3 for one in told)
        ),
    ),
    "labelled": (
        "size(traits.labels) >= 2",
        lambda p: None if (told := labels(p)) is None else len(told) >= 2,
    ),
    "cart_to_order": (
        "did 'Cart Opened' then 'Order Completed' within 2 days",
        lambda p: p.then("Cart Opened", "Order Completed", within_ms=2 * DAY_MS),
    ),
    "three_steps": (
        "did 'Article Read' then 'Cart Opened' then 'Order Completed' within 5 days",
        lambda p: p.then("Article Read", "Cart Opened", "Order Completed", within_ms=5 * DAY_MS),
    ),
    "cart_to_paid": (
        "did 'Cart Opened' then 'Paid' last 10 days",
        lambda p: p.then("Cart Opened", "Paid", days=10),
    ),
    "left_cart": (
        "did 'Cart Opened' last 5 days and not 'Order Completed' since",
        lambda p: p.without(p.ago(p.named("Cart Opened"), 4), "Order Completed"),
    ),
    "large_payment": (
        "did (event = 'Paid' and properties.amount > 50)",
        lambda p: any(a > 50 for a in p.amounts(p.named("Paid"))),
    ),
    "never_paid": ("not did 'Paid'", lambda p: not p.named("Paid")),
    "paid_lately": (
        "sum(properties.amount, event = 'Paid', last 3 days) > 20",
        lambda p: sum(p.amounts(p.ago(p.named("Paid"), 2))) > 20,
    ),
    "nothing_then": (
        "sum(properties.amount, between 2 and 4 days ago) <= 0",
        lambda p: sum(p.amounts(p.ago(p.events, 4, 2))) <= 0,
    ),
    "typical": (
        "avg(properties.amount, event = 'Paid') between 5 and 20",
        lambda p: when(mean(p), lambda m: 5 <= m <= 20),
    ),
    "paid_back": (
        "min(properties.amount, last 30 days) < 0",
        lambda p: when(min(p.amounts(p.ago(p.events, 29)), default=None), lambda m: m < 0),
    ),
    "paid_just_now": (
        "max(event_at, event = 'Paid') >= today - 2 days",
        lambda p: None if (ms := p.latest("Paid")) is None else p.clock.since(ms) <= 2,
    ),
    "here_today": ("count(last 1 day) >= 1", lambda p: bool(p.ago(p.events, 0))),
    "silent_day": ("count(last 25 hours) = 0", lambda p: not p.hours(p.events, 25)),
    "busy_hours": ("count(last 72 hours) >= 3", lambda p: len(p.hours(p.events, 72)) >= 3),
    "many_amounts": (
        "count_distinct(properties.amount, event = 'Paid') >= 2",
        lambda p: distinct(p) >= 2,
    ),
    "repeat": ("orders.count >= 2", lambda p: len(p.orders) >= 2),
    "negative": ("orders.revenue < 0", lambda p: p.total() < 0),
    "nothing": (
        "orders.revenue = 0 and orders.count > 0",
        lambda p: p.total() == 0 < len(p.orders),
    ),
    "week": ("orders.total_7d > 0", lambda p: p.total(7) > 0),
    "dear": (
        "orders.average_30d >= 10",
        lambda p: when(p.average(30), lambda told: told >= 10),
    ),
    "yen": (
        "orders.currency = 'JPY'",
        lambda p: None if p.principal is None else p.principal == "JPY",
    ),
    "paused": (
        "orders.count_30d = 0 and orders.count > 0",
        lambda p: not p.recent(30) and bool(p.orders),
    ),
    "recent_half": ("rfm.r >= 4", lambda p: when(p.scores.get("r"), lambda r: r >= 4)),
    "poor": ("rfm.m = 1", lambda p: when(p.scores.get("m"), lambda m: m == 1)),
    "unscored": ("rfm.segment is null", lambda p: not p.scores),
    "frequent": (
        "rfm.frequency > 1 and rfm.f >= 3",
        lambda p: bool(p.scores) and p.scores["times"] > 1 and p.scores["f"] >= 3,
    ),
    "slow": (
        "rhythm.slowness >= 1.5",
        lambda p: when(p.slowness if p.orders else None, lambda s: s >= 1.5),
    ),
    "quick": (
        "rhythm.usual_days <= 3",
        lambda p: when(p.usual if p.orders else None, lambda d: d <= 3),
    ),
    "slowed": (
        f"lifecycle = 'late' and {LEFT} < rhythm.late_since and {LEFT} > rhythm.last_on - 90 days",
        slowed,
    ),
    "grown": (
        "traits.born + 18 years <= today",
        lambda p: None if (day := born(p)) is None else years_on(day, 18) <= p.clock.today,
    ),
    "birthday_month": (
        "month(traits.born) = month(today)",
        lambda p: None if (day := born(p)) is None else day.month == p.clock.today.month,
    ),
    "new_here": (
        "first_at >= today - 1 month",
        lambda p: first_day(p) >= months_ago(p, 1) if p.events else None,
    ),
    "quiet": (
        "last_at < now() - 36 hours",
        lambda p: p.events[-1]["timestamp"] < p.clock.ms - 36 * HOUR_MS if p.events else None,
    ),
    "umlaut": (
        "traits.name like '%ö%'",
        lambda p: None if (t := text(p.traits.get("name"))) is None else "ö" in t,
    ),
    "two_letters": (
        "length(traits.name) = 2",
        lambda p: None if (t := text(p.traits.get("name"))) is None else len(t) == 2,
    ),
    "quoted": ("traits.name = 'O''Neil'", lambda p: p.traits.get("name") == "O'Neil" or None),
    "per_order": (
        "traits.points / orders.count > 3",
        lambda p: when(
            number(p.traits.get("points")) if p.orders else None, lambda n: n / len(p.orders) > 3
        ),
    ),
    "not_apia": (
        "not (traits.city in ('Apia', 'Savusavu'))",
        lambda p: (
            None if (c := text(p.traits.get("city"))) is None else c not in ("Apia", "Savusavu")
        ),
    ),
    "no_city": ("traits.city is null", lambda p: "city" not in p.traits),
    "may_mail": (
        "consent.email is true or traits.points > 10",
        lambda p: either(
            p.consent("email") is True,
            when(number(p.traits.get("points")), lambda n: n > 10),
        ),
    ),
    "not_refused": (
        "not (consent.email is false)",
        lambda p: p.consent("email") is not False,
    ),
    "chain": (
        "not in segment('repeat') and (in segment('blue') or in segment('vip'))",
        lambda p: both(
            len(p.orders) < 2,
            either(tags(p, "blue"), "vip" in (labels(p) or [])),
        ),
    ),
    "wine_page": (
        "count(page.path like '/wine%' or campaign.source = 'mail') >= 1",
        lambda p: any(
            either(
                None if (t := at(e, "context", "page", "path")) is None else t.startswith("/wine"),
                None if (c := at(e, "context", "campaign", "source")) is None else c == "mail",
            )
            for e in p.events
        ),
    ),
    "month": (
        "count(event = 'Paid', since today - 1 month) >= 1",
        lambda p: any(p.clock.day(e["timestamp"]) >= months_ago(p, 1) for e in p.named("Paid")),
    ),
    "euros": (
        "count(order.revenue > 20 and order.currency = 'EUR', last 90 days) >= 1",
        lambda p: any(o.currency == "EUR" and o.major > 20 for o in p.recent(90)),
    ),
    "wine": (
        "count('Wine' in products.category, last 60 days) >= 1",
        lambda p: any("Wine" in told and p.clock.since(ms) < 60 for ms, told in categories(p)),
    ),
    "t_sum": ("computed.paid_lately > 20", lambda p: RULES["paid_lately"][1](p)),
    "t_mean": ("computed.paid_mean >= 9.5", lambda p: when(mean(p), lambda m: m >= 9.5)),
    "t_least": (
        "computed.paid_least <= 4",
        lambda p: when(min(p.amounts(p.ago(p.named("Paid"), 29)), default=None), lambda m: m <= 4),
    ),
    "t_reads": ("computed.reads = 1", lambda p: len(p.ago(p.named("Article Read"), 3, 1)) == 1),
    "t_topic": ("computed.topic = 'Sport'", lambda p: topic(p) == "Sport" or None),
    "t_topics": ("computed.topics >= 2", lambda p: len(set(topics(p))) >= 2),
    "t_since": (
        "computed.since_reading between 1 and 6",
        lambda p: None if (ms := p.latest("Article Read")) is None else 1 <= p.clock.since(ms) <= 6,
    ),
    "t_rhythm": (
        "computed.reading_rhythm <= 4",
        lambda p: when(reading_rhythm(p), lambda d: d <= 4),
    ),
    "t_share": ("computed.blue >= 0.5", lambda p: when(blue(p), lambda s: s >= 0.5)),
    "t_kinds": (
        "'Wine' in computed.kinds",
        lambda p: None if not (last := lately(p)) else "Wine" in last,
    ),
    "t_score": (
        "computed.score > 0.2",
        lambda p: (
            len(p.orders) / (1 + (p.clock.today - first_day(p)).days) > 0.2 if p.events else None
        ),
    ),
    **{
        f"is_{stage}": (f"lifecycle = '{stage}'", lambda p, stage=stage: p.stage == stage)
        for stage in STAGES
    },
}


def lately(p: Someone) -> list[Any]:
    """The two categories that were seen last; of one basket the order is the platform's."""
    seen = {one: ms for ms, told in categories(p) for one in told if one is not None}
    return sorted(seen, key=lambda one: -seen[one])[:2]


def members(people: Mapping[str, Someone]) -> dict[str, set[str]]:
    """Those of whom each rule is true."""
    return {
        name: {who for who, one in people.items() if holds(one) is True}
        for name, (_, holds) in RULES.items()
    }
