"""The port through which the profile stage reads and writes facts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from stamgast.profile.live import Base, Live
from stamgast.profile.timeline import Entry

Pause: TypeAlias = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Pair:
    """The two items of an anchor, read one by one: together they may be torn."""

    live: Live = field(default_factory=Live)
    base: Base = field(default_factory=Base)


class FactStore(Protocol):
    """Facts items of the table of profiles; every read is strong."""

    def read(self, anchors: Sequence[str]) -> Mapping[str, Pair]:
        """Both items of each anchor, empty ones for what is absent."""

    def put_live(self, anchor: str, live: Live) -> bool:
        """Writes the item if the stored version is the one before; False if it is not."""

    def put_base(self, anchor: str, base: Base) -> bool:
        """Writes the item if the stored base is of an older run; False if it is not."""

    def put_entries(self, entries: Iterable[tuple[str, Entry]]) -> None:
        """Writes timeline items, each under its anchor, without a condition."""
