"""Persons in the audit log: hashed from the start under a salt of their own (HMAC-SHA-256).

Nothing leads from a line to its person but the salt; an erasure of the salt erases the line.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from hmac import digest
from typing import Protocol
from zlib import crc32

SIGNS = 32
NOBODY = "nobody"
NOBODIES = 256


class Salts(Protocol):
    """The salts of persons."""

    def of(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """The salt of each, made where there was none; raises StoreError where it cannot tell."""
        ...


def pseudonym(salt: bytes, text: str) -> str:
    """What stands in the audit log for a person, or for the message of a word of theirs."""
    return digest(salt, text.encode("utf-8", "surrogatepass"), sha256).hex()[:SIGNS]


def salted_name(person_id: str | None, disclosure_id: str) -> str:
    """Whose salt a line asks for: one of nobody's, so that the unknown take as long as the known.

    There are many of those, because one item takes a thousand writes a second and no more.
    """
    return person_id or f"{NOBODY}-{crc32(disclosure_id.encode()) % NOBODIES:02x}"
