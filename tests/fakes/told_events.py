"""Events of one anchor for tests of the profile stage, by hand or drawn at random."""

from dataclasses import replace
from random import Random
from typing import Any

from stamgast.identity.assurance import Assurance
from stamgast.identity.event import AHEAD_MS, Event, Order, Seen
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import Kind

KEYS = Keyring(1, b"told events")
ANCHOR = KEYS.identifier_key("user_id", "u1")
NOON_MS = 1_790_000_000_000
MINUTE_MS = 60_000


def event(
    number: int,
    minute: int | None = 0,
    *,
    anchor: str = ANCHOR,
    assurance: Assurance = Assurance.VERIFIED,
    traits: dict[str, Any] | None = None,
    revenue: int | None = None,
    currency: str = "EUR",
    name: str = "Seen",
    **more: Any,
) -> Event:
    """Event `number` at a minute after noon; None: without a time of its own."""
    at_ms = NOON_MS + (minute or 0) * MINUTE_MS
    told: dict[str, Any] = {
        "message_key": KEYS.message_key("web", f"m{number}"),
        "message_id": f"m{number}",
        "receipt_id": f"r{number}:0",
        "payload_hash": "",
        "source_id": "web",
        "type": "track",
        "name": name,
        "received_ms": NOON_MS + 10_000 * MINUTE_MS,
        "original_ms": None if minute is None else at_ms,
        "event_ms": at_ms,
        "assurance": assurance,
        "identifiers": (Seen(anchor, "user_id", Kind.LINKED, 0, "u1"),),
        "refusals": (),
        "traits": traits or {},
        "properties": {},
        "context": {},
        "order": None if revenue is None else Order(f"o{number}", revenue, currency),
    }
    return Event(**(told | more))


VALUES: list[Any] = [None, True, 0, 7, "x", "", ["a"], {"k": 1}]
NAMES = ["a", "b.c", "$d", "", "🦊"]


def stream(random: Random, most: int = 60) -> list[Event]:
    """Distinct events of one anchor: some without a time of their own, some far ahead."""
    return [_drawn(random, number) for number in range(random.randint(1, most))]


def deliveries(random: Random, events: list[Event]) -> list[list[Event]]:
    """The events in any order, some more than once, in batches of any size."""
    left = events + random.choices(events, k=random.randint(0, len(events)))
    random.shuffle(left)
    batches: list[list[Event]] = []
    while left:
        size = random.randint(1, 10)
        batches.append(left[:size])
        left = left[size:]
    return batches


def _drawn(random: Random, number: int) -> Event:
    minute = random.choice([random.randint(0, 500), random.randint(0, 500), 3, 3, None])
    names = random.sample(NAMES, random.randint(0, 2))
    told = event(
        number,
        minute,
        assurance=random.choice(list(Assurance)),
        traits={name: random.choice(VALUES) for name in names},
        revenue=random.choice([None, random.randint(-100, 10_000)]),
        currency=random.choice(["EUR", "JPY"]),
        name=random.choice(["Seen", "Order Completed", "é"]),
    )
    if minute is None or random.random() > 0.05:
        return told
    return replace(told, original_ms=told.received_ms + AHEAD_MS + 1)
