"""Variants of the facts protocol, each with one of its rules left out: every one must fail.

Those that random schedules meet once in a thousand are played in `test_facts_races.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from stamgast.profile import live as live_module
from stamgast.profile.facts import Digest, ShortId
from stamgast.profile.live import Base, Live, marked
from stamgast.profile.reading import seen
from stamgast.profile.ring import Ring, RunIds
from stamgast.profile.store import FactStore, Pair, Pause
from stamgast_aws.calls import call
from stamgast_aws.dynamo_values import item_of
from stamgast_aws.fact_store import LIVE, DynamoFactStore, key_of
from stamgast_aws.fact_store import live_attributes as attributes
from tests.schedules.facts_world import RING_SIZE, TAIL_SIZE, Rules


class BaseWithoutNeededVersion(DynamoFactStore):
    """The base does not say which live item it needs."""

    def put_base(self, anchor: str, base: Base) -> bool:
        return super().put_base(anchor, replace(base, needed=0))


class OverwritingStore(DynamoFactStore):
    """The live item is written whatever stands there."""

    def put_live(self, anchor: str, live: Live) -> bool:
        item = {**key_of(anchor, LIVE), **item_of(attributes(live))}
        call(self.client.put_item, TableName=self.table, Item=item)
        return True


def base_first(
    store: FactStore,
    anchor: str,
    base: Base,
    ids: RunIds,
    pause: Pause,
    known: Pair | None = None,
) -> bool:
    """Publishes the base before the live item knows of the run."""
    pair = known or store.read([anchor])[anchor]
    if pair.base.run >= base.run:
        return False
    store.put_base(anchor, replace(base, needed=pair.live.version + 1))
    while not store.put_live(anchor, marked(pair.live, base.run, ids)):
        pair = store.read([anchor])[anchor]
    return True


def bases_first(store: FactStore, told: Mapping[str, tuple[Base, RunIds]]) -> set[str]:
    """Inserts the bases of new anchors before their live items."""
    bases = [(anchor, replace(base, needed=1)) for anchor, (base, _) in told.items()]
    store.insert(bases)
    lives = [(anchor, marked(Live(), base.run, ids)) for anchor, (base, ids) in told.items()]
    store.insert(lives)
    return set(told)


def without_joining(live: Live, run: int, ids: RunIds) -> Live:
    """Marks what the run has and leaves the ring as it was."""
    return replace(marked(live, run, ids), ring=live.ring)


def without_marks(live: Live, run: int, ids: RunIds) -> Live:
    """Joins the ring and marks nothing."""
    return replace(marked(live, run, ids), marks=live.marks)


def marked_by_the_first(live: Live, run: int, ids: RunIds) -> Live:
    """Leaves a mark as the first publisher set it, be its run the newer one."""
    after = marked(live, run, ids)
    return replace(after, marks={**after.marks, **live.marks})


def first_in_first_out(ring: Ring, ids: Iterable[ShortId]) -> Ring:
    """A ring that evicts by arrival and has no horizon."""
    held = (*ring.ids, *(one for one in sorted(ids) if one not in ring.ids))
    return Ring(held[-RING_SIZE:])


def empty(ring: Ring, ids: Iterable[ShortId]) -> Ring:
    """No ring at all: what the tail does not hold counts as new."""
    return Ring()


def counted_by_tail(live: Live, digest: Digest) -> Live:
    """Counts whatever the tail does not hold."""
    if len(live.tail) >= TAIL_SIZE or digest in live.tail:
        return live
    return replace(live, tail=(*live.tail, digest))


def never_torn(live: Live, base: Base) -> object:
    """Reads a pair whatever their versions say of each other."""
    return seen(replace(live, version=max(live.version, base.needed)), base)


def blind_to_drops(live: Live, base: Base) -> object:
    """Reads a base older than the one that entries were dropped against."""
    return seen(replace(live, base_run=min(live.base_run, base.run)), base)


def dropped_at_once(drop: Callable[[Live, int], Live], live: Live, base_run: int) -> Live:
    """Drops marked entries before their base is there."""
    return drop(live, 10**9)


LIVE_MODULE = "stamgast.profile.live"
VARIANTS: dict[str, Rules] = {
    "the base does not name the live version it needs": Rules(store=BaseWithoutNeededVersion),
    "the base is written before the live item": Rules(publish=base_first),
    "the base of a new anchor is inserted before the live item": Rules(publish_new=bases_first),
    "the run's ids do not join the ring": Rules(
        patches=(("stamgast.profile.steps.marked", without_joining),)
    ),
    "the run's entries are not marked": Rules(
        patches=(("stamgast.profile.steps.marked", without_marks),)
    ),
    "the ring evicts by arrival": Rules(join=first_in_first_out),
    "the tail is the only check": Rules(
        join=empty, patches=((f"{LIVE_MODULE}._counted", counted_by_tail),)
    ),
    "the live item is overwritten": Rules(store=OverwritingStore),
    "a torn pair is read": Rules(patches=(("stamgast.profile.steps.seen", never_torn),)),
    "entries are dropped before their base is there": Rules(
        patches=((f"{LIVE_MODULE}.dropped", partial(dropped_at_once, live_module.dropped)),)
    ),
}
