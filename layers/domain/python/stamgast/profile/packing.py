"""Compact binary texts: variable-length integers (LEB128, zigzag) and length-prefixed bytes."""

from base64 import b32decode, b32encode
from collections.abc import Sequence

from stamgast.identity.keys import SHORT_ID_LENGTH
from stamgast.profile.facts import ShortId

# A short id: the key version's character, then 15 base32 characters (75 bits, padded to 80).
TIME_BYTES, HASH_BYTES = 6, 10
KEY_BYTES = 1 + HASH_BYTES
YEAR_ONE_MS = -62135596800000
LATEST_MS = YEAR_ONE_MS + 2 ** (8 * TIME_BYTES) - 1


class PackingError(ValueError):
    """Bytes that no version of this module wrote."""


class Writer:
    """Appends values; `text` holds what was written."""

    __slots__ = ("text",)

    def __init__(self) -> None:
        self.text = bytearray()

    def count(self, value: int) -> None:
        """A natural number."""
        while value > 0x7F:
            self.text.append(value & 0x7F | 0x80)
            value >>= 7
        self.text.append(value)

    def integer(self, value: int) -> None:
        """Any integer, small when near zero."""
        self.count(2 * value if value >= 0 else -2 * value - 1)

    def blob(self, value: bytes) -> None:
        """Bytes behind their length."""
        self.count(len(value))
        self.text += value

    def raw(self, value: bytes) -> None:
        """Bytes whose length the reader knows."""
        self.text += value


class Reader:
    """Reads what a Writer wrote, in the same order."""

    __slots__ = ("place", "text")

    def __init__(self, text: bytes) -> None:
        self.text, self.place = text, 0

    def count(self) -> int:
        """A natural number."""
        value = shift = 0
        for place in range(self.place, len(self.text)):
            byte = self.text[place]
            if byte <= 0x7F:
                self.place = place + 1
                return value | byte << shift
            value |= (byte & 0x7F) << shift
            shift += 7
        raise PackingError("the text ends within a number")

    def integer(self) -> int:
        """Any integer."""
        zigzag = self.count()
        return zigzag // 2 if zigzag % 2 == 0 else -(zigzag + 1) // 2

    def blob(self) -> bytes:
        """Bytes behind their length."""
        return self.raw(self.count())

    def raw(self, length: int) -> bytes:
        """As many bytes; raises PackingError where the text ends before."""
        told = self.text[self.place : self.place + length]
        if len(told) < length:
            raise PackingError("the text ends too early")
        self.place += length
        return told


def pack_keys(keys: Sequence[str]) -> bytes:
    """11 bytes a short id's key, in columns: all versions, then all hashes."""
    hashes = "".join(key[1:] + "a" for key in keys)
    return "".join(key[0] for key in keys).encode() + b32decode(hashes.upper())


def unpack_keys(text: bytes) -> list[str]:
    """The keys that `pack_keys` wrote."""
    number = len(text) // KEY_BYTES
    versions, hashes = text[:number].decode(), b32encode(text[number:]).decode().lower()
    starts = range(0, number * SHORT_ID_LENGTH, SHORT_ID_LENGTH)
    return [
        version + hashes[start : start + SHORT_ID_LENGTH - 1]
        for version, start in zip(versions, starts, strict=True)
    ]


def pack_ids(ids: Sequence[ShortId]) -> bytes:
    """17 bytes an id: all times, then all keys."""
    times = (min(max(one.original_ms, YEAR_ONE_MS), LATEST_MS) - YEAR_ONE_MS for one in ids)
    packed = b"".join(time.to_bytes(TIME_BYTES) for time in times)
    return packed + pack_keys([one.key for one in ids])


def unpack_ids(text: bytes) -> tuple[ShortId, ...]:
    """The ids that `pack_ids` wrote."""
    number = len(text) // (TIME_BYTES + KEY_BYTES)
    split = number * TIME_BYTES
    times = (text[at : at + TIME_BYTES] for at in range(0, split, TIME_BYTES))
    keys = unpack_keys(text[split:])
    return tuple(
        ShortId(int.from_bytes(time) + YEAR_ONE_MS, key)
        for time, key in zip(times, keys, strict=True)
    )
