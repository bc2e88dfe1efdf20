"""The search of every byte: what is left of whom, in every store that can be read."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from stamgast.erasure.envelopes import mentions
from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.subject import LiveTables, Subject
from stamgast_lake.erasure.sweep import Sweep

LETTERS = "EventsDeadLetters"
MOST_SEEN = 10_000
"""The most objects that a search names to the next pass; the one after names the rest."""
SEEN = ("imports/", "raw/")
"""Raw objects and dropped files hold what no table does: a mention there is known by this alone."""


class Tables(LiveTables, Protocol):
    """The live tables as the work on requests asks them."""

    def scan(self, needles: Needles) -> tuple[int, Mapping[str, int]]:
        """How many items there are, and how many of each kind tell of the persons."""
        ...


class DeadLetters(Protocol):
    """The messages that failed."""

    def messages(self) -> Any:
        """Every message with its handle."""
        ...

    def erase(self, left: Callable[[str], str | None]) -> int:
        """Replaces each message by what stays of it."""
        ...


@dataclass(frozen=True, slots=True)
class Searched:
    """What is left by store, how much was read of each, and the objects in which something is.

    `came_back` is how many identifiers name somebody again, of whom nothing counts.
    """

    remaining: Mapping[str, int] = field(default_factory=dict)
    read: Mapping[str, int] = field(default_factory=dict)
    found: frozenset[str] = frozenset()
    came_back: int = 0

    @property
    def seen(self) -> Sequence[str]:
        """The objects that the next pass has to look into."""
        return sorted(key for key in self.found if key.startswith(SEEN))[:MOST_SEEN]

    def to_dict(self) -> dict[str, Any]:
        """The form in which it is written down."""
        return {**asdict(self), "found": sorted(self.found)}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Searched":
        """Reads what `to_dict` wrote."""
        return cls(**{**told, "found": frozenset(told["found"])})


@dataclass(frozen=True, slots=True)
class Search:
    """One search for several persons, each of whom has a certificate of their own."""

    sweep: Sweep
    live: Tables
    dead_letters: DeadLetters

    def together(self, subjects: Mapping[str, Subject]) -> Searched:
        """What is left of all of them: all bytes are read once."""
        return self.of(tuple(subjects.values()))

    def alone(self, subject: Subject, together: Searched, number: int) -> Searched:
        """What is left of one of so many: for each is read what told of anybody."""
        if number < 2 or not any(together.remaining.values()):
            return together
        return replace(self.of((subject,), together.found), read=together.read)

    def of(self, subjects: Sequence[Subject], only: Collection[str] | None = None) -> Searched:
        """What is left of these together, in all objects or in these `only`."""
        needles = needles_of(subjects)
        scans = self.sweep.scan(subjects, only)
        items, told = self.live.scan(needles)
        waiting = mentions((body for _, body in self.dead_letters.messages()), needles)
        left = {prefix: len(scan.found) for prefix, scan in scans.items()} | dict(told)
        return Searched(
            {**left, LETTERS: waiting},
            {prefix: scan.bytes for prefix, scan in scans.items()} | {"I#/@": items},
            frozenset().union(*(scan.found for scan in scans.values())),
        )
