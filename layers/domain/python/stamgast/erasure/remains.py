"""What remains of a receipt whose event was erased: that it came, and nothing that it said.

So every acknowledged receipt still ends in exactly one state, in a rebuild from raw as well.
"""

from dataclasses import replace

import orjson

from stamgast.erasure.naming import Naming, Spelling
from stamgast.erasure.sealing import Sealing
from stamgast.erasure.tombstones import Tombstones
from stamgast.identity.event import Event
from stamgast.ingestion.verdicts import Accepted
from stamgast.raw.gaps import noted
from stamgast.raw.record import SUPPRESSED, RawRecord, RejectedRecord

REDACTED = "redacted"
NOTHING = "{}"


def remains_of(record: RawRecord, event: Event) -> RawRecord:
    """The line that stays: receipt, source and arrival, and the message by its keyed hash."""
    return RawRecord(
        receipt_id=record.receipt_id,
        request_id=record.request_id,
        index=record.index,
        received_ms=record.received_ms,
        source_id=record.source_id,
        assurance=record.assurance,
        sent_ms=None,
        original_ms=None,
        event_ms=record.received_ms,
        type=SUPPRESSED,
        message_id=event.message_key,
        payload_hash="",
        ip=None,
        user_agent=None,
        body=NOTHING,
    )


def remains_of_accepted(accepted: Accepted, received_ms: int, event: Event) -> Accepted:
    """What stays of an event in a queue's message."""
    return Accepted(
        position=accepted.position,
        type=SUPPRESSED,
        message_id=event.message_key,
        original_ms=None,
        sent_ms=None,
        event_ms=received_ms,
        body=NOTHING.encode(),
    )


def remains_of_rejected(record: RejectedRecord) -> RejectedRecord:
    """The line that stays of a refused event: its receipt and its reason as a word."""
    return RejectedRecord(
        receipt_id=record.receipt_id,
        received_ms=record.received_ms,
        source_id=record.source_id,
        code=record.code,
        path="",
        message="erased",
        original="",
    )


def redacted(record: RawRecord, event: Event, keys: frozenset[str], naming: Naming) -> RawRecord:
    """The event of another person without the identifiers that were erased.

    The hash of its payload stays, so that copies of the message are known as such, and so do the
    other identifiers and their places: one that spells an erased one gives way to a seal.
    """
    sealing = Sealing(Spelling(naming, keys), naming.settings, naming.keyring, keys)
    body = naming.without(sealing.body(orjson.loads(record.body), naming.region), keys)
    gaps = noted(place for place, seen in event.placed if seen.key in keys)
    notes = (*record.notes, REDACTED, *gaps)
    return replace(record, body=orjson.dumps(body).decode(), notes=notes)


def is_rejected_barred(record: RejectedRecord, naming: Naming, tombstones: Tombstones) -> bool:
    """Whether a refused event names an erased person and does not prove to be younger.

    Most refused events have no time that can be trusted; these stay away.
    """
    named = [tombstones[key] for key in keys_of_rejected(record, naming) if key in tombstones]
    happened_ms = _own_time(record)
    return any(happened_ms is None or happened_ms <= one.until_ms for one in named)


def keys_of_rejected(record: RejectedRecord, naming: Naming) -> set[str]:
    """The keys of whatever the identifiers of a refused event spell."""
    return {key for value in record.identifiers.values() for key in naming.keys_of(value)}


def _own_time(record: RejectedRecord) -> int | None:
    if record.stamps is None:
        return None
    told = orjson.loads(record.stamps)
    return None if told.get("original_ms") is None else int(told["event_ms"])
