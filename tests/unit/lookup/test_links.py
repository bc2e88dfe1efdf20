"""Provisional links are told to purposes that opted in, and nothing of the other side with them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from stamgast.identity.assurance import Assurance
from stamgast.lookup import own_api
from stamgast.lookup.reader import Reader
from stamgast.lookup.routes import Request, Response, respond
from stamgast.moments import iso_of
from tests.fakes.lookup import NOW_MS, WORKSPACE, MemoryLookupStore, desk, key, traits

OPTED_IN = replace(WORKSPACE, purposes={"capping": 0.8})
PHONE, TABLET = key("anonymous_id:phone"), key("anonymous_id:tablet")
READERS = {
    "narrow": Reader("narrow", ("traits",)),
    "capper": Reader("capper", ("links",)),
    "namer": Reader("namer", ("links", "identifiers.anonymous_id")),
}


def link(**told: Any) -> dict[str, Any]:
    return {
        "kind": "device",
        "mine": PHONE,
        "other": TABLET,
        "probability_ppm": 910_000,
        "rule": "device:1",
        "reasons": '{"address_weight": 1.5}',
        "stated_at": iso_of(NOW_MS - 1_000),
        "expires_at": iso_of(NOW_MS + 1_000),
        "run": 1,
        **told,
    }


def store_with(row: dict[str, Any], how: Assurance = Assurance.VERIFIED) -> MemoryLookupStore:
    store = MemoryLookupStore()
    members = {"user_id:ann": (Assurance.VERIFIED, "g"), "anonymous_id:phone": (how, "g")}
    facts = {"user_id:ann": traits(name="Ann")}
    store.add("p", members, facts, {"links": {"device#1": row}})
    return store


def ask(store: MemoryLookupStore, token: str = "all", **query: str) -> Response:
    request = Request("GET", "/v1/profiles/user_id:ann", {"include": "links", **query}, token)
    told = replace(desk(store, **READERS), workspace=OPTED_IN)
    return respond(request, told, own_api.ROUTES)


def test_a_purpose_that_opted_in_is_told_the_link_its_reasons_and_its_end() -> None:
    [told] = ask(store_with(link()), purpose="capping").body["links"]
    assert told == {
        "kind": "device",
        "probability": 0.91,
        "is_calibrated": True,
        "rule": "device:1",
        "reasons": {"address_weight": 1.5},
        "stated_at": iso_of(NOW_MS - 1_000),
        "expires_at": iso_of(NOW_MS + 1_000),
        "identifier": {"namespace": "anonymous_id", "key": PHONE},
        "other": {"namespace": "anonymous_id", "key": TABLET},
    }


@pytest.mark.parametrize(("rule", "is_so"), [("record:0ca494", False), ("record:0ca494.a1", True)])
def test_a_link_says_whether_log_ins_stand_behind_its_probability(rule: str, is_so: bool) -> None:
    [told] = ask(store_with(link(kind="record", rule=rule)), purpose="capping").body["links"]
    assert told["is_calibrated"] is is_so


def test_links_come_in_the_same_two_rounds() -> None:
    store = store_with(link())
    ask(store, purpose="capping")
    assert store.rounds == 2


@pytest.mark.parametrize(("query", "status"), [({}, 400), ({"purpose": "adverts"}, 403)])
def test_without_a_purpose_that_opted_in_links_are_denied(
    query: dict[str, str], status: int
) -> None:
    assert ask(store_with(link()), **query).status == status


def test_a_token_without_the_field_is_told_of_no_links() -> None:
    assert "links" not in ask(store_with(link()), "narrow", purpose="capping").body


def test_the_key_of_the_other_side_needs_a_token_for_such_identifiers() -> None:
    [told] = ask(store_with(link()), "capper", purpose="capping").body["links"]
    assert told["other"] == {"namespace": "anonymous_id"}
    [told] = ask(store_with(link()), "namer", purpose="capping").body["links"]
    assert told["other"] == {"namespace": "anonymous_id", "key": TABLET}


@pytest.mark.parametrize(
    "row",
    [
        link(probability_ppm=799_999),
        link(expires_at=iso_of(NOW_MS)),
        link(mine=key("anonymous_id:gone")),
        link(other=key("user_id:ann")),
    ],
    ids=["below the threshold", "expired", "another's identifier", "one person by now"],
)
def test_nothing_is_told_of_a_link(row: dict[str, Any]) -> None:
    assert ask(store_with(row), purpose="capping").body["links"] == []


def test_a_look_up_by_a_claimed_path_is_told_of_no_link() -> None:
    assert ask(store_with(link()), purpose="capping", **{"as": "claimed"}).body["links"] == []


def test_many_are_asked_for_with_one_purpose() -> None:
    body = {"identifiers": ["user_id:ann"], "include": ["links"], "purpose": "capping"}
    request = Request("POST", "/v1/profiles:lookup", {}, "all", json.dumps(body))
    told = replace(desk(store_with(link())), workspace=OPTED_IN)
    [answer] = respond(request, told, own_api.ROUTES).body["results"]
    assert [one["probability"] for one in answer["profile"]["links"]] == [0.91]
