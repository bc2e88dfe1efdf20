"""The item that is a person: which identifiers it has, and whose facts are its own."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth

if TYPE_CHECKING:  # a look-up reads no edge, and loads faster without
    from stamgast.identity.edge import Pair


class RootState(StrEnum):
    """A person that stands, one merged into another, one that a job is changing."""

    ACTIVE = "active"
    MERGED = "merged"
    SPLITTING = "splitting"


class Member(NamedTuple):
    """An identifier inside a person: how well it is known, and its trust group.

    Identifiers that verified edges connect share a group; its label is their smallest key.
    """

    assurance: Assurance
    group: str


@dataclass(frozen=True, slots=True)
class Root:
    """A person. `founder` is the identifier of its birth; `run` the last run that changed it."""

    person_id: str
    state: RootState
    version: int
    born: Birth
    founder: str
    members: Mapping[str, Member] = field(default_factory=dict)
    anchors: frozenset[str] = frozenset()
    cannot_links: "frozenset[Pair]" = frozenset()
    into: str | None = None
    job: str | None = None
    run: int = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How many identifiers the person has in each namespace."""
        return Counter(key.partition(":")[0] for key in self.members)

    def trusted_anchors(self, key: str) -> frozenset[str]:
        """The anchors whose facts a look-up through this identifier may read in full."""
        member = self.members.get(key)
        if member is None:
            return frozenset()
        return frozenset(
            anchor
            for anchor in self.anchors
            if anchor == key
            or (anchor in self.members and self.members[anchor].group == member.group)
        )
