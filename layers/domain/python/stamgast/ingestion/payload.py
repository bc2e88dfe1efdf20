"""The hash that tells two copies of a message from two messages under one id."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

LEFT_OUT = frozenset(("sentAt", "receivedAt", "_metadata", "writeKey", "integrations"))
HASH_BYTES = 16


def payload_hash(event: Mapping[str, Any]) -> str:
    """32 hexadecimal characters of BLAKE2b (RFC 7693) over the event's JSON with sorted keys.

    What a client changes when it sends a message again is left out.
    """
    kept = {name: value for name, value in event.items() if name not in LEFT_OUT}
    return _hash(orjson.dumps(kept, option=orjson.OPT_SORT_KEYS))


def message_id_of_payload(source_id: str, event: Mapping[str, Any]) -> str:
    """The id of a message that carries its own time but no id: the same on every resend."""
    return "payload-" + _hash(source_id.encode() + b"\0" + payload_hash(event).encode())


def message_id_of_row(file: str, row: int) -> str:
    """The id of a file's row that carries none: the same whenever the file is uploaded again."""
    return "row-" + _hash(f"{file}\0{row}".encode())


def _hash(told: bytes) -> str:
    return blake2b(told, digest_size=HASH_BYTES).hexdigest()
