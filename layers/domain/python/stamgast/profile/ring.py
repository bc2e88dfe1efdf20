"""The ring of recent message ids: which events a live item has counted already."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from stamgast.profile.facts import ShortId

RING_SIZE = 32
NOTHING_EVICTED = ShortId(-(2**47), "")


@dataclass(frozen=True, slots=True)
class Ring:
    """The newest ids by the client's own time, ascending, and the newest id ever evicted."""

    ids: tuple[ShortId, ...] = ()
    horizon: ShortId = NOTHING_EVICTED


def join(ring: Ring, ids: Iterable[ShortId], size: int = RING_SIZE) -> Ring:
    """The `size` largest of the ring and the ids above its horizon.

    Commutative and idempotent. Evicting by arrival instead of by time would count twice: a late
    copy of an evicted id could not be told from a new one.
    """
    union = sorted({*ring.ids, *(one for one in ids if one > ring.horizon)})
    evicted, kept = union[:-size], union[-size:]
    return Ring(tuple(kept), max((ring.horizon, *evicted[-1:])))


@dataclass(frozen=True, slots=True)
class RunIds:
    """The messages of one anchor that a run has: the newest ids, and every short id's key.

    `lost` are the keys among them of messages of which a copy lost, as far as this run learnt.
    """

    newest: tuple[ShortId, ...]
    keys: Collection[str]
    lost: Collection[str] = frozenset()

    @classmethod
    def of(cls, ids: Iterable[ShortId]) -> "RunIds":
        """From all ids of the anchor that have a time of their own."""
        listed = sorted(ids)
        return cls(tuple(listed[-RING_SIZE - 1 :]), frozenset(one.key for one in listed))
