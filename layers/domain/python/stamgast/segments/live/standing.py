"""The item that says whether a person is in a segment, and which of two writers knew more."""

from collections.abc import Iterable
from dataclasses import dataclass

from stamgast.identity.root import Root
from stamgast.profile.store import Pair
from stamgast.segments.changes import ENTERED, LEFT, MembershipChange

ROOT_STEP = 1 << 48
KEPT_DAYS = 30
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands with a segment, since which change, and who may write over it.

    `seen` grows with everything that a writer could have read. `is_told` says that the bus has
    taken the change. A row without `seen` is one that a run of an earlier version wrote.
    """

    change: MembershipChange
    seen: int | None
    moment_ms: int
    is_told: bool

    @property
    def is_in(self) -> bool:
        """Whether the person is in the segment."""
        return self.change.change == ENTERED

    @property
    def expires_at_seconds(self) -> int | None:
        """When the memory of somebody who left may go."""
        return None if self.is_in else self.moment_ms // 1000 + KEPT_DAYS * DAY_SECONDS


def seen_by(root: Root, pairs: Iterable[Pair]) -> int:
    """What a reader of these items has seen: larger whenever any of them is newer.

    The root goes first, for anchors come and go with its version alone.
    """
    return root.version * ROOT_STEP + sum(pair.live.version + pair.base.run for pair in pairs)


def turned(standing: Standing | None, *, is_in: bool) -> str | None:
    """The change that a verdict makes; None when nothing changes."""
    was_in = standing is not None and standing.is_in
    return None if was_in == is_in else ENTERED if is_in else LEFT
