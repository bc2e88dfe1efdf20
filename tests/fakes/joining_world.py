"""A generated shop whose visitors are nameless until they buy, in the lake's own tables.

Whoever buys says who they are, on the device they buy with, and soon after on their other one; so
what was two visitors is one person from then on. Whoever never buys stays two. Nobody is real.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from stamgast.workspace.model import Workspace
from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.shards import shard_of
from stamgast_lake.tables import EVENTS, EVIDENCE, IDENTITY, PERSONS, PROFILES, LakeTable
from tests.fakes.lake_catalogue import MemoryCatalogue
from tests.fakes.model_world import DAYS, ENDS_AT, Objects

BEYOND = 30
AT_ONCE = 50_000
MODELS = """
models:
  will_buy:
    kind: propensity
    target: event = 'Order Completed'
    within_days: 30
    population: count(last 60 days) >= 1
    exclude: orders.count >= 1
    cutoffs: {number: 5, every_days: 30}
    defaults: false
    features:
      days_known: days_since(first_at)
      days_since_seen: days_since(last_at)
      visits_30d: count(last 30 days)
      visits_90d: count(last 90 days)
      carts_30d: count(event = 'Product Added', last 30 days)
"""


@dataclass(frozen=True)
class Happened:
    """Something that somebody did on a device on a day; `is_known` if they said who they are.

    It may be received later than it happened, or bear no time of its own. Of an order, `cents` were
    paid; `variant` is what an experiment showed.
    """

    day: float
    human: int
    device: int
    event: str
    is_known: bool
    received: float | None = None
    has_own_time: bool = True
    cents: int = 1_000
    variant: str = ""

    @property
    def anchor(self) -> str:
        return user(self.human) if self.is_known else cookie(self.human, self.device)


def user(human: int) -> str:
    """The key of who somebody says they are."""
    return f"user_id:{human:05}u"


def cookie(human: int, device: int) -> str:
    """The key of a device."""
    return f"anonymous_id:{human:05}-{device:02}{'ab'[device % 2]}"


def lives(people: int, seed: int) -> list[Happened]:
    """What everybody does, until a horizon beyond the end."""
    random = np.random.default_rng(seed)
    return [one for human in range(people) for one in _life(random, human)]


def _life(random: Any, human: int) -> Iterator[Happened]:
    day, buys_on, known = random.uniform(-60, DAYS), _buys_on(random), set[int]()
    visits, until = random.gamma(2.0, 0.06), DAYS + BEYOND
    buys_on += day
    for _ in range(200):
        day += random.exponential(1 / max(visits, 0.01))
        if day >= until:
            break
        device = int(random.random() < 0.5)
        if day >= buys_on and not known:
            known = {device}
            yield Happened(max(day, 0.0), human, device, "Order Completed", True)
            yield Happened(day + random.uniform(0.1, 3), human, 1 - device, "Signed In", True)
            known = {0, 1}
        cart = random.random() < (0.5 if buys_on - day < 40 else 0.2)
        name = "Product Added" if cart else "Product Viewed"
        if day >= 0:
            yield Happened(day, human, device, name, device in known)


def _buys_on(random: Any) -> float:
    """After how many days somebody buys first; many never do."""
    return float(random.exponential(90.0)) if random.random() < 0.5 else 1e9


def lake_of(told: Workspace, happened: list[Happened]) -> Lake:
    """A lake of what had happened by the end, its persons joined by who had said who they are."""
    kept = [one for one in happened if 0 <= one.day < DAYS]
    known = {one.human for one in kept if one.is_known}
    links = {(one.human, one.device) for one in kept if one.is_known}
    catalogue, one = MemoryCatalogue(), Commit("r1", "load")
    owner = {
        cookie(h, d): (user(h) if (h, d) in links else cookie(h, d)) for h, d in _devices(kept)
    }
    owner |= {user(human): user(human) for human in known}
    stamp = {"recorded_at": ENDS_AT, "run_id": "r1"}
    for start in range(0, len(kept), AT_ONCE):
        part = enumerate(kept[start : start + AT_ONCE], start)
        told_events = [_event(*each) for each in part]
        _append(catalogue, EVENTS, told_events, Commit("r1", f"load-{start}"))
    rows: list[tuple[LakeTable, list[dict[str, Any]]]] = [
        (EVIDENCE, [_star(place, each) for place, each in enumerate(kept) if each.is_known]),
        (IDENTITY, [{**_identity(key, who), **stamp} for key, who in owner.items()]),
        (PERSONS, [{**_person(who), **stamp} for who in sorted(set(owner.values()))]),
        (PROFILES, [{**_profile(who), **stamp} for who in sorted(set(owner.values()))]),
    ]
    for table, of in rows:
        _append(catalogue, table, of, one)
    return Lake(Objects(), "lake", catalogue, lambda: told, None)  # type: ignore[arg-type]


def _append(
    catalogue: MemoryCatalogue, table: LakeTable, rows: list[dict[str, Any]], one: Commit
) -> None:
    told = pa.Table.from_pylist(rows, schema=arrow_schema(table))
    catalogue.append(table, told.sort_by(table.partition[0]).to_reader(), one)


def _devices(happened: list[Happened]) -> set[tuple[int, int]]:
    return {(one.human, one.device) for one in happened}


def _at(day: float) -> datetime:
    return ENDS_AT - timedelta(days=DAYS - day)


def _event(place: int, one: Happened) -> dict[str, Any]:
    at, received_at = (
        _at(day) for day in (one.day, one.day if one.received is None else one.received)
    )
    key, is_order = f"m{place:07}", one.event == "Order Completed"
    names = ("message_key", "message_id", "receipt_id", "payload_hash")
    return {
        **dict.fromkeys(names, key),
        **dict.fromkeys(("event_at", "original_at"), at),
        "received_at": received_at,
        "properties": f'{{"variant": "{one.variant}"}}' if one.variant else "{}",
        "context": "{}",
        "source_id": "site",
        "type": "track",
        "event": one.event,
        "event_on": at.date(),
        "assurance": 2,
        "has_own_time": one.has_own_time,
        "anchor_key": one.anchor,
        "identifiers": [],
        "order_id": key if is_order else None,
        "revenue_minor": one.cents if is_order else None,
        "currency": "EUR" if is_order else None,
        "products": [],
        "run_id": "r1",
    }


def _star(place: int, one: Happened) -> dict[str, Any]:
    a, b, event = user(one.human), cookie(one.human, one.device), _event(place, one)
    names = ("a", "b", "namespace_a", "namespace_b", "position")
    return {
        **dict(zip(names, (a, b, "user_id", "anonymous_id", 1), strict=True)),
        **{name: event[name] for name in ("message_key", "message_id", "event_at", "received_at")},
        "edge_key": f"{a}|{b}",
        "source_id": "site",
        "assurance": 2,
        "rule": "seen_together",
        "shard": shard_of(a),
        "run_id": "r1",
    }


def _identity(key: str, person: str) -> dict[str, Any]:
    told = {"identifier": key, "namespace": key.partition(":")[0], "cause": "founded"}
    return {**told, "person_id": person, "shard": shard_of(key)}


def _person(person: str) -> dict[str, Any]:
    born = {"born_at": ENDS_AT, "founding_source": "site", "founding_message": person}
    told = {"person_id": person, "state": "active", "founding_position": 0, "identifiers": 1}
    return {**told, **born, "members": [person], "shard": shard_of(person)}


def _profile(person: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "person_id": person,
        "traits": "{}",
        "counters": "{}",
        "orders": 0,
        "spending": [],
    }
    told["revenue_minor"] = 0
    return {**told, "profile_hash": "h", "shard": shard_of(person)}
