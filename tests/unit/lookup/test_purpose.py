"""A look-up for a purpose shows what that covers, of people whose consent covers it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from stamgast.consent.purposes import SUPPRESSED, Purpose, Purposes
from stamgast.egress.decision import Why
from stamgast.identity.assurance import Assurance
from stamgast.lookup import own_api, segment_api
from stamgast.lookup.reader import Reader
from stamgast.lookup.routes import Desk, Request, Response, respond
from stamgast.lookup.schema import ProfileAnswer, TimelineAnswer
from stamgast.profile.facts import Facts
from tests.fakes.consents import Saying, joined, word
from tests.fakes.lookup import KEYRING, NOW_MS, WORKSPACE, MemoryLookupStore, traits

ROUTES = (*segment_api.ROUTES, *own_api.ROUTES)
VERIFIED = Assurance.VERIFIED
DECLARED = Purposes(
    {
        "email": Purpose("email", ("lookup", "fields.traits.city", "fields.timeline")),
        "ads": Purpose("ads", ("exports",)),
        "service": Purpose("service", ("lookup", "fields"), is_default_granted=True),
    }
)
SECRET = "Delft"


class Tokens:
    """One token for one reader."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def find(self, _token: str) -> Reader:
        return self.reader


def desk_of(
    *told: Saying, reader: Reader, purposes: Purposes = DECLARED, elsewhere: tuple[Saying, ...] = ()
) -> Desk:
    store = MemoryLookupStore()
    known = traits(city=SECRET, email="an@example.org")
    facts = {
        "user_id:1": replace(known, traits={**known.traits, **joined(told)}),
        "anonymous_id:c": Facts(traits=joined(elsewhere)),
    }
    members = {"user_id:1": (VERIFIED, "g"), "anonymous_id:c": (Assurance.CLAIMED, "h")}
    store.add("p1", members, facts)
    workspace = replace(WORKSPACE, consents=purposes)
    return Desk(store, store, Tokens(reader), workspace, KEYRING, NOW_MS)


def look(desk: Desk, path: str = "/v1/profiles/user_id:1", **query: str) -> Response:
    return respond(Request("GET", path, query, "t"), desk, ROUTES)


READER = Reader("shop", ("*",))
BOUND = Reader("mailer", ("*",), purposes=("email",))


def test_a_bound_token_reads_what_its_purpose_covers_and_no_more() -> None:
    desk = desk_of(word(True), reader=BOUND)
    answer = look(desk).body
    assert answer["traits"] == {"city": SECRET}
    assert not {"segments", "counters", "identifiers"} & answer.keys()
    (kept,) = desk.disclosures
    assert (kept.person_id, kept.purpose, kept.is_allowed) == ("p1", "email", True)
    assert (kept.reason, kept.recipient) == (Why.GRANTED, "mailer")


@pytest.mark.failure_line(38)
@pytest.mark.parametrize(
    ("told", "why"),
    [
        ((), Why.UNKNOWN),
        ((word(False, at_ms=9), word(True)), Why.REFUSED),
        ((word(True), word(False, SUPPRESSED)), Why.SUPPRESSED),
    ],
)
def test_of_who_does_not_allow_the_purpose_nothing_is_shown(
    told: tuple[Saying, ...], why: Why
) -> None:
    """Line 38: without a record, after a withdrawal, while suppressed."""
    desk = desk_of(*told, reader=BOUND)
    paths = ("/v1/profiles/user_id:1", "/v1/profiles/user_id:1/timeline")
    for path, form in zip(paths, (ProfileAnswer, TimelineAnswer), strict=True):
        answer = look(desk, path)
        assert answer.body["withheld"] == {"purpose": "email", "reason": why}
        assert SECRET not in json.dumps(answer.body)
        form.model_validate(answer.body)
    spaces = "/v1/spaces/s/collections/users/profiles/user_id:1/traits"
    assert look(desk, spaces).status == 403
    assert [one.reason for one in desk.disclosures] == [why] * 3
    assert not any(one.is_allowed or one.fields for one in desk.disclosures)


def test_a_refusal_beyond_what_the_look_up_may_tell_counts_all_the_same() -> None:
    desk = desk_of(word(True), elsewhere=(word(False, at_ms=9),), reader=BOUND)
    assert look(desk).body["withheld"]["reason"] == Why.REFUSED


@pytest.mark.failure_line(39)
@pytest.mark.parametrize(
    ("reader", "query", "status"),
    [
        (BOUND, {"purpose": "service"}, 403),
        (replace(BOUND, purposes=("email", "service")), {}, 400),
        (replace(BOUND, purposes=("email", "service")), {"purpose": "service"}, 200),
        (READER, {"purpose": "ads"}, 403),
        (READER, {"purpose": "emial"}, 400),
        (READER, {}, 200),
    ],
)
def test_a_token_reads_for_its_own_purposes(
    reader: Reader, query: Mapping[str, str], status: int
) -> None:
    """Line 39: a reader's token of one scope on another's."""
    assert look(desk_of(word(True), reader=reader), **query).status == status


def test_a_workspace_may_want_a_purpose_of_everybody() -> None:
    wanting = replace(DECLARED, is_purpose_required=True)
    assert look(desk_of(reader=READER, purposes=wanting)).status == 403
    assert look(desk_of(reader=READER, purposes=wanting), purpose="service").status == 200


@pytest.mark.failure_line(38)
def test_who_is_suppressed_is_shown_to_nobody_whatever_is_named() -> None:
    """Line 38: suppressed means no egress, not even for what is granted by default."""
    desk = desk_of(word(True), word(False, SUPPRESSED), reader=READER)
    for query in ({}, {"purpose": "service"}):
        assert SECRET not in json.dumps(look(desk, **query).body)


def test_that_nobody_was_found_is_kept_as_well() -> None:
    desk = desk_of(reader=READER)
    assert look(desk, "/v1/profiles/user_id:2").status == 404
    (kept,) = desk.disclosures
    assert (kept.person_id, kept.reason, kept.is_allowed) == (None, Why.NOT_FOUND, False)


def test_the_section_of_consents_tells_each_purpose_and_by_which_word() -> None:
    desk = desk_of(word(True), reader=READER)
    told: dict[str, Any] = look(desk, include="consents").body["consents"]
    assert set(told) == {"email", "ads", "service"}
    assert (told["email"]["state"], told["email"]["by"]) == ("granted", "trait")
    assert (told["service"]["state"], told["service"]["is_covered"]) == ("default", True)
    assert told["ads"]["state"] == "unknown"
