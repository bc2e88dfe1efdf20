"""Our own paths: a profile, its timeline, and up to a hundred profiles at once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from stamgast.consent.profiling import may_be_profiled
from stamgast.identity.identifiers import Identifier
from stamgast.lookup.answer import answer_of
from stamgast.lookup.faults import NOT_FOUND, Fault, bad, forbidden
from stamgast.lookup.find import find
from stamgast.lookup.links import LINKS, links_of, threshold_of
from stamgast.lookup.page import Page, timeline_page
from stamgast.lookup.person import Profile
from stamgast.lookup.purpose import CONSENTS, Errand, errand_of, with_consents
from stamgast.lookup.reader import Reader
from stamgast.lookup.request import View, identifier_of, sections_of, view_of
from stamgast.lookup.routes import Desk, Request, Route, route
from stamgast.lookup.timeline import Leaf, event_of, leaf_of

# What time alone moves, with no event.
MOVING = frozenset(("segments", "computed"))
SCORES, PROFILE, TIMELINE = "scores", "profile", "timeline"
Parts: TypeAlias = Mapping[str, str]
Told: TypeAlias = Mapping[str, Any] | Fault


def get_profile(request: Request, parts: Parts, reader: Reader, desk: Desk) -> Told:
    """`GET /v1/profiles/{identifier}`"""
    key = key_of(parts["identifier"], reader, desk)
    if isinstance(key, Fault):
        return key
    sections, view = sections_of(request.query), view_of(request.query)
    if isinstance(sections, Fault):
        return sections
    if isinstance(view, Fault):
        return view
    threshold = threshold_of(sections, request.query.get("purpose"), desk.workspace)
    if isinstance(threshold, Fault):
        return threshold
    errand = errand_of(
        request.query.get("purpose"),
        reader,
        desk,
        PROFILE,
        sections,
        is_for_links=LINKS in sections,
    )
    if isinstance(errand, Fault):
        return errand
    profile = find(
        (key,),
        desk.profiles,
        desk.lens(view),
        with_values="identifiers" in sections,
        is_live=is_live(sections, desk),
    ).get(key)
    if profile is None:
        return unknown(errand, desk)
    is_verbose = request.query.get("verbose") == "true"
    return _answer(profile, sections, errand, desk, threshold, verbose=is_verbose)


def get_timeline(request: Request, parts: Parts, reader: Reader, desk: Desk) -> Told:
    """`GET /v1/profiles/{identifier}/timeline`"""
    page = timeline_page(request.query)
    if isinstance(page, Fault):
        return page
    found = timeline_of(request, parts, reader, desk, page)
    if not isinstance(found, tuple):
        return found
    sight, leaf = found
    return {
        "person_id": sight.person.person_id,
        "view": sight.view.value,
        "events": [event_of(entry) for entry in leaf.entries],
        "cursor": leaf.next_cursor or None,
    }


def post_lookup(request: Request, _parts: Parts, reader: Reader, desk: Desk) -> Told:
    """`POST /v1/profiles:lookup`: the answers stand in the order of the identifiers."""
    # Imported on use: pydantic costs a cold start 60 ms, and only this path reads a body.
    from stamgast.lookup.schema import lookup_body

    body = lookup_body(request.body)
    if isinstance(body, str):
        return bad("bad_body", body)
    wanted = frozenset(body.include)
    threshold = threshold_of(wanted, body.purpose, desk.workspace)
    if isinstance(threshold, Fault):
        return threshold
    errand = errand_of(body.purpose, reader, desk, PROFILE, wanted, is_for_links=LINKS in wanted)
    if isinstance(errand, Fault):
        return errand
    named = [
        identifier_of(t, desk.workspace.identity, reader, is_encoded=False)
        for t in body.identifiers
    ]
    keys = [_key(one, desk) if isinstance(one, Identifier) else one for one in named]
    found = find(
        [key for key in keys if isinstance(key, str)],
        desk.profiles,
        desk.lens(View(body.view)),
        with_values="identifiers" in wanted,
        is_live=is_live(wanted, desk),
    )
    results = []
    for told, key in zip(body.identifiers, keys, strict=True):
        profile = found.get(key) if isinstance(key, str) else key
        answer = _result(profile, wanted, errand, desk, threshold, verbose=body.verbose)
        results.append({"identifier": told, **answer})
    return {"results": results}


def timeline_of(
    request: Request, parts: Parts, reader: Reader, desk: Desk, page: Page
) -> tuple[Profile, Leaf] | Told:
    """One page of the timeline of the person behind the path's identifier, if it may be shown."""
    errand = errand_of(request.query.get("purpose"), reader, desk, TIMELINE, frozenset((TIMELINE,)))
    if isinstance(errand, Fault):
        return errand
    if not errand.reader.may_see(TIMELINE):
        return forbidden("This token may not read timelines.")
    key = key_of(parts["identifier"], reader, desk)
    if isinstance(key, Fault):
        return key
    view = view_of(request.query)
    if isinstance(view, Fault):
        return view
    profile = find((key,), desk.profiles, desk.lens(view)).get(key)
    anchors = profile.anchors if profile else frozenset[str]()
    # Read for nobody, and of those who are withheld, too: it takes as long as for everybody.
    strips = desk.timelines.strips(anchors or frozenset((key,)), page, desk.now_ms)
    if profile is None:
        return unknown(errand, desk)
    if not errand.allows(profile, desk):
        return errand.withheld(profile, desk)
    return profile, leaf_of(strips if anchors else (), page, desk.now_ms)


def unknown(errand: Errand, desk: Desk) -> Fault:
    """Nobody was found, and that somebody asked is noted as well."""
    errand.note(desk, None, None, is_allowed=False)
    return NOT_FOUND


def key_of(told: str, reader: Reader, desk: Desk) -> str | Fault:
    """The key of the identifier in a path."""
    named = identifier_of(told, desk.workspace.identity, reader)
    return named if isinstance(named, Fault) else _key(named, desk)


def _key(named: Identifier, desk: Desk) -> str:
    return desk.keyring.identifier_key(named.namespace, named.value)


def is_live(sections: frozenset[str], desk: Desk) -> bool:
    """Whether a request asks for something that live rules or traits of the workspace say."""
    told = (*desk.workspace.segments, *desk.workspace.traits)
    return bool(sections & MOVING) and any(one.get("live") for one in told)


def brought_up(profile: Profile, desk: Desk) -> Profile:
    """The profile with memberships and computed traits as of now."""
    # Imported on use: the language of rules is nothing that other sections need.
    from stamgast.lookup.live import lived

    return lived(profile, desk.workspace, desk.profiles.coverage(), desk.now_ms)


def with_scores(profile: Profile, desk: Desk, reader: Reader, *, verbose: bool) -> Profile:
    """The profile with its scores as they are told to this reader: those that hold now.

    Of who objects to profiling none, whatever the last run of models had said.
    """
    scores = profile.person.rows.get(SCORES)
    if not scores:
        return profile
    # Imported on use: most look-ups tell of no score.
    from stamgast.models.live import answers_of

    if not may_be_profiled(profile.consent, desk.workspace.consents):
        scores = {}
    told = answers_of(scores, desk.now_ms, verbose=verbose, with_values=sees_features(reader))
    rows = {**profile.person.rows, SCORES: told}
    return replace(profile, person=replace(profile.person, rows=rows))


def sees_features(reader: Reader) -> bool:
    """Whether a person's own values of features may be told: they are made of events and traits."""
    return reader.may_see(TIMELINE) and reader.may_see("traits")


def _answer(
    profile: Profile,
    sections: frozenset[str],
    errand: Errand,
    desk: Desk,
    threshold: float | None,
    *,
    verbose: bool = False,
) -> Mapping[str, Any]:
    if not errand.allows(profile, desk):
        return errand.withheld(profile, desk)
    safe, reader = desk.workspace.safe_when_claimed, errand.reader
    told = sections - {LINKS}
    if sections & MOVING:
        profile = brought_up(profile, desk)
    if CONSENTS in sections:
        profile = with_consents(profile, desk)
    if SCORES in sections:
        profile = with_scores(profile, desk, reader, verbose=verbose)
    answer = answer_of(profile, told, reader, safe, verbose=verbose)
    links = None if threshold is None else links_of(profile, threshold, reader, desk.now_ms)
    return answer if links is None else {**answer, LINKS: links}


def _result(
    profile: Profile | Fault | None,
    sections: frozenset[str],
    errand: Errand,
    desk: Desk,
    threshold: float | None,
    *,
    verbose: bool,
) -> Mapping[str, Any]:
    if isinstance(profile, Profile):
        told = _answer(profile, sections, errand, desk, threshold, verbose=verbose)
        return {"status": 200, "profile": told}
    fault = profile or unknown(errand, desk)
    return {"status": fault.status, "code": fault.code, "message": fault.message}


ROUTES: tuple[Route[Desk], ...] = (
    route("lookup", "POST", "/v1/profiles:lookup", post_lookup),
    route("timeline", "GET", "/v1/profiles/{identifier}/timeline", get_timeline),
    route("profile", "GET", "/v1/profiles/{identifier}", get_profile),
)
