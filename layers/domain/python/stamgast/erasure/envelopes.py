"""A queue's message without the erased: what waits among dead letters is acknowledged, too."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import orjson

from stamgast.erasure.gate import kept
from stamgast.erasure.naming import Naming
from stamgast.erasure.needles import Needles
from stamgast.erasure.remains import is_rejected_barred, remains_of_accepted
from stamgast.erasure.sealing import Sealing
from stamgast.erasure.tombstones import Fate, Tombstones, judge, names_any
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import IdentitySettings
from stamgast.ingestion.envelope import EnvelopeError, decode, encode
from stamgast.ingestion.verdicts import Accepted, Envelope, Rejected
from stamgast.raw.record import RawRecord, RejectedRecord
from stamgast.raw.unfold import unfold

UNREADABLE = (ValueError, KeyError, TypeError, LookupError, AttributeError)


@dataclass(frozen=True, slots=True)
class EnvelopeErasure:
    """Takes erased persons out of the messages of a queue, under the law of tombstones."""

    tombstones: Tombstones
    needles: Needles
    settings: IdentitySettings
    keyring: Keyring

    def left(self, message: str) -> str | None:
        """What stays of a message, the same text if nothing goes; None if nothing stays."""
        try:
            envelope = decode(message)
        except EnvelopeError:
            return None if self.needles.found_in(message.encode()) else message
        left = self._left(envelope)
        return message if left == envelope else encode(left)

    def _left(self, envelope: Envelope) -> Envelope:
        raw, rejected = unfold(envelope)
        accepted = zip(envelope.accepted, raw, strict=True)
        refused = zip(envelope.rejected, rejected, strict=True)
        left = Envelope(
            envelope.receipt,
            tuple(self._accepted(one, record) for one, record in accepted),
            tuple(self._rejected(one, record) for one, record in refused),
        )
        is_empty = left != envelope and all(a.body == b"{}" for a in left.accepted)
        receipt = replace(left.receipt, ip=None, user_agent=None) if is_empty else left.receipt
        return replace(left, receipt=receipt)

    def _accepted(self, one: Accepted, record: RawRecord) -> Accepted:
        try:
            event = interpret(record, self.settings, self.keyring)
        except UNREADABLE:
            return one
        judged = judge(event, self.tombstones)
        if judged.fate is Fate.SUPPRESSED:
            return remains_of_accepted(one, record.received_ms, event)
        if judged.fate is Fate.REDACTED:
            left, _ = kept(record, event, judged, self.settings, self.keyring)
            one = one._replace(body=left.body.encode(), notes=left.notes)
        is_since = judged.fate is Fate.KEPT and names_any(event, self.tombstones)
        is_told = not is_since and self.needles.found_in(_line(one))
        return self._sealed(one, record) if is_told else one

    def _sealed(self, one: Accepted, record: RawRecord) -> Accepted:
        """What somebody else's event keeps, and its id, where they spell the erased."""
        sealing = Sealing(self.needles, self.settings, self.keyring, self.tombstones.keys())
        message_id = sealing.message_id(record.source_id, one.message_id)
        body = sealing.body(orjson.loads(one.body), self.settings.region_of(record.source_id))
        if message_id != one.message_id and "messageId" in body:
            body["messageId"] = message_id
        text = self.needles.taken_out_of(orjson.dumps(body))
        return one._replace(body=text, message_id=message_id)

    def _rejected(self, one: Rejected, record: RejectedRecord) -> Rejected:
        naming = Naming(self.settings, self.keyring)
        is_barred = is_rejected_barred(record, naming, self.tombstones)
        if not is_barred and not self.needles.found_in(record.to_json()):
            return one
        fault = replace(one.fault, path="", message="erased")
        return Rejected(one.position, fault, original="", length=0)


def _line(one: Accepted) -> bytes:
    return b"\n".join((one.body, one.message_id.encode("utf-8", "surrogatepass")))


def mentions(messages: Iterator[str], needles: Needles) -> int:
    """How many messages tell of one of the persons, packed ones unpacked."""
    return sum(tells(message, needles) for message in messages)


def tells(message: str, needles: Needles) -> bool:
    """Whether a message tells of one of the persons, unpacked if it is packed."""
    return needles.found_in(_plain(message))


def _plain(message: str) -> bytes:
    try:
        envelope = decode(message)
    except EnvelopeError:
        return message.encode()
    raw, rejected = unfold(envelope)
    lines = [record.to_json() for record in raw]
    return b"\n".join([*lines, *(record.to_json() for record in rejected)])
