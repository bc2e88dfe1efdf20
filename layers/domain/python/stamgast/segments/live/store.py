"""The port through which live rules read persons and write where they stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from stamgast.identity.root import Root
from stamgast.profile.store import Pair
from stamgast.segments.live.coverage import Coverage
from stamgast.segments.live.standing import Standing


@dataclass(frozen=True, slots=True)
class Someone:
    """A person's root, if there is one, and where the person stands by segment."""

    root: Root | None = None
    standings: Mapping[str, Standing] = field(default_factory=dict)


class LiveStore(Protocol):
    """Items of the table of profiles; every read is strong.

    Each method raises `stamgast.store_error.StoreError` when the store did not answer; a write
    may then have happened or not.
    """

    def persons_of(self, anchors: Iterable[str]) -> Mapping[str, str]:
        """The person that each of these identifiers' pointers names."""
        ...

    def people(self, person_ids: Sequence[str]) -> Mapping[str, Someone]:
        """Each of these persons."""
        ...

    def people_with(self, wanted: Mapping[str, Iterable[str]]) -> Mapping[str, Someone]:
        """Each of these persons with the standings of these segments alone."""
        ...

    def read(self, anchors: Sequence[str]) -> Mapping[str, Pair]:
        """Both items of each anchor, empty ones for what is absent."""
        ...

    def put_standing(self, standing: Standing, was: Standing | None) -> bool:
        """Writes the item in the place of `was`, unless one who saw more wrote it.

        So whoever writes over a change has seen it, and tells it if nobody has.
        """
        ...

    def insert_standings(self, standings: Sequence[Standing]) -> Sequence[bool]:
        """Writes the items, each if none stands there; whether each was written."""
        ...

    def mark_told(self, standing: Standing) -> None:
        """Notes that the bus has taken the change, if it still stands."""
        ...

    def mark_all_told(self, standings: Sequence[Standing]) -> None:
        """Notes of each that the bus has taken the change, if it still stands."""
        ...

    def coverage(self) -> Coverage:
        """What runs have published of measures."""
        ...

    def put_coverage(self, coverage: Coverage) -> None:
        """Says what runs have published of measures."""
        ...
