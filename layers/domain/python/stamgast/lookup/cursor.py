"""Opaque cursors: where in a timeline the next page begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import NamedTuple

LONGEST_CURSOR = 120
LARGEST_MS = 10**15


class Position(NamedTuple):
    """A place in a timeline: the client's original time, then the message's id as it is sorted."""

    original_ms: int
    key: str


def encode(position: Position) -> str:
    """The cursor that stands for a position; it names no person and holds no identifier."""
    told = f"1.{position.original_ms}.{position.key}"
    return urlsafe_b64encode(told.encode()).decode().rstrip("=")


def decode(cursor: str) -> Position | None:
    """The position that a cursor stands for, or None for anything that `encode` never made."""
    if len(cursor) > LONGEST_CURSOR:
        return None
    try:
        told = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        version, ms, key = told.split(".", 2)
        position = Position(int(ms), key)
    except (NotBase64, ValueError):
        return None
    is_ours = (
        version == "1" and abs(position.original_ms) <= LARGEST_MS and encode(position) == cursor
    )
    return position if is_ours else None
