"""The text of one queue message: all events of one request, accepted and rejected together.

A line of JSON for the request and its verdicts, then one line for each accepted body. Texts from
`COMPRESSED_FROM` bytes on are deflated (RFC 1950) and spelled in base64; no JSON starts like it.
ISA-L deflates in a quarter of zlib's time, to less; any zlib inflates what it wrote.
"""

import zlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import replace
from typing import Any

import orjson
from isal import isal_zlib

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.verdicts import Accepted, Envelope, Fault, Receipt, Rejected

VERSION = 1
COMPRESSED_FROM = 64 * 1024
LARGEST_MESSAGE = 1024 * 1024
LARGEST_INFLATED = 64 * 1024 * 1024
# Characters that JSON leaves bare and SQS refuses (W3C XML 1.0, section 2.2).
REFUSED_BY_SQS = (b"\x7f", b"\xef\xbf\xbe", b"\xef\xbf\xbf")


class EnvelopeError(ValueError):
    """A queue message that no version of `encode` wrote."""


def encode(envelope: Envelope) -> str:
    """The message's text; `decode` gives the same envelope back."""
    header = orjson.dumps(_header(envelope))
    text = b"\n".join((header, *(one.body for one in envelope.accepted)))
    if len(text) < COMPRESSED_FROM and not _is_refused(text):
        return text.decode()
    return b64encode(isal_zlib.compress(text, 1)).decode("ascii")


def messages_of(envelope: Envelope, largest: int = LARGEST_MESSAGE) -> list[str]:
    """One message, or as many as it takes for each to stay within `largest` bytes."""
    text = encode(envelope)
    if len(text.encode()) <= largest:
        return [text]
    if len(envelope.accepted) + len(envelope.rejected) < 2:
        raise EnvelopeError("one event does not fit a message")
    return [part for half in _halves(envelope) for part in messages_of(half, largest)]


def decode(message: str) -> Envelope:
    """The envelope that `encode` wrote; raises EnvelopeError for any other text."""
    try:
        header, *bodies = _text(message).split(b"\n")
        return _envelope(orjson.loads(header), bodies)
    except (ValueError, KeyError, TypeError, zlib.error, Base64Error) as error:
        raise EnvelopeError(f"not an envelope: {type(error).__name__}") from error


def _is_refused(text: bytes) -> bool:
    odd = REFUSED_BY_SQS[:1] if text.isascii() else REFUSED_BY_SQS
    return any(sign in text for sign in odd)


def _text(message: str) -> bytes:
    if message.startswith("{"):
        return message.encode()
    inflater = zlib.decompressobj()
    text = inflater.decompress(b64decode(message, validate=True), LARGEST_INFLATED)
    if inflater.unconsumed_tail or not inflater.eof:
        raise EnvelopeError("a truncated message, or one that inflates beyond its bound")
    return text


def _halves(envelope: Envelope) -> tuple[Envelope, Envelope]:
    if len(envelope.accepted) > 1:
        middle = len(envelope.accepted) // 2
        some, others = envelope.accepted[:middle], envelope.accepted[middle:]
        return replace(envelope, accepted=some, rejected=()), replace(envelope, accepted=others)
    if envelope.accepted and envelope.rejected:
        return replace(envelope, rejected=()), replace(envelope, accepted=())
    middle = len(envelope.rejected) // 2
    first, rest = envelope.rejected[:middle], envelope.rejected[middle:]
    return replace(envelope, rejected=first), replace(envelope, rejected=rest)


def _header(envelope: Envelope) -> dict[str, Any]:
    receipt = envelope.receipt
    return {
        "v": VERSION,
        "request_id": receipt.request_id,
        "received_ms": receipt.received_ms,
        "source_id": receipt.source_id,
        "assurance": int(receipt.assurance),
        "ip": receipt.ip,
        "user_agent": receipt.user_agent,
        "sent_ms": receipt.sent_ms,
        "is_import": receipt.is_import,
        "file": receipt.file,
        "accepted": [
            (a.position, a.type, a.message_id, a.original_ms, a.sent_ms, a.event_ms, a.notes)
            for a in envelope.accepted
        ],
        "rejected": [_told(rejected) for rejected in envelope.rejected],
    }


def _told(rejected: Rejected) -> tuple[Any, ...]:
    fault = rejected.fault
    return (
        rejected.position,
        (fault.code, fault.path, fault.message),
        rejected.original,
        rejected.length,
        rejected.message_id,
        rejected.identifiers,
    )


def _envelope(header: dict[str, Any], bodies: list[bytes]) -> Envelope:
    if header["v"] != VERSION or len(bodies) != len(header["accepted"]):
        raise EnvelopeError("another version, or a body too few or too many")
    receipt = Receipt(
        request_id=header["request_id"],
        received_ms=header["received_ms"],
        source_id=header["source_id"],
        assurance=Assurance(header["assurance"]),
        ip=header["ip"],
        user_agent=header["user_agent"],
        sent_ms=header["sent_ms"],
        is_import=header["is_import"],
        file=header["file"],
    )
    stamps = zip(header["accepted"], bodies, strict=True)
    accepted = tuple(_accepted(*stamp, body) for stamp, body in stamps)
    return Envelope(receipt, accepted, tuple(_rejected(*told) for told in header["rejected"]))


def _accepted(*told: Any) -> Accepted:
    position, kind, message_id, original_ms, sent_ms, event_ms, notes, body = told
    return Accepted(position, kind, message_id, original_ms, sent_ms, event_ms, body, tuple(notes))


def _rejected(position: int, fault: list[str], *rest: Any) -> Rejected:
    return Rejected(position, Fault(*fault), *rest)
