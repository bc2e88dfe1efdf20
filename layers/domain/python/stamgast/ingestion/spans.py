"""Where the events of a batch stand in its text, found without parsing and without recursion.

So a refused event keeps its own bytes, and one event that is no JSON spoils no other.
"""

import re

TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}\[\],:]', re.DOTALL)
OPENERS = b"{["
CLOSERS = b"}]"

Span = tuple[int, int]


def members(text: bytes) -> dict[bytes, Span]:
    """The spans of the values of an object's members, by the raw text of their names."""
    found: dict[bytes, Span] = {}
    name, begin, depth = b"", 0, 0
    for token in TOKEN.finditer(text):
        sign = token.group()
        if sign in CLOSERS:
            depth -= 1
        if depth == 1 and sign == b":" and not begin:
            begin = token.end()
        elif (depth == 1 and sign == b",") or (depth == 0 and sign == b"}"):
            if begin:
                found[name] = _trimmed(text, begin, token.start())
            begin = 0
        elif depth == 1 and not begin and sign.startswith(b'"'):
            name = sign[1:-1]
        if sign in OPENERS:
            depth += 1
        if depth <= 0:
            break
    return found


def elements(text: bytes, begin: int, end: int) -> list[Span]:
    """The spans of the elements of the array that stands between two offsets."""
    found: list[Span] = []
    depth, start = 0, begin
    for token in TOKEN.finditer(text, begin, end):
        sign = token.group()
        if sign in CLOSERS:
            depth -= 1
        if (depth == 1 and sign == b",") or (depth == 0 and sign == b"]"):
            span = _trimmed(text, start, token.start())
            if span[0] < span[1] or sign == b",":
                found.append(span)
            start = token.end()
        if sign in OPENERS:
            depth += 1
            if depth == 1:
                start = token.end()
        if depth <= 0:
            break
    return found


def _trimmed(text: bytes, begin: int, end: int) -> Span:
    inner = text[begin:end]
    left = len(inner) - len(inner.lstrip())
    return begin + left, max(begin + left, begin + len(inner.rstrip()))
