"""Queue messages as collect_events sends them, from a few words about each event."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.envelope import encode
from stamgast.ingestion.verdicts import Accepted, Envelope, Fault, Receipt, Rejected
from stamgast.moments import ms_of

NOON_MS = ms_of(datetime(2026, 11, 20, 12, tzinfo=UTC))


def receipt(
    request_id: str,
    received_ms: int = NOON_MS,
    source_id: str = "server",
    assurance: Assurance = Assurance.VERIFIED,
) -> Receipt:
    """A request's receipt."""
    return Receipt(request_id, received_ms, source_id, assurance)


def accepted(
    position: int, message_id: str, body: Mapping[str, Any], original_ms: int | None = NOON_MS
) -> Accepted:
    """An accepted event whose client's clock is right."""
    told = {"messageId": message_id, **body}
    event_ms = NOON_MS if original_ms is None else original_ms
    return Accepted(
        position, told["type"], message_id, original_ms, None, event_ms, orjson.dumps(told)
    )


def order(message_id: str, user_id: str, revenue: float, **more: Any) -> dict[str, Any]:
    """The body of a completed order."""
    properties = {"order_id": f"o-{message_id}", "revenue": revenue, "currency": "EUR", **more}
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": user_id,
        "properties": properties,
    }


def refused(position: int) -> Rejected:
    """An event that ingestion refused."""
    return Rejected(position, Fault("type_unknown", "type", "no such type"), '{"type":"x"}', 12)


def message(receipt_: Receipt, *events: Accepted, rejected: tuple[Rejected, ...] = ()) -> str:
    """The text of one queue message."""
    return encode(Envelope(receipt_, events, rejected))
