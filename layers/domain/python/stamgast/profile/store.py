"""The port through which the profile stage reads and writes facts.

ProfileError
└── ContendedError
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from stamgast.profile.items import Base, Live
from stamgast.profile.timeline import Entry

MOST_TRIES = 12
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 1.0

# Waits for a random part of so many seconds (full jitter).
Pause: TypeAlias = Callable[[float], None]


class ProfileError(Exception):
    """The profile stage could not keep its word."""


class ContendedError(ProfileError):
    """Other writers won every try; the caller gives the work back, nothing is half done."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The two items of an anchor, read one by one: together they may be torn."""

    live: Live = field(default_factory=Live)
    base: Base = field(default_factory=Base)


class FactStore(Protocol):
    """Facts items of the table of profiles; every read is strong.

    Each method raises `stamgast.store_error.StoreError` when the store did not answer; a write
    may then have happened or not.
    """

    def read(self, anchors: Sequence[str]) -> Mapping[str, Pair]:
        """Both items of each anchor, empty ones for what is absent."""
        ...

    def put_live(self, anchor: str, live: Live) -> bool:
        """Writes the item if the stored version is the one before; False if it is not."""
        ...

    def put_base(self, anchor: str, base: Base) -> bool:
        """Writes the item if the stored base is of an older run; False if it is not."""
        ...

    def insert(self, items: Sequence[tuple[str, Live | Base]]) -> Sequence[bool]:
        """Writes items of anchors that have none of that kind; False where one stands."""
        ...

    def put_entries(self, entries: Iterable[tuple[str, Entry]]) -> None:
        """Writes timeline items, each under its anchor, without a condition."""
        ...

    def lines_of(
        self, anchor: str, message_key: str, since_ms: int, until_ms: int | None
    ) -> Iterable[Entry]:
        """What the anchor's timeline tells of a message within `[since_ms, until_ms)`."""
        ...


def pause_seconds(attempt: int) -> float:
    """The longest pause after this many tries in vain: doubled each time, up to a second."""
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0**attempt)
