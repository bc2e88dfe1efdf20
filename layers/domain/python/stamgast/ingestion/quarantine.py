"""What is kept of a refused event: its own bytes, and whom it names."""

import re
from typing import Any

import orjson

from stamgast.ingestion.addresses import shortened
from stamgast.ingestion.bounds import Bounds
from stamgast.ingestion.validate import text_of
from stamgast.ingestion.verdicts import Fault, Noted, Rejected, Unreadable

# A key is a secret, and quarantine is read by people.
WRITE_KEY = re.compile(rb'("writeKey"\s*:\s*)"[^"]*"')
# Where clients put identifiers; an erasure looks for them in quarantine too.
NAMED = (
    ("userId",),
    ("anonymousId",),
    ("previousId",),
    ("groupId",),
    ("context", "device", "id"),
    *(
        (*place, name)
        for place in (("traits",), ("context", "traits"), ("properties",))
        for name in ("email", "phone", "loyalty_card", "payment_token")
    ),
)


def reject(
    event: object, position: int, found: Fault, text: bytes | None, bounds: Bounds
) -> Rejected:
    """The refused event with its text as it came, or as JSON writes it when that is not known."""
    if isinstance(event, Noted):
        event = event.event
    said = event if isinstance(event, dict) else {}
    if text is None:
        text = event.text if isinstance(event, Unreadable) else _text_of(event)
    text = shortened(said, WRITE_KEY.sub(rb'\1"removed"', text))
    message_id = text_of(said.get("messageId"))
    return Rejected(
        position=position,
        fault=found,
        original=text[: bounds.original_bytes].decode("utf-8", "replace"),
        length=len(text),
        message_id=message_id[: bounds.message_id_characters] if message_id else None,
        identifiers=_identifiers(said, bounds),
    )


def _identifiers(said: dict[str, Any], bounds: Bounds) -> dict[str, str]:
    found = {".".join(path): text_of(_at(said, path)) for path in NAMED}
    return {path: text[: bounds.id_characters] for path, text in found.items() if text}


def _at(value: object, path: tuple[str, ...]) -> object:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text_of(event: object) -> bytes:
    try:
        return orjson.dumps(event, default=repr)
    except orjson.JSONEncodeError:
        return repr(event).encode("utf-8", "backslashreplace")
