"""From a queue message's envelope to the records that the raw archive keeps."""

import orjson

from stamgast.ingestion.payload import payload_hash
from stamgast.ingestion.verdicts import Accepted, Envelope, Receipt, Rejected
from stamgast.raw.record import RawRecord, RejectedRecord


def unfold(envelope: Envelope) -> tuple[list[RawRecord], list[RejectedRecord]]:
    """One record for each receipt of the envelope: the accepted ones, and the rejected ones."""
    receipt = envelope.receipt
    return (
        [_raw(receipt, accepted) for accepted in envelope.accepted],
        [_refused(receipt, rejected) for rejected in envelope.rejected],
    )


def receipt_id_of(receipt: Receipt, index: int) -> str:
    """The name of one event's arrival: `<request_id>:<index>`."""
    return f"{receipt.request_id}:{index}"


def _raw(receipt: Receipt, accepted: Accepted) -> RawRecord:
    return RawRecord(
        receipt_id=receipt_id_of(receipt, accepted.position),
        request_id=receipt.request_id,
        index=accepted.position,
        received_ms=receipt.received_ms,
        source_id=receipt.source_id,
        assurance=receipt.assurance,
        sent_ms=accepted.sent_ms,
        original_ms=accepted.original_ms,
        event_ms=accepted.event_ms,
        type=accepted.type,
        message_id=accepted.message_id,
        payload_hash=payload_hash(orjson.loads(accepted.body)),
        ip=receipt.ip,
        user_agent=receipt.user_agent,
        body=accepted.body.decode(),
        notes=accepted.notes,
    )


def _refused(receipt: Receipt, rejected: Rejected) -> RejectedRecord:
    return RejectedRecord(
        receipt_id=receipt_id_of(receipt, rejected.position),
        received_ms=receipt.received_ms,
        source_id=receipt.source_id,
        code=rejected.fault.code,
        path=rejected.fault.path,
        message=rejected.fault.message,
        original=rejected.original,
        message_id=rejected.message_id,
        identifiers=rejected.identifiers,
        stamps=_stamps(receipt, rejected),
    )


def _stamps(receipt: Receipt, rejected: Rejected) -> str | None:
    """How the event was stamped and who vouched for it; a text that was cut is none to replay."""
    if rejected.stamps is None or len(rejected.original.encode()) < rejected.length:
        return None
    whole = {
        **rejected.stamps,
        "assurance": receipt.assurance.name.lower(),
        "ip": receipt.ip,
        "user_agent": receipt.user_agent,
        "is_import": receipt.is_import,
    }
    return orjson.dumps(whole).decode()
