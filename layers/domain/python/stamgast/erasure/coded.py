"""A value as programs encode it where it is not to be read: digests in hexadecimal, and base64.

Advertisers' platforms are sent SHA-256, SHA-1 or MD5 of an address in lower case or of a telephone
number, with its plus sign or without. In base64 (RFC 4648) a value has three forms, by where in
the encoded text it begins; what its neighbours have a part in is left out of each.
"""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import md5, sha1, sha256

LEAST = 8
STARTS = (0, 2, 3)
"""By the bytes before a value, modulo 3: the first sign of base64 that the value alone decides."""


def digests(value: str) -> Iterator[bytes]:
    """The digests of a value, in hexadecimal; SHA-256 in base64, too."""
    for text in _texts(value):
        strong = sha256(text).digest()
        yield strong.hex().encode()
        yield sha1(text, usedforsecurity=False).hexdigest().encode()
        yield md5(text, usedforsecurity=False).hexdigest().encode()
        yield from _written(b64encode(strong).rstrip(b"="))


def encoded(value: str) -> Iterator[bytes]:
    """What base64 makes of a value, wherever in a longer text it stands."""
    told = value.removeprefix("+").encode("utf-8", "surrogatepass")
    for before, start in enumerate(STARTS):
        text = b64encode(bytes(before) + told)
        yield from _written(text[start : (before + len(told)) * 8 // 6])


def _texts(value: str) -> set[bytes]:
    told = {value, value.lower()}
    if value.startswith("+"):
        told |= {value[1:], "00" + value[1:]}
    return {one.encode("utf-8", "surrogatepass") for one in told}


def _written(text: bytes) -> Iterator[bytes]:
    """A piece of base64 in lower case, in either alphabet, and as JSON and addresses escape it."""
    low = text.lower()
    yield low
    if b"+" in low or b"/" in low:
        yield low.replace(b"+", b"-").replace(b"/", b"_")
        yield low.replace(b"+", b"%2b").replace(b"/", b"%2f")
    if b"/" in low:
        yield low.replace(b"/", b"\\/")
