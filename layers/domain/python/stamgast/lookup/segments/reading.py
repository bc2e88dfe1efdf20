"""What rules see of one person now: by the live items where these know, else by the lake's rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from stamgast.lookup.find import sights
from stamgast.lookup.page import Page
from stamgast.lookup.person import Lens, Person
from stamgast.lookup.request import View as HowMuch
from stamgast.lookup.segments.desk import SegmentDesk
from stamgast.models.live import columns_of
from stamgast.profile.facts import NOTHING, Facts, merge
from stamgast.profile.store import Pair
from stamgast.segments.definitions import Segment, computed_traits_of
from stamgast.segments.kept import at_day
from stamgast.segments.language.explain import EVENTS, paths_of
from stamgast.segments.language.history import EventHistory
from stamgast.segments.language.view import Document, View
from stamgast.segments.language.windows import Now
from stamgast.segments.live.history import Counted, LiveHistory
from stamgast.segments.live.plan import plan_of
from stamgast.segments.live.verdicts import verdicts_of
from stamgast.segments.live.visit import counted_now
from stamgast.segments.live.whole import WholeHistory
from stamgast.segments.someone import all_columns, joined

MOST_RECENT = 200


@dataclass(frozen=True, slots=True)
class Known:
    """A person as it stands now, with the facts of all anchors, whoever vouches for them."""

    person: Person
    facts: Facts
    pairs: Mapping[str, Pair] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """What rules see of somebody, and of how many events, how many of them unknown to the lake."""

    view: View
    events: int
    only_live: int


def known_by(key: str, desk: SegmentDesk) -> Known | None:
    """The whole person behind an identifier, as look-ups find it."""
    sight = sights((key,), desk.profiles, Lens(HowMuch.VERIFIED, frozenset())).get(key)
    if sight is None:
        return None
    anchors = sight.person.root.anchors
    if not anchors:
        return Known(sight.person, NOTHING)
    told = desk.profiles.read((), anchors)
    whole = reduce(merge, (told.facts.get(anchor, NOTHING) for anchor in sorted(anchors)), NOTHING)
    return Known(sight.person, whole, told.pairs)


def reading_of(known: Known, segments: Sequence[Segment], desk: SegmentDesk) -> Reading:
    """What these segments' rules see of somebody now; events only if a rule asks for any."""
    now, anchors = desk.now(), known.person.root.anchors
    events: Sequence[Document] = ()
    fresh = 0
    if anchors and any(EVENTS in paths_of(one.rule.tree) for one in segments):
        recent = desk.timelines.strips(anchors, Page(MOST_RECENT), now.ms)
        entries = [entry for strip in recent for entry in strip]
        events, fresh = joined(desk.records.events(anchors), entries)
    counted = _counted(known, desk)
    columns = all_columns(
        known.person.person_id,
        known.facts,
        known.person.rows.get("rfm", {}).get("rfm", {}),
        _computed(known, counted, now, desk),
        computed_traits_of(desk.workspace.traits),
        columns_of(known.person.rows.get("scores", {}), now.ms),
    )
    history = EventHistory(events)
    if counted is None:
        return Reading(View(columns, history, now), len(events), fresh)
    live = LiveHistory(plan_of(desk.workspace), counted)
    return Reading(View(columns, WholeHistory(live, history), now), len(events), fresh)


def _counted(known: Known, desk: SegmentDesk) -> Counted | None:
    """What the items count for live rules; None without any, or where an item was not read."""
    plan, anchors = plan_of(desk.workspace), known.person.root.anchors
    if not plan.asks or not anchors or not anchors <= known.pairs.keys():
        return None
    pairs = [known.pairs[anchor] for anchor in sorted(anchors)]
    return counted_now(plan, pairs, desk.profiles.coverage())


def _computed(
    known: Known, counted: Counted | None, now: Now, desk: SegmentDesk
) -> Mapping[str, Any]:
    """Live traits at this moment; the others as the last run computed them, on this day."""
    row = known.person.rows.get("computed", {}).get("computed")
    kept = {} if row is None else at_day(json.loads(row["traits"]), now.today)
    if counted is None:
        return kept
    plan, person_id = plan_of(desk.workspace), known.person.person_id
    return {**kept, **verdicts_of(plan, person_id, known.facts, counted, now.ms).traits}
