"""Questions about segments that take longer than a request: previews, exports, and their jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from stamgast.egress.disclosure import Disclosure, asked_for, explained_to
from stamgast.egress.fields import Field, UnknownFieldError, field_of
from stamgast.egress.manifest import OPEN, export_refused
from stamgast.lookup.faults import Fault, bad, forbidden
from stamgast.lookup.purpose import purpose_of
from stamgast.lookup.reader import COUNTABLE, Action, Reader, covers
from stamgast.lookup.routes import Accepted, Request, Route, Told, route
from stamgast.lookup.segments.desk import SegmentDesk, segment_named
from stamgast.lookup.segments.jobs import Job, Kind, State
from stamgast.moments import iso_of
from stamgast.segments.definitions import computed_traits_of
from stamgast.segments.language.errors import RuleError
from stamgast.segments.language.explain import EVENTS, paths_of
from stamgast.segments.trying import NAMELESS, tried
from stamgast.workspace.model import models_in, purposes_in

PATH = "/v1/segments/jobs/{job}"
LOOK_AGAIN_SECONDS = 0.5
SHOWN = "preview_segment"
EXPORTED, FETCHED = "export_segment", "export_segment_fetched"
CHANGED = ("entering_sample", "leaving_sample")
NO_JOB = Fault(404, "no_such_job", "There is no such job of this token; they are kept for a day.")
GONE = Fault(410, "expired", "What this job found has expired; ask again.")
Parts: TypeAlias = Mapping[str, str]


def post_preview(request: Request, _parts: Parts, reader: Reader, desk: SegmentDesk) -> Told:
    """`POST /v1/segments:preview`: how many a rule means, whom it reaches, and who would move."""
    # Imported on use: pydantic costs a cold start 60 ms, and a refused token needs none of it.
    from stamgast.lookup.segments.schema import preview_body

    body = preview_body(request.body)
    if isinstance(body, str):
        return bad("bad_body", body)
    purpose = purpose_of(body.purpose, reader)
    if isinstance(purpose, Fault):
        return purpose
    fault = rule_fault(body.segment, body.rule, reader, desk)
    if isinstance(fault, Fault):
        return fault
    asked = {
        "segment": body.segment,
        "rule": body.rule,
        "purpose": purpose,
        "sample": body.sample,
    }
    return _begun(Kind.PREVIEW, asked, body.wait_seconds, reader, desk)


def rule_fault(
    segment: str | None, rule: str | None, reader: Reader, desk: SegmentDesk
) -> Fault | None:
    """What is wrong with a rule, every fault with its place, or with a segment's name.

    A rule may count by what the token may read alone: by counts any field could be told. Whom a
    segment in force means, everybody may ask who may ask at all.
    """
    segments = desk.segments()
    if rule is None:
        found = segment_named(segment or "", segments)
        return found if isinstance(found, Fault) else None
    traits = computed_traits_of(desk.workspace.traits)
    names = models_in(desk.workspace), purposes_in(desk.workspace)
    told = tried(segment or NAMELESS, rule, segments, traits, *names)
    if isinstance(told, list):
        return bad_rule(told)
    outside = [one for one in sorted(paths_of(told.rule.tree)) if not may_count(reader, one)]
    return forbidden(_beyond(reader, outside)) if outside else None


def _beyond(reader: Reader, outside: Sequence[str]) -> str:
    """What a token may not count by, and how whoever makes tokens renews one that lacks a field.

    What the purpose of a request does not cover, no token has.
    """
    fields = [COUNTABLE if one == EVENTS else one for one in outside]
    told = f"This token may not count by {', '.join(fields)}."
    lacking = ",".join(one for one in fields if not covers(reader.fields, one))
    renew = f"stamgast token rotate sgr_… --add-fields {lacking}"
    return f"{told} One that may: `{renew}`." if lacking else told


def may_count(reader: Reader, path: str) -> bool:
    """Whether a reader's rules may rest on a field; `events` lets them count what it shows not."""
    return path in OPEN or reader.may_see(path) or (path == EVENTS and reader.may_see(COUNTABLE))


def bad_rule(faults: Sequence[RuleError]) -> Fault:
    """Each fault with line, column, and what might be meant."""
    told = [
        {
            "line": fault.line,
            "column": fault.column,
            "message": fault.message,
            "suggestion": fault.suggestion,
        }
        for fault in faults
    ]
    message = "; ".join(str(fault) for fault in faults)
    return replace(bad("bad_rule", f"rule: {message}"), more={"faults": told})


def post_export(request: Request, _parts: Parts, reader: Reader, desk: SegmentDesk) -> Told:
    """`POST /v1/segments:export`: the members whose consent covers a purpose, as a file."""
    from stamgast.lookup.segments.schema import export_body

    body = export_body(request.body)
    if isinstance(body, str):
        return bad("bad_body", body)
    if reader.purposes and body.purpose not in reader.purposes:
        return forbidden("This token may not read for this purpose.")
    segment = segment_named(body.segment, desk.segments())
    if isinstance(segment, Fault):
        return segment
    fields = fields_of(body.fields, reader, desk)
    if isinstance(fields, Fault):
        return fields
    names = [field.name for field in fields]
    refused = export_refused(
        desk.workspace.consents, body.purpose, segment.purpose, segment.name, names
    )
    if refused is not None:
        is_unknown = refused.is_unknown
        return bad("bad_purpose", refused.message) if is_unknown else forbidden(refused.message)
    told = (body.purpose, segment.name, tuple(names), desk.now_ms())
    desk.disclosures.append(asked_for(reader.name, EXPORTED, *told))
    asked = {
        "segment": segment.name,
        "purpose": body.purpose,
        "fields": names,
        "format": body.format,
    }
    return _begun(Kind.EXPORT, asked, body.wait_seconds, reader, desk)


def fields_of(names: Sequence[str], reader: Reader, desk: SegmentDesk) -> Sequence[Field] | Fault:
    """The fields that were asked for; all of them must exist and be within the token's scope."""
    settings, traits = desk.workspace.identity, computed_traits_of(desk.workspace.traits)
    try:
        fields = [field_of(name, settings, traits) for name in names]
    except UnknownFieldError as error:
        return bad("bad_fields", f"fields: {error}.")
    if len(set(names)) < len(names):
        return bad("bad_fields", "fields: each field may be named once.")
    outside = [field.name for field in fields if not field.is_seen_by(reader)]
    if outside:
        return forbidden(f"This token may not read {', '.join(outside)}.")
    return fields


def get_job(_request: Request, parts: Parts, reader: Reader, desk: SegmentDesk) -> Told:
    """`GET /v1/segments/jobs/{job}`: what became of a preview or an export."""
    job = desk.jobs.read(parts["job"])
    if job is None or not job.may_be_told(reader):
        return NO_JOB
    return _told(job, reader, desk)


def _begun(
    kind: Kind, asked: Mapping[str, Any], wait_seconds: int, reader: Reader, desk: SegmentDesk
) -> Told:
    """The answer if it is there in time, else the job under which to ask for it."""
    began_ms = desk.now_ms()
    job = Job(desk.new_id(), kind, reader, asked, began_ms)
    desk.jobs.put(job)
    desk.begin(job.job_id)
    while not job.is_over and desk.now_ms() - began_ms < wait_seconds * 1000:
        desk.pause(LOOK_AGAIN_SECONDS)
        job = desk.jobs.read(job.job_id) or job
    return _told(job, reader, desk)


def _told(job: Job, reader: Reader, desk: SegmentDesk) -> Told:
    seen = job.seen_at(desk.now_ms())
    told = {
        "job": seen.job_id,
        "kind": seen.kind.value,
        "state": seen.state.value,
        "asked_at": iso_of(seen.asked_ms),
        "message": seen.message,
    }
    if not seen.is_over:
        return Accepted({**told, "answer": None})
    if seen.state is State.FAILED:
        return {**told, "answer": None}
    answer = desk.answers.read(seen.job_id)
    if answer is None:
        return GONE
    if seen.kind is Kind.PREVIEW:
        desk.disclosures.extend(_shown(answer, seen, desk.now_ms()))
    else:
        asked = (seen.asked[name] for name in ("purpose", "segment"))
        told_of = (*asked, tuple(seen.asked["fields"]), desk.now_ms())
        desk.disclosures.append(asked_for(reader.name, FETCHED, *told_of))
    return {**told, "answer": _linked(answer, seen, desk)}


def _shown(answer: Mapping[str, Any], job: Job, now_ms: int) -> list[Disclosure]:
    """That the people of a preview's samples were shown, each once."""
    change = answer["change"] or {}
    samples = (answer["sample"], *(change.get(name, ()) for name in CHANGED))
    persons = {one["person_id"] for sample in samples for one in sample}
    by, segment = job.reader.name, job.asked["segment"]
    return [explained_to(by, SHOWN, one, now_ms, segment) for one in sorted(persons)]


def _linked(answer: Mapping[str, Any], job: Job, desk: SegmentDesk) -> Mapping[str, Any]:
    """An export's answer with addresses of its files; a preview's is as it stands."""
    if job.kind is not Kind.EXPORT:
        return answer
    files = [
        {**file, "url": desk.answers.link(job.job_id, file["name"])} for file in answer["files"]
    ]
    return {**answer, "files": files}


ROUTES: tuple[Route[SegmentDesk], ...] = (
    route(
        "preview_segment",
        "POST",
        "/v1/segments:preview",
        post_preview,
        action=Action.PREVIEW_SEGMENTS,
    ),
    route(
        "export_segment",
        "POST",
        "/v1/segments:export",
        post_export,
        action=Action.EXPORT_SEGMENTS,
    ),
    route("job_of_segments", "GET", PATH, get_job),
)
