"""What a search finds of who came back: it was said after the erasure, so nothing of it remains.

Bytes do not say when they were written. Where an identifier names somebody again, lines of the
archive, events and evidence are judged by their own times, as the erasure judges them; what is made
of these is searched for everything but that identifier, unless it was there when the erasure ended.
"""

from collections import Counter
from dataclasses import dataclass, replace

from stamgast.erasure.envelopes import EnvelopeErasure, tells
from stamgast.erasure.needles import needles_of
from stamgast.erasure.subject import Subject
from stamgast_lake.erasure.archive import tombstones_of
from stamgast_lake.erasure.proof import LETTERS, Search, Searched

RAW, TABLES = "raw/", "warehouse/"
ALWAYS = ("rejected/", "imports/")
"""What erasures take out of here whatever its time: the next pass does."""


@dataclass(frozen=True, slots=True)
class CameBack:
    """Judges a search of one person, of whom the identifiers `back` name somebody again."""

    search: Search
    subject: Subject
    back: frozenset[str]
    done_ms: int

    def judged(self, had: Searched) -> Searched:
        """The search without what the law of tombstones lets stand."""
        rest = self.search.of((self._rest(),), had.found)
        found = rest.found | self._lines(had) | self._loose(had)
        left = Counter("".join(key.partition("/")[:2]) for key in found)
        left[TABLES] += self.search.sweep.standing(self.subject)
        items = {kind: n for kind, n in rest.remaining.items() if not kind.endswith("/")}
        remaining = {**dict.fromkeys(had.remaining, 0), **left, **items, LETTERS: self._letters()}
        return replace(had, remaining=remaining, found=found, came_back=len(self.back))

    def _rest(self) -> Subject:
        """The person without the identifiers that name somebody again."""
        values = {k: value for k, value in self.subject.values.items() if k not in self.back}
        return replace(self.subject, keys=self.subject.keys - self.back, values=values)

    def _lines(self, had: Searched) -> frozenset[str]:
        """The raw objects in which a line remains."""
        keys = [key for key in had.found if key.startswith(RAW)]
        return frozenset(self.search.sweep.unlawful(self.subject, keys))

    def _loose(self, had: Searched) -> frozenset[str]:
        """Objects beside archive and tables that were written before the erasure was done."""
        keys = [key for key in had.found if not key.startswith((RAW, TABLES))]
        written = self.search.sweep.written(key for key in keys if not key.startswith(ALWAYS))
        return frozenset(key for key in keys if written.get(key, 0) <= self.done_ms)

    def _letters(self) -> int:
        """How many dead letters hold what an erasure would take out of them."""
        sweep, needles = self.search.sweep, needles_of([self.subject])
        settings, keyring = sweep.lake.workspace().identity, sweep.lake.keyring()
        erasure = EnvelopeErasure(tombstones_of([self.subject]), needles, settings, keyring)
        letters = (body for _, body in self.search.dead_letters.messages())
        return sum(erasure.left(one) != one for one in letters if tells(one, needles))
