"""Segment's Profile API paths answer in Segment's forms."""

import pytest

from stamgast.lookup import own_api, segment_api
from stamgast.lookup.reader import Reader
from stamgast.lookup.routes import Request, Response, respond
from tests.fakes.lookup import MemoryLookupStore, desk, entry, key

ROUTES = (*segment_api.ROUTES, *own_api.ROUTES)
PERSON = "/v1/spaces/default/collections/users/profiles"


def get(store: MemoryLookupStore, path: str, token: str = "all", **query: str) -> Response:
    readers = {"narrow": Reader("narrow", ("traits.name",))}
    request = Request("GET", f"{PERSON}/{path}", query, token)
    return respond(request, desk(store, **readers), ROUTES)


def test_traits_come_with_a_cursor_that_names_no_identifier(store: MemoryLookupStore) -> None:
    assert get(store, "email:anne%2Bx@example.org/traits").body == {
        "traits": {"city": "Delft", "name": "Anne"},
        "cursor": {"url": f"{PERSON}/pv/traits", "has_more": False, "next": "", "limit": 100},
    }


def test_verbose_traits_say_since_when(store: MemoryLookupStore) -> None:
    told = get(store, "user_id:u1/traits", verbose="true").body["traits"]["name"]
    assert told["value"] == "Anne"
    assert told["updated_at"] == "2023-11-14T22:13:20.000Z"


def test_traits_are_paged_and_chosen_by_name(store: MemoryLookupStore) -> None:
    first = get(store, "user_id:u1/traits", limit="1").body
    assert (first["traits"], first["cursor"]["has_more"]) == ({"city": "Delft"}, True)
    second = get(store, "user_id:u1/traits", limit="1", next=first["cursor"]["next"]).body
    assert (second["traits"], second["cursor"]["has_more"]) == ({"name": "Anne"}, False)
    assert get(store, "user_id:u1/traits", include="name").body["traits"] == {"name": "Anne"}


def test_the_scope_of_a_token_holds_here_too(store: MemoryLookupStore) -> None:
    assert get(store, "user_id:u1/traits", "narrow").body["traits"] == {"name": "Anne"}
    assert get(store, "user_id:u1/external_ids", "narrow").body["data"] == []
    assert get(store, "user_id:u1/events", "narrow").status == 403


def test_external_ids_have_type_and_id(store: MemoryLookupStore) -> None:
    told = get(store, "user_id:u1/external_ids").body["data"]
    assert {(one["type"], one["id"]) for one in told} == {
        ("user_id", "u1"),
        ("email", "anne+x@example.org"),
    }
    assert told[0]["collection"] == "users"
    assert told[0]["encoding"] == "none"


def test_events_come_newest_first_with_a_cursor(store: MemoryLookupStore) -> None:
    store.lines[key("user_id:u1")] = [entry(ms, f"m{ms}") for ms in (1, 2, 3)]
    first = get(store, "user_id:u1/events", limit="2").body
    assert [one["message_id"] for one in first["data"]] == ["m3", "m2"]
    assert first["data"][0]["event"] == "Seen"
    assert first["cursor"]["has_more"] is True
    second = get(store, "user_id:u1/events", limit="2", next=first["cursor"]["next"]).body
    assert [one["message_id"] for one in second["data"]] == ["m1"]


def test_metadata_says_when_the_person_was_first_and_last_seen(store: MemoryLookupStore) -> None:
    told = get(store, "user_id:u1/metadata").body["metadata"]
    assert told["updated_at"] == "2023-11-14T22:13:21.000Z"
    assert told["expires_at"] is None


@pytest.mark.parametrize("part", ["traits", "external_ids", "events", "metadata"])
def test_nobody_is_a_404_in_segments_form(store: MemoryLookupStore, part: str) -> None:
    answer = get(store, f"user_id:nobody/{part}")
    assert answer.status == 404
    assert answer.body["error"] == {"code": "not_found", "message": "Profile was not found."}


def test_accounts_are_refused_by_name(store: MemoryLookupStore) -> None:
    path = "/v1/spaces/default/collections/accounts/profiles/user_id:u1/traits"
    answer = respond(Request("GET", path, {}, "all"), desk(store), ROUTES)
    assert (answer.status, answer.body["code"]) == (400, "bad_collection")
