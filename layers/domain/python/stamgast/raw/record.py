"""The line that the raw archive keeps for one accepted event, and that for a rejected one."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.moments import iso_of, parse_iso

# What remains of an erased event has this type, which no client can send.
SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One receipt of one event as it came; `body` is the event's JSON text after merging a batch.

    `original_ms` is the client's own time as it said it (None without one), `event_ms` that time
    corrected by the client's clock error and clamped. `receipt_id` is `<request_id>:<index>`.
    """

    receipt_id: str
    request_id: str
    index: int
    received_ms: int
    source_id: str
    assurance: Assurance
    sent_ms: int | None
    original_ms: int | None
    event_ms: int
    type: str
    message_id: str
    payload_hash: str
    ip: str | None
    user_agent: str | None
    body: str
    notes: tuple[str, ...] = ()

    @property
    def is_suppressed(self) -> bool:
        """Whether this is what remains of an erased event; `message_id` is its message's key."""
        return self.type == SUPPRESSED

    def to_json(self) -> bytes:
        """One line of NDJSON without its line end."""
        return orjson.dumps(
            {
                "receipt_id": self.receipt_id,
                "request_id": self.request_id,
                "index": self.index,
                "received_at": iso_of(self.received_ms),
                "source_id": self.source_id,
                "assurance": self.assurance.name.lower(),
                "sent_at": _iso_or_none(self.sent_ms),
                "original_at": _iso_or_none(self.original_ms),
                "event_at": iso_of(self.event_ms),
                "type": self.type,
                "message_id": self.message_id,
                "payload_hash": self.payload_hash,
                "ip": self.ip,
                "user_agent": self.user_agent,
                "body": self.body,
                "notes": list(self.notes),
            }
        )

    @classmethod
    def from_json(cls, line: bytes | str) -> "RawRecord":
        """Reads what `to_json` wrote; raises ValueError or KeyError for a line of another form."""
        told: dict[str, Any] = orjson.loads(line)
        return cls(
            receipt_id=told["receipt_id"],
            request_id=told["request_id"],
            index=told["index"],
            received_ms=parse_iso(told["received_at"]),
            source_id=told["source_id"],
            assurance=Assurance[told["assurance"].upper()],
            sent_ms=_ms_or_none(told["sent_at"]),
            original_ms=_ms_or_none(told["original_at"]),
            event_ms=parse_iso(told["event_at"]),
            type=told["type"],
            message_id=told["message_id"],
            payload_hash=told["payload_hash"],
            ip=told["ip"],
            user_agent=told["user_agent"],
            body=told["body"],
            notes=tuple(told["notes"]),
        )


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """One receipt of an event that was refused: why, where in it, and its original text.

    `stamps` is JSON: what a replay of an event needs that the tracking plan set aside.
    """

    receipt_id: str
    received_ms: int
    source_id: str
    code: str
    path: str
    message: str
    original: str
    message_id: str | None = None
    identifiers: dict[str, str] = field(default_factory=dict)
    stamps: str | None = None

    def to_json(self) -> bytes:
        """One line of NDJSON without its line end."""
        return orjson.dumps(
            {
                "receipt_id": self.receipt_id,
                "received_at": iso_of(self.received_ms),
                "source_id": self.source_id,
                "code": self.code,
                "path": self.path,
                "message": self.message,
                "original": self.original,
                "message_id": self.message_id,
                "identifiers": self.identifiers,
                "stamps": self.stamps,
            }
        )

    @classmethod
    def from_json(cls, line: bytes | str) -> "RejectedRecord":
        """Reads what `to_json` wrote; raises ValueError or KeyError for a line of another form."""
        told: dict[str, Any] = orjson.loads(line)
        received_ms = parse_iso(told.pop("received_at"))
        return cls(received_ms=received_ms, **told)


def _iso_or_none(ms: int | None) -> str | None:
    return None if ms is None else iso_of(ms)


def _ms_or_none(text: str | None) -> int | None:
    return None if text is None else parse_iso(text)
