"""What a search of bytes looks for: the identifiers of persons as texts, their keys, their ids.

Compared without ASCII case. An identifier counts only where it is no part of a longer one. A short
one would be found everywhere, so it counts only between quotes, or as a whole cell of a table.
Digests and base64 of the long ones count wherever they stand.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stamgast.erasure.boundaries import NEAR, stands_alone
from stamgast.erasure.coded import LEAST, digests, encoded
from stamgast.erasure.spellings import forms, is_number, number_pattern, spellings
from stamgast.erasure.subject import Subject

SHORT = LEAST
NUMBER = 128
"""The most bytes that a telephone number takes, however its digits are grouped."""
ENDINGS = re.compile(
    rb"(\.(csv|tsv|txt|jsonl?|ndjson|parquet|html?|xml|xlsx?|ods|docx?|pdf|avro|orc|sql|dat|log|bak"
    rb"|old|tmp|eml|vcf|png|jpe?g|tar|gz|bz2|zst|zip))+$"
)
QUOTES = (b'"', b'\\"', b"'")
SIGNS = b"0123456789abcdefghijklmnopqrstuvwxyz"
RUN = re.compile(rb"[0-9a-z]*(?:=|%3d)*")


@dataclass(frozen=True, slots=True)
class Needles:
    """The texts of some persons in lower case.

    `short` are those that count between quotes; `hashed` (keys and ids of the platform) and `coded`
    (digests and base64 of `long` ones) are random, so that they count wherever they stand.
    """

    long: tuple[bytes, ...]
    short: tuple[bytes, ...] = ()
    hashed: tuple[bytes, ...] = ()
    numbers: tuple[re.Pattern[bytes], ...] = ()
    coded: tuple[bytes, ...] = ()

    @property
    def longest(self) -> int:
        """The most bytes that a match takes, its quotes included."""
        every = (*self.long, *self.short, *self.hashed, *self.coded)
        return max([NUMBER * bool(self.numbers), *(len(one) + 4 for one in every)])

    def found_in(self, block: bytes, begin: int = 0, end: int | None = None) -> bool:
        """Whether bytes tell of one of the persons, from `begin` to `end` of what is at hand."""
        low, until = block.lower(), len(block) if end is None else end
        if until <= begin:
            return False
        exact = (*self.hashed, *self.coded, *self._quoted())
        if any(low.find(one, begin, until) >= 0 for one in exact):
            return True
        return any(True for _ in self._mentions(low, begin, until))

    def spans(self, block: bytes) -> list[tuple[int, int]]:
        """Where identifiers that are long enough to be known stand, in order, none twice.

        Backslashes before one go with it: half an escape would break the document.
        """
        low = block.lower()
        whole = (*self._mentions(low, 0, len(low)), *self._encodings(low))
        return _joined([(len(low[:at].rstrip(b"\\")), end) for at, end in whole])

    def taken_out_of(self, text: bytes) -> bytes:
        """The text without mentions of the persons that are long enough to be known."""
        while spans := self.spans(text):
            for begin, end in reversed(spans):
                text = text[:begin] + text[end:]
        return text

    def is_cell(self, text: str) -> bool:
        """Whether a table's cell tells of one of the persons."""
        told = text.encode("utf-8", "surrogatepass")
        return told.lower() in self.short or self.found_in(told)

    def is_name(self, key: str) -> bool:
        """Whether an object's name tells of one of the persons."""
        told = key.encode("utf-8", "surrogatepass")
        return bool(self.name_spans(told)) or self.found_in(told)

    def name_spans(self, name: bytes) -> list[tuple[int, int]]:
        """Where they stand in a name, in which signs part words: `orders_ada@x.nl-2026.csv`.

        What a file is ends no name.
        """
        low = ENDINGS.sub(b"", name.lower())
        whole = [found for one in self.long for found in _places(low, one, 0, len(low))]
        whole += [found.span() for one in self.numbers for found in one.finditer(low)]
        apart = [found for found in whole if _is_word(low, *found)]
        hashed = (found for one in self.hashed for found in _places(low, one, 0, len(low)))
        return _joined([*apart, *self._encodings(low), *hashed])

    def _mentions(self, low: bytes, begin: int, until: int) -> Iterator[tuple[int, int]]:
        """Where one of the texts stands for itself; its neighbours may lie outside."""
        for one in self.long:
            yield from (
                found for found in _places(low, one, begin, until) if _is_apart(low, *found)
            )
        for pattern in self.numbers:
            told = (match.span() for match in pattern.finditer(low, begin, until))
            yield from (found for found in told if _is_apart(low, *found))

    def _encodings(self, low: bytes) -> Iterator[tuple[int, int]]:
        """Where digests and base64 stand, with the letters and digits that they run on into."""
        for one in self.coded:
            for at, end in _places(low, one, 0, len(low)):
                after = RUN.match(low, end)
                yield len(low[:at].rstrip(SIGNS)), after.end() if after else end

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
    ordered = sorted({spelled for value in values for spelled in spellings(value)})
    written = {form for value in values if len(value) >= SHORT for form in forms(value)}
    return Needles(
        tuple(one for one in ordered if len(one) >= SHORT),
        tuple(one for one in ordered if len(one) < SHORT),
        tuple(sorted(hashed)),
        tuple(filter(None, map(number_pattern, sorted(filter(is_number, values))))),
        tuple(sorted({told for one in written for told in (*digests(one), *encoded(one))})),
    )


def _joined(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same places in order, none twice."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(found):
        if joined and begin <= joined[-1][1]:
            begin, end = joined[-1][0], max(end, joined.pop()[1])
        joined.append((begin, end))
    return joined


def _is_word(low: bytes, at: int, end: int) -> bool:
    """Whether nothing goes on where a text stands: a letter, a digit, a part of an address."""
    before = low[max(0, at - NEAR) : at].decode("utf-8", "replace")[-1:]
    after = low[end : end + NEAR].decode("utf-8", "replace")
    if before.isalnum() or after[:1].isalnum():
        return False
    is_longer = before in (".", "+") or (after[:1] == "." and after[1:2].isalnum())
    return not (is_longer and b"@" in low[at:end])


def _places(low: bytes, one: bytes, begin: int, until: int) -> Iterator[tuple[int, int]]:
    at = low.find(one, begin, until)
    while at >= 0:
        yield at, at + len(one)
        at = low.find(one, at + 1, until)


def _is_apart(low: bytes, at: int, end: int) -> bool:
    """Whether a text stands for itself among bytes in lower case."""
    told = low[at:end].decode("utf-8", "replace")
    before = low[max(0, at - NEAR) : at].decode("utf-8", "replace")
    return stands_alone(before, told, low[end : end + NEAR].decode("utf-8", "replace"))
