"""Where clients put their write key, and what one is worth."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from stamgast.identity.assurance import Assurance

LONGEST_KEY = 256


@dataclass(frozen=True, slots=True)
class Source:
    """Where events come from, as one of its keys says; no `events_per_second` means no limit."""

    source_id: str
    assurance: Assurance
    events_per_second: int | None = None


class KeyStoreError(Exception):
    """The key store did not answer."""


class KeyStore(Protocol):
    """Finds the source of an active key; the technology behind it keeps only the key's hash."""

    def find(self, key_hash: str) -> Source | None:
        """None for an unknown or revoked key; raises KeyStoreError when nothing can be said."""


def hash_of(write_key: str) -> str:
    """The form in which a key is kept and looked up: SHA-256, in hexadecimal.

    Keys are long and random, so no salt is needed; and since the hash is what is compared, by the
    store, the time it takes tells nothing about a key (an attacker cannot choose hashes).
    """
    return sha256(write_key.encode("utf-8", "surrogatepass")).hexdigest()


def basic_key(headers: Mapping[str, str]) -> str | None:
    """The user name of HTTP Basic authentication (RFC 7617), or None."""
    scheme, _, told = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name = b64decode(told.strip(), validate=True).decode()
    except ValueError:
        return None
    return _key(name.partition(":")[0])


def key_of(basic: str | None, body: object, query: Mapping[str, str]) -> str | None:
    """The first of: Basic user name, `writeKey` in the body, `writeKey` in the query."""
    in_body = body.get("writeKey") if isinstance(body, dict) else None
    return basic or _key(in_body) or _key(query.get("writeKey"))


def _key(told: object) -> str | None:
    return told if isinstance(told, str) and 0 < len(told) <= LONGEST_KEY else None
