"""Segment's Profile API paths answer in Segment's forms."""

from dataclasses import replace

import pytest

from stamgast.lookup import own_api, segment_api
from stamgast.lookup.page import MOST_LOOKED_THROUGH
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


def test_events_are_chosen_by_time_order_and_name(store: MemoryLookupStore) -> None:
    store.lines[key("user_id:u1")] = [
        replace(entry(ms, f"m{ms}"), name="Seen" if ms % 2 else "Bought", type="track")
        for ms in range(1, 8)
    ]
    store.lines[key("user_id:u1")].append(replace(entry(8, "m8"), name="$page", type="page"))

    def ids(**query: str) -> list[str]:
        return [one["message_id"] for one in get(store, "user_id:u1/events", **query).body["data"]]

    assert ids(sort="asc", limit="2") == ["m1", "m2"]
    window = {"start": "1970-01-01T00:00:00.003Z", "end": "1970-01-01T00:00:00.005Z"}
    assert ids(**window) == ["m5", "m4", "m3"]
    assert ids(start="1970-01-02") == []
    assert ids(include="Bought,page") == ["m8", "m6", "m4", "m2"]
    assert ids(exclude="Seen", sort="asc") == ["m2", "m4", "m6", "m8"]


@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_pages_of_chosen_events_leave_none_out_and_look_through_a_bounded_number(
    store: MemoryLookupStore, sort: str
) -> None:
    everything = [
        replace(entry(ms, f"m{ms}"), name="Rare" if ms % 400 == 7 else "Seen")
        for ms in range(1, 1500)
    ]
    store.lines[key("user_id:u1")] = everything[::2]
    store.lines[key("email:anne+x@example.org")] = everything[1::2]
    found, pages, cursor = [], 0, ""
    while pages == 0 or cursor:
        query = {"include": "Rare", "limit": "3", "sort": sort, "next": cursor}
        told = get(store, "user_id:u1/events", **query).body
        found += [one["message_id"] for one in told["data"]]
        cursor, pages = told["cursor"]["next"], pages + 1
    wanted = [f"m{ms}" for ms in (7, 407, 807, 1207)]
    assert found == (wanted if sort == "asc" else wanted[::-1])
    assert pages >= 1500 / MOST_LOOKED_THROUGH


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"sort": "up"}, "bad_sort"),
        ({"start": "yesterday"}, "bad_start"),
        ({"end": "31-12-2026"}, "bad_end"),
        ({"limit": "0"}, "bad_limit"),
        ({"next": "%"}, "bad_cursor"),
        ({"include": ",".join(f"e{n}" for n in range(51))}, "bad_include"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(
    store: MemoryLookupStore, query: dict[str, str], code: str
) -> None:
    answer = get(store, "user_id:u1/events", **query)
    assert (answer.status, answer.body["code"]) == (400, code)


def test_traits_of_a_class_are_what_runs_computed(store: MemoryLookupStore) -> None:
    assert get(store, "user_id:u1/traits", **{"class": "audience"}).body["traits"] == {
        "loyal": True
    }
    computed = get(store, "user_id:u1/traits", **{"class": "computed_trait"}).body["traits"]
    assert computed.pop("days_since_last") >= 2
    assert computed == {"baskets": 7.0, "rfm.score": "555", "rfm.segment": "champions"}
    one = get(
        store, "user_id:u1/traits", **{"class": "computed_trait", "exclude": "rfm.score,baskets"}
    )
    assert one.body["traits"].keys() == {"days_since_last", "rfm.segment"}
    assert get(store, "user_id:u1/traits", **{"class": "account"}).body["code"] == "bad_class"


@pytest.mark.failure_line(39)
def test_a_class_tells_nothing_outside_the_scope_or_through_a_claim(
    store: MemoryLookupStore,
) -> None:
    """FAILURES line 39: a reader's token of one scope on another's fields."""
    for of_class in ("audience", "computed_trait"):
        query = {"class": of_class}
        assert get(store, "user_id:u1/traits", "narrow", **query).body["traits"] == {}
        assert get(store, "anonymous_id:stranger/traits", **query).body["traits"] == {}


def test_external_ids_are_chosen_by_type(store: MemoryLookupStore) -> None:
    def types(**query: str) -> list[str]:
        told = get(store, "user_id:u1/external_ids", **query).body["data"]
        return [one["type"] for one in told]

    assert types(include="email") == ["email"]
    assert types(exclude="email") == ["user_id"]


def test_metadata_says_when_the_person_was_first_and_last_seen(store: MemoryLookupStore) -> None:
    told = get(store, "user_id:u1/metadata").body["metadata"]
    assert told["updated_at"] == "2023-11-14T22:13:21.000Z"
    assert told["expires_at"] is None
    narrow = get(store, "user_id:u1/metadata", "narrow").body["metadata"]
    assert {name for name, value in narrow.items() if value is not None} == {"id"}


@pytest.mark.parametrize("part", ["traits", "external_ids", "events", "metadata"])
def test_nobody_is_a_404_in_segments_form(store: MemoryLookupStore, part: str) -> None:
    answer = get(store, f"user_id:nobody/{part}")
    assert answer.status == 404
    assert answer.body["error"] == {"code": "not_found", "message": "Profile was not found."}


def test_accounts_are_refused_by_name(store: MemoryLookupStore) -> None:
    path = "/v1/spaces/default/collections/accounts/profiles/user_id:u1/traits"
    answer = respond(Request("GET", path, {}, "all"), desk(store), ROUTES)
    assert (answer.status, answer.body["code"]) == (400, "bad_collection")
