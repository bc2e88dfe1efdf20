"""What a run did to live persons, component by component."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from stamgast.identity.plan import IdentityChange


class Result(StrEnum):
    """What became of a component: contended and too large ones are told, never dropped."""

    SAME = "same"
    MINTED = "minted"
    CORRECTED = "corrected"
    CONTENDED = "contended"
    FENCED = "fenced"
    TOO_LARGE = "too_large"
    CLASHING = "clashing"


@dataclass(slots=True)
class Corrections:
    """How many components ended in which result, and the changes of identity to tell."""

    counts: dict[Result, int] = field(default_factory=dict)
    changes: list[IdentityChange] = field(default_factory=list)

    def add(self, result: Result, changes: Iterable[IdentityChange] = ()) -> None:
        """Counts one component."""
        self.counts[result] = self.counts.get(result, 0) + 1
        self.changes.extend(changes)

    @property
    def is_complete(self) -> bool:
        """Whether every component now stands as the run says."""
        good = {Result.SAME, Result.MINTED, Result.CORRECTED}
        return good.issuperset(self.counts)
