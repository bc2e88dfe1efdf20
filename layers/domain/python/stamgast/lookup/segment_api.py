"""The paths of Segment's Profile API, over the same profiles, tokens and scopes as our own."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from stamgast.lookup import segment_forms
from stamgast.lookup.faults import Fault, bad, forbidden
from stamgast.lookup.find import find
from stamgast.lookup.own_api import (
    PROFILE,
    brought_up,
    key_of,
    timeline_of,
    unknown,
    with_scores,
)
from stamgast.lookup.page import segment_page
from stamgast.lookup.person import Profile
from stamgast.lookup.purpose import Errand, errand_of
from stamgast.lookup.reader import Reader
from stamgast.lookup.request import view_of
from stamgast.lookup.routes import Desk, Request, Route, route

Parts: TypeAlias = Mapping[str, str]
Told: TypeAlias = Mapping[str, Any] | Fault

WITHHELD = forbidden("This person may not be shown for this purpose.")
ASKED = frozenset(("traits", "identifiers"))
PREFIX = "/v1/spaces/{space}/collections/{collection}/profiles/{identifier}"


def get_traits(request: Request, parts: Parts, reader: Reader, desk: Desk) -> Told:
    """`…/traits`"""
    return _profile_part(request, parts, reader, desk, segment_forms.traits_form)


def get_external_ids(request: Request, parts: Parts, reader: Reader, desk: Desk) -> Told:
    """`…/external_ids`"""
    return _profile_part(request, parts, reader, desk, segment_forms.external_ids_form)


def get_metadata(request: Request, parts: Parts, reader: Reader, desk: Desk) -> Told:
    """`…/metadata`"""
    found = _found(request, parts, reader, desk)
    if isinstance(found, Fault):
        return found
    profile, errand = found
    return segment_forms.metadata_form(profile, errand.reader)


def get_events(request: Request, parts: Parts, reader: Reader, desk: Desk) -> Told:
    """`…/events`, newest first unless `sort=asc`."""
    wrong = _collection(parts)
    if wrong:
        return wrong
    page = segment_page(request.query)
    if isinstance(page, Fault):
        return page
    found = timeline_of(request, parts, reader, desk, page)
    if not isinstance(found, tuple):
        return _withheld(found)
    profile, leaf = found
    person_id = profile.person.person_id
    return segment_forms.events_form(leaf, person_id, _base(parts, person_id), page.limit)


def _profile_part(
    request: Request, parts: Parts, reader: Reader, desk: Desk, form: segment_forms.Listing
) -> Told:
    listed = segment_forms.listed_of(request.query)
    if isinstance(listed, Fault):
        return listed
    found = _found(request, parts, reader, desk, is_live=listed.of_class is not None)
    if isinstance(found, Fault):
        return found
    profile, errand = found
    return form(profile, errand.reader, _base(parts, profile.person.person_id), listed)


def _found(
    request: Request, parts: Parts, reader: Reader, desk: Desk, *, is_live: bool = False
) -> tuple[Profile, Errand] | Fault:
    wrong = _collection(parts)
    if wrong:
        return wrong
    key = key_of(parts["identifier"], reader, desk)
    if isinstance(key, Fault):
        return key
    view = view_of(request.query)
    if isinstance(view, Fault):
        return view
    errand = errand_of(request.query.get("purpose"), reader, desk, PROFILE, ASKED)
    if isinstance(errand, Fault):
        return errand
    found = find((key,), desk.profiles, desk.lens(view), with_values=True, is_live=is_live)
    if key not in found:
        return unknown(errand, desk)
    if not errand.allows(found[key], desk):
        return WITHHELD
    profile = brought_up(found[key], desk) if is_live else found[key]
    return with_scores(profile, desk, errand.reader, verbose=False), errand


def _withheld(told: Told) -> Fault:
    return told if isinstance(told, Fault) else WITHHELD


def _collection(parts: Parts) -> Fault | None:
    if parts["collection"] == segment_forms.COLLECTION:
        return None
    return bad("bad_collection", "The collection is users.")


def _base(parts: Parts, person_id: str) -> str:
    return f"/v1/spaces/{parts['space']}/collections/users/profiles/{person_id}"


ROUTES: tuple[Route[Desk], ...] = tuple(
    route(f"segment_{part}", "GET", f"{PREFIX}/{part}", answering, segment_forms.error_form)
    for part, answering in (
        ("traits", get_traits),
        ("external_ids", get_external_ids),
        ("events", get_events),
        ("metadata", get_metadata),
    )
)
