"""What a search of bytes looks for: the identifiers of persons as texts, their keys, their ids.

Compared without ASCII case. A short value would be found everywhere, so it counts only where it
stands alone: between quotes, or as a whole cell of a table.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import orjson

from stamgast.erasure.subject import Subject

SHORT = 8
QUOTES = (b'"', b'\\"', b"'")


@dataclass(frozen=True, slots=True)
class Needles:
    """The texts of some persons in lower case; `short` are those that count between quotes."""

    long: tuple[bytes, ...]
    short: tuple[bytes, ...] = ()

    @property
    def longest(self) -> int:
        """The most bytes that a match takes, its quotes included."""
        return max((len(one) + 4 for one in (*self.long, *self.short)), default=0)

    def found_in(self, block: bytes) -> bool:
        """Whether a block of bytes tells of one of the persons."""
        low = block.lower()
        return any(one in low for one in self.long) or any(one in low for one in self._quoted())

    def is_cell(self, text: str) -> bool:
        """Whether a table's cell tells of one of the persons."""
        told = text.encode("utf-8", "surrogatepass")
        return told.lower() in self.short or self.found_in(told)

    def _quoted(self) -> Iterator[bytes]:
        return (sign + one + sign for one in self.short for sign in QUOTES)


def needles_of(subjects: Iterable[Subject]) -> Needles:
    """What to look for, for all of these persons together."""
    found: set[bytes] = set()
    for subject in subjects:
        found.update(spelled for value in subject.values.values() for spelled in _spellings(value))
        found.update(key.partition(":")[2].encode().lower() for key in subject.keys)
        found.update(person.encode().lower() for person in subject.persons)
    ordered = sorted(found)
    return Needles(
        tuple(one for one in ordered if len(one) >= SHORT),
        tuple(one for one in ordered if len(one) < SHORT),
    )


def _spellings(value: str) -> Iterator[bytes]:
    """A value as it stands in texts, in JSON, in ASCII JSON and in addresses."""
    yield value.encode("utf-8", "surrogatepass").lower()
    yield orjson.dumps(value)[1:-1].lower()
    yield value.encode("ascii", "backslashreplace").lower()
    yield quote(value, safe="").encode().lower()
    if value.startswith("+") and value[1:].isdigit():
        yield value[1:].encode()
