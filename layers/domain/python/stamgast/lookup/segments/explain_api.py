"""`POST /v1/segments:explain`: why somebody is in a segment now, or is not, and was at the run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

from stamgast.egress.disclosure import explained_to
from stamgast.identity.identifiers import Identifier
from stamgast.lookup.faults import BOUND, NOT_FOUND, Fault, bad
from stamgast.lookup.find import sights
from stamgast.lookup.page import Page
from stamgast.lookup.person import Lens, Person
from stamgast.lookup.reader import Action, Reader
from stamgast.lookup.request import View as HowMuch
from stamgast.lookup.request import identifier_of
from stamgast.lookup.routes import Request, Route, route
from stamgast.lookup.segments.desk import Row, SegmentDesk, segment_named
from stamgast.models.live import columns_of
from stamgast.moments import iso_of
from stamgast.profile.facts import NOTHING, Facts, merge
from stamgast.segments.definitions import Segment, book_of, computed_traits_of
from stamgast.segments.kept import at_day
from stamgast.segments.language.explain import EVENTS, Asking, explained, paths_of
from stamgast.segments.language.rules import segments_in
from stamgast.segments.language.view import Document, View
from stamgast.segments.someone import all_columns, joined, view_of

MOST_RECENT = 200
EXPLAINED = "explain_segment"


@dataclass(frozen=True, slots=True)
class Known:
    """A person as it stands now, with the facts of all anchors, whoever vouches for them."""

    person: Person
    facts: Facts


@dataclass(frozen=True, slots=True)
class Reading:
    """What rules see of somebody, and of how many events, how many of them unknown to the lake."""

    view: View
    events: int
    only_live: int


def post_explain(
    request: Request, _parts: Mapping[str, str], reader: Reader, desk: SegmentDesk
) -> Mapping[str, Any] | Fault:
    """`POST /v1/segments:explain`: why somebody is in a segment, or what keeps them out."""
    # Imported on use: pydantic costs a cold start 60 ms, and a refused token needs none of it.
    from stamgast.lookup.segments.schema import explain_body

    if reader.purposes:
        return BOUND
    body = explain_body(request.body)
    if isinstance(body, str):
        return bad("bad_body", body)
    segments = desk.segments()
    segment = segment_named(body.segment, segments)
    if isinstance(segment, Fault):
        return segment
    named = identifier_of(body.identifier, desk.workspace.identity, reader, is_encoded=False)
    if not isinstance(named, Identifier):
        return named
    known = known_by(desk.keyring.identifier_key(named.namespace, named.value), desk)
    person_id = None if known is None else known.person.person_id
    desk.disclosures.append(
        explained_to(reader.name, EXPLAINED, person_id, desk.now_ms(), segment.name)
    )
    if known is None:
        return NOT_FOUND
    return _answer(segment, segments, known, reader, desk)


def known_by(key: str, desk: SegmentDesk) -> Known | None:
    """The whole person behind an identifier, as look-ups find it."""
    sight = sights((key,), desk.profiles, Lens(HowMuch.VERIFIED, frozenset())).get(key)
    if sight is None:
        return None
    anchors = sight.person.root.anchors
    facts = desk.profiles.read((), anchors).facts if anchors else {}
    whole = reduce(merge, (facts.get(anchor, NOTHING) for anchor in sorted(anchors)), NOTHING)
    return Known(sight.person, whole)


def _answer(
    segment: Segment, segments: Sequence[Segment], known: Known, reader: Reader, desk: SegmentDesk
) -> Mapping[str, Any]:
    needed = _resting_on(segment, segments)
    reading = reading_of(known, needed, desk)
    trees = {one.name: one.rule.tree for one in needed}
    book_of(needed).evaluate(reading.view)
    told = explained(segment.rule.tree, reading.view, Asking(reader.may_see, trees))
    standing = _standing(segment.name, known, desk)
    return {
        "segment": segment.name,
        "rule": segment.text.strip(),
        "rule_version": segment.rule.version,
        "workspace_version": desk.workspace.version,
        "person_id": known.person.person_id,
        "as_of": iso_of(reading.view.now.ms),
        "time_zone": desk.workspace.time_zone,
        **told.document,
        "events": {"read": reading.events, "only_live": reading.only_live},
        "membership": standing,
        "is_as_published": standing["is_in"] is told.is_in,
    }


def _resting_on(segment: Segment, segments: Sequence[Segment]) -> list[Segment]:
    """The segment and those that it rests on, directly or not, each after those below it."""
    by_name = {one.name: one for one in segments}
    found, waiting = set[str](), [segment.name]
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting += [other for other in segments_in(by_name[name].rule.tree) if other not in found]
    return [one for one in segments if one.name in found]


def reading_of(known: Known, segments: Sequence[Segment], desk: SegmentDesk) -> Reading:
    """What these segments' rules see of somebody now; events only if a rule asks for any."""
    needs_events = any(EVENTS in paths_of(one.rule.tree) for one in segments)
    now, anchors = desk.now(), known.person.root.anchors
    events: Sequence[Document] = ()
    fresh = 0
    if needs_events and anchors:
        recent = desk.timelines.strips(anchors, Page(MOST_RECENT), now.ms)
        entries = [entry for strip in recent for entry in strip]
        events, fresh = joined(desk.records.events(anchors), entries)
    columns = all_columns(
        known.person.person_id,
        known.facts,
        known.person.rows.get("rfm", {}).get("rfm", {}),
        _computed(known.person, now.today),
        computed_traits_of(desk.workspace.traits),
        columns_of(known.person.rows.get("scores", {}), now.ms),
    )
    return Reading(view_of(columns, events, now), len(events), fresh)


def _computed(person: Person, today: date) -> Mapping[str, Any]:
    """The traits that the last run computed, on this day."""
    row = person.rows.get("computed", {}).get("computed")
    return {} if row is None else at_day(json.loads(row["traits"]), today)


def _standing(name: str, known: Known, desk: SegmentDesk) -> dict[str, Any]:
    """Membership as it was published: what look-ups say, and the log's last word on it."""
    published: Row | None = known.person.rows.get("segments", {}).get(name)
    change, run = desk.records.published(known.person.person_id, name)
    since = (published or {}).get("since") or (change or {}).get("at")
    return {
        "is_in": published is not None,
        "since": since,
        "rule_version": (published or change or {}).get("rule_version"),
        "last_change": change,
        "last_run": run,
    }


ROUTES: tuple[Route[SegmentDesk], ...] = (
    route(
        "explain_segment",
        "POST",
        "/v1/segments:explain",
        post_explain,
        action=Action.EXPLAIN_SEGMENTS,
    ),
)
