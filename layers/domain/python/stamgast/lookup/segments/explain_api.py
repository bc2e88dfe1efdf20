"""`POST /v1/segments:explain`: why somebody is in a segment now, or is not, and was at the run."""

from collections.abc import Mapping, Sequence
from typing import Any

from stamgast.consent.coverage import consent_of_traits, silenced
from stamgast.egress.disclosure import explained_to, hushed_from
from stamgast.identity.identifiers import Identifier
from stamgast.lookup.faults import BOUND, NOT_FOUND, Fault, bad, forbidden
from stamgast.lookup.reader import Action, Reader
from stamgast.lookup.request import identifier_of
from stamgast.lookup.routes import Request, Route, route
from stamgast.lookup.segments.desk import Row, SegmentDesk, segment_named
from stamgast.lookup.segments.reading import Known, known_by, reading_of
from stamgast.moments import iso_of
from stamgast.segments.definitions import Segment, book_of
from stamgast.segments.language.explain import Asking, explained
from stamgast.segments.language.rules import segments_in

EXPLAINED = "explain_segment"
SUPPRESSED = forbidden("Whoever this is, is suppressed: nothing is told of them.")


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
    if known is not None and silenced(consent_of_traits(known.facts.traits)) is not None:
        told = (known.person.person_id, desk.now_ms(), segment.name)
        desk.disclosures.append(hushed_from(reader.name, EXPLAINED, *told))
        return SUPPRESSED
    desk.disclosures.append(
        explained_to(reader.name, EXPLAINED, person_id, desk.now_ms(), segment.name)
    )
    if known is None:
        return NOT_FOUND
    return _answer(segment, segments, known, reader, desk)


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
