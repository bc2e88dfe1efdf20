"""The store's part of the live loop, of publishing and of reading, each retried within bounds."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from stamgast.profile.facts import Facts, fitted
from stamgast.profile.items import Base, Live, dropped
from stamgast.profile.live import TAIL_SIZE, Contribution, absorb, marked
from stamgast.profile.reading import seen
from stamgast.profile.ring import RunIds
from stamgast.profile.store import (
    MOST_TRIES,
    ContendedError,
    FactStore,
    Pair,
    Pause,
    pause_seconds,
)

Kind = TypeVar("Kind", Live, Base)


def take_events(
    store: FactStore,
    anchor: str,
    contributions: Sequence[Contribution],
    known: Pair,
    pause: Pause,
) -> bool:
    """One conditional write of the anchor's live item; False when nothing was new.

    `known` may be older than the store: the write's condition finds out. Raises ContendedError
    after `MOST_TRIES`.
    """
    pair = known
    for attempt in range(1, MOST_TRIES + 1):
        after = absorb(pair.live, pair.base, contributions)
        if after is None or store.put_live(anchor, after):
            return after is not None
        pause(pause_seconds(attempt))
        pair = store.read((anchor,))[anchor]
    raise ContendedError("the live item of an anchor")


def publish_anchor(
    store: FactStore, anchor: str, base: Base, ids: RunIds, pause: Pause, known: Pair | None = None
) -> bool:
    """Publishes a run's facts of one anchor; False when a base as new stands there already.

    First the live item learns which messages the run has, then the base is written with the
    version of the live item that it needs: in the other order a reader would count twice.
    """
    pair = known or store.read((anchor,))[anchor]
    for attempt in range(1, MOST_TRIES + 1):
        if pair.base.run >= base.run:
            return False
        live = marked(pair.live, base.run, ids)
        if store.put_live(anchor, live):
            needed = replace(base, needed=live.version, facts=fitted(base.facts))
            return store.put_base(anchor, needed)
        pause(pause_seconds(attempt))
        pair = store.read((anchor,))[anchor]
    raise ContendedError("publishing an anchor")


def publish_new(store: FactStore, told: Mapping[str, tuple[Base, RunIds]]) -> set[str]:
    """Publishes a run's facts of anchors of which nothing is known, many at once.

    Returns those of which nothing was indeed; the others are left to `publish_anchor`. The order
    is its order, too: no base is written before all live items are.
    """
    lives = {anchor: marked(Live(), base.run, ids) for anchor, (base, ids) in told.items()}
    bases = [
        (anchor, replace(told[anchor][0], needed=live.version, facts=fitted(told[anchor][0].facts)))
        for anchor, live in _inserted(store, list(lives.items()))
    ]
    return {anchor for anchor, _ in _inserted(store, bases)}


def _inserted(store: FactStore, items: Sequence[tuple[str, Kind]]) -> list[tuple[str, Kind]]:
    done = store.insert(items)
    return [item for item, is_done in zip(items, done, strict=True) if is_done]


def read_facts(store: FactStore, anchors: Sequence[str], pause: Pause) -> dict[str, Facts]:
    """The facts of each anchor; pairs that were torn are read again."""
    found: dict[str, Facts] = {}
    for attempt in range(1, MOST_TRIES + 1):
        missing = [anchor for anchor in anchors if anchor not in found]
        found.update(whole(store.read(missing)))
        if len(found) == len(set(anchors)):
            return found
        pause(pause_seconds(attempt))
    raise ContendedError("reading a torn pair")


def whole(pairs: Mapping[str, Pair]) -> dict[str, Facts]:
    """The facts of those pairs that are not torn."""
    read = ((anchor, seen(pair.live, pair.base)) for anchor, pair in pairs.items())
    return {anchor: facts for anchor, facts in read if facts is not None}


def is_worth_publishing(
    pair: Pair, facts: Facts, moment_ms: int, oldest_ms: int, lost: Collection[str] = ()
) -> bool:
    """Whether a run writes this anchor: a reader would see a difference, or the tail is worn.

    That is, half full, or with something of before `oldest_ms` that waits for a base. What tells
    of a message in `lost` goes even where a reader sees the same, for that is chance: the copy
    stands for another message, and no later run learns that it lost.
    """
    waiting = dropped(pair.live, pair.base.run)
    if seen(pair.live, pair.base) != fitted(facts) or not waiting.keys.isdisjoint(lost):
        return True
    is_filling = 2 * len(waiting.tail) >= TAIL_SIZE
    return is_filling or any(ms < oldest_ms <= moment_ms for ms in _moments(waiting))


def _moments(live: Live) -> Iterator[int]:
    yield from (digest.event_ms for digest in live.tail)
    yield from (register.event_ms for register in live.traits.values())
    yield from (moment.event_ms for moment in (live.first, live.last) if moment)
