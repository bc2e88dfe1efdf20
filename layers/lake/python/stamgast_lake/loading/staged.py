"""The staging form: one row a receipt, accepted or rejected, before duplicates are looked for."""

from collections.abc import Callable
from typing import Any

import orjson
import pyarrow as pa

from stamgast.identity.event import Event
from stamgast.identity.keys import Keyring
from stamgast.identity.surroundings import NOWHERE, Surroundings
from stamgast.raw.record import RawRecord, RejectedRecord
from stamgast_lake.loading.duplicates import ERASED

DAY_MS = 86_400_000
MOMENT = pa.timestamp("us", tz="UTC")
KEPT_APART = frozenset(("traits", "campaign", "page", "proof"))

Read = Callable[[Event], object]
Row = tuple[object, ...]


def _json(told: object) -> bytes | None:
    return orjson.dumps(told, default=str) if told else None


def _identifiers(event: Event) -> bytes:
    return orjson.dumps(
        [
            {
                "key": seen.key,
                "namespace": seen.namespace,
                "kind": seen.kind,
                "priority": seen.priority,
                "value": seen.value,
                "position": position,
            }
            for position, seen in (*event.placed, *enumerate(event.decided))
        ]
    )


def _products(event: Event) -> bytes | None:
    return orjson.dumps(event.order.products) if event.order else None


def _properties(event: Event) -> bytes | None:
    told = event.properties
    if event.order is not None and "products" in told:
        told = {name: value for name, value in told.items() if name != "products"}
    return _json(told)


def _context(event: Event) -> bytes | None:
    return _json({name: v for name, v in event.context.items() if name not in KEPT_APART})


def _sent_on(event: Event) -> int:
    return 0 if event.original_ms is None else event.original_ms // DAY_MS


def _us(ms: int | None) -> int | None:
    return None if ms is None else ms * 1000


EVENT_FIELDS: tuple[tuple[str, pa.DataType, Read], ...] = (
    ("message_key", pa.string(), lambda event: event.message_key),
    ("receipt_id", pa.string(), lambda event: event.receipt_id),
    ("source_id", pa.string(), lambda event: event.source_id),
    ("payload_hash", pa.string(), lambda event: event.payload_hash),
    ("received_at", MOMENT, lambda event: event.received_ms * 1000),
    ("sent_on", pa.date32(), _sent_on),
    ("event_on", pa.date32(), lambda event: event.event_ms // DAY_MS),
    ("anchor_key", pa.string(), lambda event: event.anchor),
    ("message_id", pa.string(), lambda event: event.message_id),
    ("type", pa.string(), lambda event: event.type),
    ("event", pa.string(), lambda event: event.name),
    ("event_at", MOMENT, lambda event: event.event_ms * 1000),
    ("original_at", MOMENT, lambda event: _us(event.original_ms)),
    ("assurance", pa.int32(), lambda event: int(event.assurance)),
    ("has_own_time", pa.bool_(), lambda event: event.has_own_time),
    ("identifiers", pa.string(), _identifiers),
    ("order_id", pa.string(), lambda event: event.order and event.order.order_id),
    ("revenue_minor", pa.int64(), lambda event: event.order and event.order.revenue_minor),
    ("currency", pa.string(), lambda event: event.order and event.order.currency),
    ("products", pa.string(), _products),
    ("campaign", pa.string(), lambda event: _json(event.context.get("campaign"))),
    ("page", pa.string(), lambda event: _json(event.context.get("page"))),
    ("properties", pa.string(), _properties),
    ("traits", pa.string(), lambda event: _json(event.traits)),
    ("context", pa.string(), _context),
)
SURROUNDINGS = ("ip", "user_agent", "locale", "time_zone")
PLACE_FIELDS = (("reason", pa.string()), ("raw_object", pa.string()), ("raw_line", pa.int64()))
READS = tuple(read for _, _, read in EVENT_FIELDS)
SCHEMA = pa.schema(
    [
        *((name, of) for name, of, _ in EVENT_FIELDS),
        *((name, pa.string()) for name in SURROUNDINGS),
        *PLACE_FIELDS,
    ]
)
NAMES = SCHEMA.names


def row_of_event(event: Event, place: tuple[str, int], where: Surroundings = NOWHERE) -> Row:
    """The staged row of an accepted receipt."""
    told = (where.ip, where.user_agent, where.locale, where.time_zone)
    return (*[read(event) for read in READS], *told, None, *place)


def row_of_rejected(record: RejectedRecord, keyring: Keyring, place: tuple[str, int]) -> Row:
    """The staged row of a rejected receipt; its message is known when its id could be read."""
    told: dict[str, Any] = {
        "receipt_id": record.receipt_id,
        "source_id": record.source_id,
        "received_at": record.received_ms * 1000,
        "reason": record.code,
        "raw_object": place[0],
        "raw_line": place[1],
    }
    if record.message_id is not None:
        told["message_key"] = keyring.message_key(record.source_id, record.message_id)
    return tuple(told.get(name) for name in NAMES)


def row_of_remains(record: RawRecord, place: tuple[str, int]) -> Row:
    """The staged row of a receipt whose event was erased."""
    told: dict[str, Any] = {
        "message_key": record.message_id,
        "receipt_id": record.receipt_id,
        "source_id": record.source_id,
        "received_at": record.received_ms * 1000,
        "reason": ERASED,
        "raw_object": place[0],
        "raw_line": place[1],
    }
    return tuple(told.get(name) for name in NAMES)


def batch_of(rows: list[Row]) -> pa.RecordBatch:
    """Rows as one Arrow batch of the staging form."""
    columns = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(values, type=field.type) for values, field in zip(columns, SCHEMA, strict=True)],
        schema=SCHEMA,
    )
