"""A generated shop whose customers' habits are known, in the lake's own tables; nobody is real.

Each customer orders at a rate of their own until they leave, and looks around more in the days
before they order again.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from botocore.exceptions import ClientError

from stamgast.identity.settings import DEFAULT
from stamgast.moments import iso_of, ms_of
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.shards import ALPHABET, shard_of
from stamgast_lake.tables import EVENTS, IDENTITY, PERSONS, PROFILES, LakeTable
from tests.fakes.lake_catalogue import MemoryCatalogue
from tests.lake.world import MemoryObjects

ENDS_AT = datetime(2026, 11, 20, 3, tzinfo=UTC)
PEOPLE, DAYS = 320, 300
FEATURES = """
    features:
      orders: orders.count
      since: days_since(orders.last_at)
      seen_14d: count(event = 'Product Viewed', last 14 days)
      orders_60d: orders.count_60d
"""
MODELS = f"""
models:
  buys:
    kind: propensity
    target: event = 'Order Completed'
    within_days: 20
    cutoffs: {{number: 4, every_days: 20}}
    defaults: false
{FEATURES}
"""
SEGMENTS = """
segments:
  likely:
    rule: scores.buys.percentile > 75
  regulars:
    rule: orders.count_60d >= 5
"""


class Objects(MemoryObjects):
    """Objects in memory; one that is not there is S3's own error."""

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.bodies:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        return super().get_object(Bucket=Bucket, Key=Key)


def workspace(models: str = MODELS, segments: str = SEGMENTS) -> Workspace:
    """A workspace of these models."""
    texts = {
        "workspace.yaml": "time_zone: Europe/Amsterdam\n",
        "sources.yaml": "sources:\n  shop:\n    name: Tills\n",
        "models.yaml": models,
        "segments.yaml": segments,
    }
    return replace(workspace_of(compile_files(texts)), identity=DEFAULT)


def person(number: int) -> str:
    """The id of a customer."""
    return f"p{number:04}{ALPHABET[number % 26]}"


@cache
def events(people: int = PEOPLE, days: int = DAYS, seed: int = 5) -> pa.Table:
    """What everybody did, equal for equal arguments, until `ENDS_AT` and forty days beyond."""
    random, rows = np.random.default_rng(seed), []
    for number in range(people):
        rows += _life(random, number, days)
    return pa.Table.from_pylist(rows, schema=arrow_schema(EVENTS))


def _life(random: Any, number: int, days: int) -> list[dict[str, Any]]:
    gap, told = random.gamma(2.0, 22.0) + 3, []
    day, until = random.uniform(0, 60), random.uniform(60, days + 200)
    while day < min(until, days + 40):
        told += [_event(number, day - early, None) for early in random.uniform(0, 9, 3)]
        told.append(_event(number, day, int(random.gamma(4.0, 800)) + 100))
        day += random.gamma(3.0, gap / 3)
    return told


def _event(number: int, day: float, revenue: int | None) -> dict[str, Any]:
    at = ENDS_AT - timedelta(days=DAYS - day)
    key = f"m{number:04}-{day:.6f}-{revenue or 0}"
    return {
        "message_key": key,
        "message_id": key,
        "source_id": "shop",
        "receipt_id": key,
        "payload_hash": key,
        "type": "track",
        "event": "Product Viewed" if revenue is None else "Order Completed",
        "event_at": at,
        "original_at": at,
        "received_at": at,
        "assurance": 2,
        "has_own_time": True,
        "anchor_key": f"u:1:{person(number)}",
        "identifiers": [],
        "order_id": None if revenue is None else key,
        "revenue_minor": revenue,
        "currency": None if revenue is None else "EUR",
        "products": [],
        "properties": "{}",
        "context": "{}",
        "event_on": at.date(),
        "run_id": "r1",
    }


def lake_of(
    told: Workspace,
    until: datetime = ENDS_AT,
    people: int = PEOPLE,
    happened: pa.Table | None = None,
) -> Lake:
    """A lake with everything that had happened by then: of this world, unless another is given."""
    catalogue = MemoryCatalogue()
    kept = (events(people) if happened is None else happened).filter(
        pc.field("event_at") < pa.scalar(until)
    )
    one = Commit("r1", "load")
    catalogue.append(EVENTS, kept.sort_by("event_on").to_reader(), one)
    stamp = {"recorded_at": ENDS_AT - timedelta(days=DAYS), "run_id": "r1"}
    for table, rows in (
        (IDENTITY, [_identity(n) for n in range(people)]),
        (PERSONS, [_person(n) for n in range(people)]),
        (PROFILES, [_profile(n) for n in range(people)]),
    ):
        _append(catalogue, table, [{**row, **stamp} for row in rows], one)
    return Lake(Objects(), "lake", catalogue, lambda: told, None)  # type: ignore[arg-type]


def _append(
    catalogue: MemoryCatalogue, table: LakeTable, rows: list[dict[str, Any]], commit: Commit
) -> None:
    told = pa.Table.from_pylist(rows, schema=arrow_schema(table)).sort_by("shard")
    catalogue.append(table, told.to_reader(), commit)


def _identity(number: int) -> dict[str, Any]:
    key = f"u:1:{person(number)}"
    told = {"identifier": key, "namespace": "u", "cause": "founded"}
    return {**told, "person_id": person(number), "shard": shard_of(key)}


def _person(number: int) -> dict[str, Any]:
    key = person(number)
    born = {"born_at": ENDS_AT, "founding_source": "shop", "founding_message": key}
    told = {"person_id": key, "state": "active", "founding_position": 0, "identifiers": 1}
    return {**told, **born, "members": [key], "shard": shard_of(key)}


def _profile(number: int) -> dict[str, Any]:
    """Whoever has an even number has agreed to everything."""
    said = {"value": {"scoring": number % 2 == 0}, "message_key": "m", "event_ms": 1}
    return {
        "person_id": person(number),
        "traits": json.dumps({"consent": said}),
        "counters": "{}",
        "orders": 1,
        "revenue_minor": 1,
        "currency": "EUR",
        "spending": [],
        "profile_hash": "h",
        "shard": shard_of(person(number)),
    }


def moment(days: float = 0.0) -> datetime:
    """So many days after the world's end."""
    return ENDS_AT + timedelta(days=days)


def iso(days: float = 0.0) -> str:
    """The same as text."""
    return iso_of(ms_of(moment(days)))
