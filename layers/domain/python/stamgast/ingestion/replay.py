"""Events that the tracking plan set aside, taken again once the plan lets them through."""

from collections.abc import Mapping
from typing import Any

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.tracking_plan import Action, TrackingPlan
from stamgast.ingestion.verdicts import Accepted, Envelope, Receipt
from stamgast.raw.record import RejectedRecord


def replayed(record: RejectedRecord, plan: TrackingPlan, version: str) -> Envelope | None:
    """The event under a receipt of its own; None if it cannot be taken, or not yet.

    Source, assurance and all times are those of its first arrival. The receipt names the version of
    the workspace, so that a replay that is repeated brings the same receipts.
    """
    if record.stamps is None or record.message_id is None or is_refused(record.original, plan):
        return None
    request_id, _, position = record.receipt_id.rpartition(":")
    stamps: Mapping[str, Any] = orjson.loads(record.stamps)
    receipt = Receipt(
        request_id=f"replay-{version}-{request_id}",
        received_ms=record.received_ms,
        source_id=record.source_id,
        assurance=Assurance[stamps["assurance"].upper()],
        ip=stamps["ip"],
        user_agent=stamps["user_agent"],
        is_import=stamps["is_import"],
    )
    accepted = Accepted(
        position=int(position),
        type=stamps["type"],
        message_id=record.message_id,
        original_ms=stamps["original_ms"],
        sent_ms=stamps["sent_ms"],
        event_ms=stamps["event_ms"],
        body=record.original.encode(),
        notes=tuple(stamps["notes"]),
    )
    return Envelope(receipt, (accepted,))


def is_refused(original: str, plan: TrackingPlan) -> bool:
    """Whether a plan would set the event aside."""
    found = plan.judge(orjson.loads(original))
    return any(action is Action.QUARANTINE for action, _, _ in found)
