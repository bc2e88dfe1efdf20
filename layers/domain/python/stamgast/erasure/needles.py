"""What a search of bytes looks for: the identifiers of persons as texts, their keys, their ids.

Compared without ASCII case. An identifier counts only where it is no part of a longer one. A short
one would be found everywhere, so it counts only between quotes, or as a whole cell of a table.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from json import dumps
from urllib.parse import quote

from stamgast.erasure.boundaries import NEAR, stands_alone
from stamgast.erasure.subject import Subject

SHORT = 8
ENDINGS = re.compile(r"(\.(csv|tsv|txt|jsonl?|ndjson|parquet|html|gz))+$", re.IGNORECASE)
QUOTES = (b'"', b'\\"', b"'")


@dataclass(frozen=True, slots=True)
class Needles:
    """The texts of some persons in lower case.

    `short` are those that count between quotes; `hashed` are as long as each other and random, so
    that they count wherever they stand.
    """

    long: tuple[bytes, ...]
    short: tuple[bytes, ...] = ()
    hashed: tuple[bytes, ...] = ()

    @property
    def longest(self) -> int:
        """The most bytes that a match takes, its quotes included."""
        every = (*self.long, *self.short, *self.hashed)
        return max((len(one) + 4 for one in every), default=0)

    def found_in(self, block: bytes, begin: int = 0, end: int | None = None) -> bool:
        """Whether bytes tell of one of the persons, from `begin` to `end` of what is at hand."""
        low, until = block.lower(), len(block) if end is None else end
        if until <= begin:
            return False
        exact = (*self.hashed, *self._quoted())
        if any(low.find(one, begin, until) >= 0 for one in exact):
            return True
        return any(True for one in self.long for _ in _mentions(low, one, begin, until))

    def spans(self, block: bytes) -> list[tuple[int, int]]:
        """Where identifiers that are long enough to be known stand, in order, none twice.

        Backslashes before one go with it: half an escape would break the document.
        """
        low = block.lower()
        found = sorted(
            (len(low[:at].rstrip(b"\\")), at + len(one))
            for one in self.long
            for at in _mentions(low, one, 0, len(low))
        )
        joined: list[tuple[int, int]] = []
        for begin, end in found:
            if joined and begin <= joined[-1][1]:
                begin, end = joined[-1][0], max(end, joined.pop()[1])
            joined.append((begin, end))
        return joined

    def is_cell(self, text: str) -> bool:
        """Whether a table's cell tells of one of the persons."""
        told = text.encode("utf-8", "surrogatepass")
        return told.lower() in self.short or self.found_in(told)

    def is_name(self, key: str) -> bool:
        """Whether an object's name tells of one of the persons; what a file is ends no name."""
        return self.found_in(ENDINGS.sub("", key).encode("utf-8", "surrogatepass"))

    def _quoted(self) -> Iterator[bytes]:
        return (sign + one + sign for one in self.short for sign in QUOTES)


def needles_of(subjects: Iterable[Subject]) -> Needles:
    """What to look for, for all of these persons together."""
    values: set[str] = set()
    hashed: set[bytes] = set()
    for subject in subjects:
        values.update(subject.values.values())
        hashed.update(key.partition(":")[2].encode().lower() for key in subject.keys)
        hashed.update(person.encode().lower() for person in subject.persons)
    ordered = sorted({spelled for value in values for spelled in _spellings(value)})
    return Needles(
        tuple(one for one in ordered if len(one) >= SHORT),
        tuple(one for one in ordered if len(one) < SHORT),
        tuple(sorted(hashed)),
    )


def _mentions(low: bytes, one: bytes, begin: int, until: int) -> Iterator[int]:
    """Where a text stands for itself among bytes in lower case; neighbours may lie outside."""
    told = one.decode("utf-8", "replace")
    at = low.find(one, begin, until)
    while at >= 0:
        end = at + len(one)
        before = low[max(0, at - NEAR) : at].decode("utf-8", "replace")
        if stands_alone(before, told, low[end : end + NEAR].decode("utf-8", "replace")):
            yield at
        at = low.find(one, at + 1, until)


def _spellings(value: str) -> Iterator[bytes]:
    """A value as it stands in texts, in JSON, in JSON within JSON, and in addresses."""
    for cased in _cases(value):
        told = cased.encode("utf-8", "surrogatepass")
        yield told.lower()
        yield quote(told, safe="").encode().lower()
        yield quote(told, safe="@").encode().lower()
        for escaped in _escaped(cased):
            yield escaped
            yield escaped.replace(b"\\", b"\\\\")
    if value.startswith("+") and value[1:].isdigit():
        yield value[1:].encode()


def _escaped(value: str) -> Iterator[bytes]:
    """A value in JSON: in UTF-8, in ASCII, and with the signs that some writers escape."""
    for is_ascii in (False, True):
        inner = dumps(value, ensure_ascii=is_ascii)[1:-1]
        for text in (inner, inner.replace("@", r"\u0040")):
            yield text.encode("utf-8", "surrogatepass").lower()
            yield text.replace("+", r"\u002b").encode("utf-8", "surrogatepass").lower()


def _cases(value: str) -> set[str]:
    """A value in the cases that people write, where they are the same letters."""
    if value.isascii():
        return {value}
    told = (value.lower(), value.upper(), value.title())
    return {value, *(one for one in told if one.lower() == value.lower())}
