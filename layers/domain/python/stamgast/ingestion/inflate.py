"""Bodies as bytes: gzip (RFC 1952) inflated to a bound, whatever the content type says."""

import zlib
from base64 import b64decode

from stamgast.ingestion.request import Refusal

GZIP = b"\x1f\x8b"
WITH_GZIP_HEADER = 31
# Each member copies what follows it: a body of empty ones would cost seconds.
MOST_MEMBERS = 64


def inflate(body: bytes, largest: int) -> bytes | Refusal:
    """The body inflated if its first bytes are gzip's (a front may have inflated it already).

    Stops as soon as the bound is passed, so that a bomb costs no more than an honest body.
    """
    if not body.startswith(GZIP):
        return body if len(body) <= largest else Refusal("too_large")
    told = b""
    for _ in range(MOST_MEMBERS):
        if not body:
            return told
        inflater = zlib.decompressobj(WITH_GZIP_HEADER)
        try:
            told += inflater.decompress(body, largest + 1 - len(told))
        except zlib.error:
            return Refusal("invalid_gzip")
        if len(told) > largest:
            return Refusal("too_large")
        if not inflater.eof:
            return Refusal("invalid_gzip")
        body = inflater.unused_data if inflater.unused_data.startswith(GZIP) else b""
    return Refusal("invalid_gzip") if body else told


def body_of(told: str | None, is_base64: bool) -> bytes | Refusal:
    """The bytes of a body that a gateway handed over as text."""
    if told is None:
        return b""
    if not is_base64:
        as_bytes = "latin-1" if told.startswith("\x1f\x8b") and told.isascii() else "utf-8"
        return told.encode(as_bytes, "surrogatepass")
    try:
        return b64decode(told, validate=True)
    except ValueError:
        return Refusal("invalid_base64")
