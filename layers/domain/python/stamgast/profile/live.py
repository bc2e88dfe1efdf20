"""How the live item of an anchor takes events in, and learns what a run has of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import orjson

from stamgast.identity.event import Event
from stamgast.profile.facts import (
    Digest,
    Facts,
    Moment,
    digest_of,
    earlier,
    later,
)
from stamgast.profile.items import Base, Live, dropped
from stamgast.profile.registers import Json, Register, join_traits, traits_of
from stamgast.profile.ring import RunIds, join

TAIL_SIZE = 24
# Of one event; with as many as a tail takes, and traits, an item stays below its 400 KB.
MOST_TOLD_BYTES = 4 * 1024
LAST_STEP_MS = 1_000


class Asked(Protocol):
    """The live rules of a workspace, as far as an event is concerned."""

    @property
    def id(self) -> int:
        """Names the set of measures."""
        ...

    def told_of(self, event: Event) -> tuple[tuple[int, str, Json], ...]:
        """What the event adds to each measure."""
        ...


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one event brings to a live item; only a counted one enters ring and tail."""

    digest: Digest
    traits: Mapping[str, Register]
    is_counted: bool


def contribution_of(event: Event, asked: "Asked | None" = None) -> Contribution:
    """Registers always; ring and tail only where the client's own time can place the event.

    An event that tells measures more than a tail has room for tells them nothing: until a run has
    it, they are unknown.
    """
    digest = digest_of(event)
    if asked is not None and event.has_own_time:
        told = asked.told_of(event)
        if len(orjson.dumps(told)) <= MOST_TOLD_BYTES:
            digest = replace(digest, plan=asked.id, told=told)
    return Contribution(digest, traits_of(event), event.has_own_time)


def absorb(live: Live, base: Base, contributions: Iterable[Contribution]) -> Live | None:
    """The live item with what is new, one version on; None when nothing is new."""
    before = dropped(live, base.run)
    after = before
    for contribution in contributions:
        after = _taken(after, base, contribution)
    return None if after == before else replace(after, version=live.version + 1)


def marked(live: Live, run: int, ids: RunIds) -> Live:
    """The first step of publishing: the ring knows the run's ids, what the run has is marked.

    The oldest run that has a message marks it, for every newer one has it too: so a run that was
    overtaken while it published cannot make its base count what the newer one marked.
    """
    fresh = {key: min(run, live.marks.get(key, run)) for key in live.keys if key in ids.keys}
    return replace(
        live,
        version=live.version + 1,
        ring=join(live.ring, ids.newest),
        marks={**live.marks, **fresh},
        joined_run=max(live.joined_run, run),
    )


def _taken(live: Live, base: Base, contribution: Contribution) -> Live:
    """Registers, first and last are joined whatever the ring says, for they count nothing.

    Except for an id in the ring that this item or the base holds whole: a copy of it with another
    payload or time must not displace the first. (An id may stand in the ring before its base is
    there.) What the base knows already is not repeated.
    """
    digest, known = contribution.digest, base.facts
    is_in_ring = contribution.is_counted and digest.short_id in live.ring.ids
    if is_in_ring and (digest.key in live.keys or base.run >= live.joined_run):
        return live
    moment = Moment(digest.event_ms, digest.key)
    news = {n: r for n, r in contribution.traits.items() if _is_news(r, known.traits.get(n))}
    joined = replace(
        live,
        traits=join_traits(live.traits, news),
        first=_first(live, known, moment),
        last=_last(live, known, moment),
    )
    return _counted(joined, digest) if contribution.is_counted and not is_in_ring else joined


def _is_news(register: Register, known: Register | None) -> bool:
    """Whether the base lacks it; of one message the base holds the canonical copy."""
    return known is None or (known.rank < register.rank and known.key != register.key)


def _first(live: Live, known: Facts, moment: Moment) -> Moment | None:
    is_known = known.first is not None and (known.first <= moment or known.first.key == moment.key)
    return live.first if is_known else earlier(live.first, moment)


def _last(live: Live, known: Facts, moment: Moment) -> Moment | None:
    """With a full tail (a busy anchor, which a run publishes soon) it moves in steps of a second.

    So a flood of events does not become a flood of writes.
    """
    if known.last is not None and (moment <= known.last or moment.key == known.last.key):
        return live.last
    is_busy = len(live.tail) >= TAIL_SIZE
    if is_busy and live.last and moment.event_ms < live.last.event_ms + LAST_STEP_MS:
        return live.last
    return later(live.last, moment)


def _counted(live: Live, digest: Digest) -> Live:
    """Ring and tail with the event, unless it may have been counted or there is no room."""
    if digest.short_id <= live.ring.horizon or len(live.tail) >= TAIL_SIZE:
        return live
    ring = join(live.ring, (digest.short_id,))
    return replace(live, ring=ring, tail=(*live.tail, digest))
