"""From parsed events to an envelope in which each is accepted or rejected exactly once."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from stamgast.ingestion.addresses import shorten
from stamgast.ingestion.bounds import DEFAULT, Bounds
from stamgast.ingestion.instants import clamp, event_ms_of, read_ms
from stamgast.ingestion.payload import message_id_of_payload, message_id_of_row
from stamgast.ingestion.quarantine import reject
from stamgast.ingestion.validate import fault, fault_of, message_id_of
from stamgast.ingestion.verdicts import (
    Accepted,
    Envelope,
    Fault,
    Noted,
    Receipt,
    Rejected,
    Unreadable,
)

__all__ = ["Noted", "Original", "Unreadable", "accept", "depth_within"]

Original = Callable[[int], bytes | None]


def accept(
    events: Sequence[object],
    receipt: Receipt,
    *,
    bounds: Bounds = DEFAULT,
    first_index: int = 0,
    original: Original | None = None,
) -> Envelope:
    """The verdict on each event; `events` are parsed JSON values, `Noted` or `Unreadable`.

    Dictionaries are changed in place (ids become texts). Event n has the index first_index + n;
    `original(n)` is its text as it came, asked for only when it is refused.
    """
    accepted: list[Accepted] = []
    rejected: list[Rejected] = []
    for position, event in enumerate(events):
        index = first_index + position
        verdict = _judge(event, index, receipt, bounds)
        if isinstance(verdict, Accepted):
            accepted.append(verdict)
        else:
            text = original(position) if original else None
            rejected.append(reject(event, index, verdict, text, bounds))
    return Envelope(receipt, tuple(accepted), tuple(rejected))


def _judge(event: object, index: int, receipt: Receipt, bounds: Bounds) -> Accepted | Fault:
    notes = list(receipt.opt_outs)
    if event.__class__ is not dict:
        if isinstance(event, Unreadable):
            return fault("unreadable")
        if isinstance(event, Noted):
            notes += event.notes
            event = event.event
        if not isinstance(event, dict):
            return fault("not_an_object")
    event.pop("writeKey", None)
    found = fault_of(event, notes, bounds)
    if found is not None:
        return found
    message_id = message_id_of(event, notes, bounds)
    if isinstance(message_id, Fault):
        return message_id
    shorten(event)
    body = _body(event, bounds)
    if isinstance(body, Fault):
        return body
    return _stamp(event, body, message_id, index, receipt, notes)


def _body(event: dict[str, Any], bounds: Bounds) -> bytes | Fault:
    try:
        body = orjson.dumps(event)
    except orjson.JSONEncodeError:
        return fault("not_json" if depth_within(event, bounds.depth) else "too_deep")
    if len(body) > bounds.event_bytes:
        return fault("too_large")
    # Fewer brackets than levels allowed cannot nest too deep; only busier events are walked.
    # bytes.replace seeks with memchr where bytes.count looks at each byte: half the time.
    openers = len(body) - len(body.replace(b"{", b"").replace(b"[", b""))
    if openers > bounds.depth and not depth_within(event, bounds.depth):
        return fault("too_deep")
    return body


def depth_within(value: object, levels: int) -> bool:
    """Whether objects and arrays nest at most this many levels deep."""
    if isinstance(value, dict):
        return levels > 0 and all(depth_within(v, levels - 1) for v in value.values())
    if isinstance(value, list):
        return levels > 0 and all(depth_within(v, levels - 1) for v in value)
    return True


def _stamp(
    event: dict[str, Any],
    body: bytes,
    message_id: str | None,
    index: int,
    receipt: Receipt,
    notes: list[str],
) -> Accepted:
    original_ms, sent_ms = None, receipt.sent_ms
    if "originalTimestamp" in event:
        original_ms = _time(event, "originalTimestamp", notes)
    if original_ms is None and "timestamp" in event:
        original_ms = _time(event, "timestamp", notes)
    if "sentAt" in event:
        own_ms = _time(event, "sentAt", notes)
        sent_ms = receipt.sent_ms if own_ms is None else own_ms
    if message_id is None:
        message_id = _missing_id(event, original_ms, index, receipt)
        notes.append("message_id_made")
    event_ms = _event_ms(original_ms, sent_ms, receipt, notes)
    return Accepted(
        index, event["type"], message_id, original_ms, sent_ms, event_ms, body, tuple(notes)
    )


def _time(event: dict[str, Any], name: str, notes: list[str]) -> int | None:
    told = event[name]
    ms = read_ms(told)
    if ms is None and told is not None and told != "":
        notes.append(f"time_unreadable:{name}")
    return ms


def _event_ms(
    original_ms: int | None, sent_ms: int | None, receipt: Receipt, notes: list[str]
) -> int:
    if original_ms is None:
        return receipt.received_ms
    if receipt.is_import:
        return original_ms
    said_ms = event_ms_of(receipt.received_ms, sent_ms, original_ms)
    event_ms = clamp(said_ms, receipt.received_ms)
    if event_ms != said_ms:
        notes.append("time_clamped")
    return event_ms


def _missing_id(
    event: dict[str, Any], original_ms: int | None, index: int, receipt: Receipt
) -> str:
    """Of the file's row, else of the payload if it has its own time, else of the receipt.

    Two events without id and time may be two equal acts, so only their receipts name them.
    """
    if receipt.file is not None:
        return message_id_of_row(receipt.file, index)
    if original_ms is not None:
        return message_id_of_payload(receipt.source_id, event)
    return f"receipt-{receipt.request_id}-{index}"
