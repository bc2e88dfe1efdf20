"""Our own paths of the look-up API."""

import json
from datetime import date
from urllib.parse import quote

import pytest

from stamgast.identity.assurance import Assurance
from stamgast.lookup import own_api, segment_api
from stamgast.lookup.find import Moved
from stamgast.lookup.reader import Action, Reader
from stamgast.lookup.routes import Accepted, Request, Response, respond, route
from stamgast.moments import moment_of
from tests.fakes.lookup import NOW_MS, MemoryLookupStore, desk, entry, key, traits

ROUTES = (*segment_api.ROUTES, *own_api.ROUTES)
EVERYTHING = "traits,segments,rfm,computed,activity,scores,consents,identifiers"


def get(store: MemoryLookupStore, path: str, token: str | None = "all", **query: str) -> Response:
    readers = {
        "narrow": Reader("narrow", ("traits.name", "segments"), ("user_id",)),
        "mailer": Reader("mailer", ("traits.*", "identifiers.email")),
    }
    return respond(Request("GET", path, query, token), desk(store, **readers), ROUTES)


def post(store: MemoryLookupStore, body: object, token: str = "all") -> Response:
    request = Request("POST", "/v1/profiles:lookup", {}, token, json.dumps(body))
    return respond(request, desk(store), ROUTES)


def test_a_profile_folds_the_facts_of_all_its_trusted_anchors(store: MemoryLookupStore) -> None:
    answer = get(store, "/v1/profiles/user_id:u1")
    assert answer.status == 200
    assert answer.body["traits"] == {"name": "Anne", "city": "Delft"}
    assert answer.body["counters"] == {"$identify": 2}
    assert answer.body["view"] == "verified"


def test_a_known_person_takes_two_rounds_and_their_identifiers_a_third(
    store: MemoryLookupStore,
) -> None:
    get(store, "/v1/profiles/user_id:u1")
    assert store.rounds == 2
    store.rounds = 0
    get(store, "/v1/profiles/user_id:u1", include="identifiers")
    assert store.rounds == 3


def test_after_a_merge_the_way_to_the_winner_takes_one_round_more(
    store: MemoryLookupStore,
) -> None:
    store.add("old", {"user_id:u9": (Assurance.VERIFIED, "g")}, {"user_id:u9": traits()})
    store.people["old"] = Moved("pv")
    store.rounds = 0
    root = store.people["pv"].root  # type: ignore[union-attr]
    root.members[key("user_id:u9")] = root.members[key("user_id:u1")]
    answer = get(store, "/v1/profiles/user_id:u9")
    assert answer.body["person_id"] == "pv"
    assert answer.body["traits"] == {"name": "Anne", "city": "Delft"}
    assert store.rounds <= 4


def test_moves_that_point_at_each_other_end_in_not_found(store: MemoryLookupStore) -> None:
    store.add("a", {"user_id:loop": (Assurance.VERIFIED, "g")}, {})
    store.people["a"], store.people["b"] = Moved("b"), Moved("a")
    assert get(store, "/v1/profiles/user_id:loop").status == 404


@pytest.mark.parametrize("safe", ["", ":@+"])
def test_an_address_with_a_plus_is_found_however_the_client_encodes_it(
    store: MemoryLookupStore, safe: str
) -> None:
    path = "/v1/profiles/email:" + quote("Anne+x@Example.ORG", safe=safe)
    assert get(store, path).body["person_id"] == "pv"


def test_values_in_other_alphabets_and_with_slashes_are_found(store: MemoryLookupStore) -> None:
    store.add("pj", {"user_id:利用者/é": (Assurance.VERIFIED, "g")}, {})
    for told in ("利用者/é", quote("利用者/é", safe=""), quote("利用者/e\u0301", safe="")):
        assert get(store, f"/v1/profiles/user_id:{told}").body["person_id"] == "pj"


def test_nobody_is_a_404_with_code_and_message_and_without_the_identifier(
    store: MemoryLookupStore,
) -> None:
    for path in ("email:nobody@example.org", "user_id:null", "email:not-an-address"):
        answer = get(store, f"/v1/profiles/{path}")
        assert (answer.status, answer.body["code"]) == (404, "not_found")
        assert "nobody" not in json.dumps(answer.body)


@pytest.mark.failure_line(39)
@pytest.mark.parametrize("token", [None, "a-write-key"])
def test_nothing_is_read_without_a_readers_token(
    store: MemoryLookupStore, token: str | None
) -> None:
    """FAILURES line 39: reading with a write key."""
    answer = get(store, "/v1/profiles/user_id:u1", token)
    assert (answer.status, answer.body["code"]) == (401, "unauthorized")
    assert store.rounds == 0


@pytest.mark.failure_line(39)
def test_a_token_sees_its_own_fields_only(store: MemoryLookupStore) -> None:
    """FAILURES line 39: a reader's token of one scope on another's fields."""
    answer = get(store, "/v1/profiles/user_id:u1", "narrow", include=EVERYTHING)
    assert answer.body["traits"] == {"name": "Anne"}
    assert list(answer.body["segments"]) == ["loyal"]
    assert answer.body["segments"]["loyal"]["since"] == "2026-01-01"
    for section in (
        "rfm",
        "computed",
        "orders",
        "counters",
        "recent_orders",
        "identifiers",
        "scores",
        "created_at",
        "first_seen_at",
        "last_seen_at",
    ):
        assert section not in answer.body
    assert get(store, "/v1/profiles/email:anne+x@example.org", "narrow").status == 403
    assert get(store, "/v1/profiles/user_id:u1/timeline", "narrow").status == 403


def test_by_post_computed_traits_tell_how_fresh_they_are_if_asked(store: MemoryLookupStore) -> None:
    body = {"identifiers": ["user_id:u1"], "include": ["computed"], "verbose": True}
    (told,) = post(store, body).body["results"]
    by_path = get(store, "/v1/profiles/user_id:u1", include="computed", verbose="true").body
    assert told["profile"] == by_path
    assert {"value", "live", "as_of"} <= set(by_path["computed"]["baskets"])


def test_computed_traits_count_days_on_the_day_of_the_look_up(store: MemoryLookupStore) -> None:
    answer = get(store, "/v1/profiles/user_id:u1", include="computed")
    today = moment_of(NOW_MS).date()
    days = float((today - date(2023, 11, 12)).days)
    assert answer.body["computed"] == {"baskets": 7.0, "days_since_last": days}


def test_identifiers_show_the_namespaces_in_scope_with_their_values(
    store: MemoryLookupStore,
) -> None:
    answer = get(store, "/v1/profiles/user_id:u1", "mailer", include="identifiers")
    assert answer.body["identifiers"] == [
        {
            "namespace": "email",
            "key": key("email:anne+x@example.org"),
            "value": "anne+x@example.org",
        }
    ]


def test_a_claimed_path_tells_its_own_data_and_what_is_marked_safe(
    store: MemoryLookupStore,
) -> None:
    answer = get(store, "/v1/profiles/anonymous_id:stranger", include=EVERYTHING)
    assert answer.body["view"] == "claimed"
    assert answer.body["traits"] == {"seen": "by the stranger"}
    assert answer.body["rfm"] == {"segment": "champions"}
    assert answer.body["segments"] == {}
    assert answer.body["computed"] == {}
    assert [one["namespace"] for one in answer.body["identifiers"]] == ["anonymous_id"]
    assert "victim" not in json.dumps(answer.body)
    assert "created_at" not in answer.body


def test_a_browsers_log_in_shows_what_was_done_before_it(store: MemoryLookupStore) -> None:
    answer = get(store, "/v1/profiles/user_id:victim")
    assert answer.body["view"] == "verified"
    assert answer.body["traits"] == {"secret": "of the victim", "seen": "by the stranger"}


def test_a_claimed_address_of_another_is_told_to_neither_side(store: MemoryLookupStore) -> None:
    store.add(
        "two",
        {
            "user_id:thief": (Assurance.CLAIMED, "t"),
            "email:owner@example.org": (Assurance.CLAIMED, "o"),
            "anonymous_id:cookie": (Assurance.CLAIMED, "c"),
        },
        {
            "user_id:thief": traits(mine=1),
            "email:owner@example.org": traits(owned=2),
            "anonymous_id:cookie": traits(browsed=3),
        },
    )
    assert get(store, "/v1/profiles/user_id:thief").body["traits"] == {"mine": 1}
    assert get(store, "/v1/profiles/email:owner@example.org").body["traits"] == {"owned": 2}


def test_as_claimed_lowers_any_view(store: MemoryLookupStore) -> None:
    answer = get(store, "/v1/profiles/user_id:u1", **{"as": "claimed"})
    assert answer.body["view"] == "claimed"
    assert answer.body["traits"] == {"name": "Anne"}
    assert answer.body["rfm"] == {"segment": "champions"}


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/v1/profiles/nothing", {}, "bad_identifier"),
        ("/v1/profiles/planet:mars", {}, "bad_identifier"),
        ("/v1/profiles/user_id:" + "x" * 2000, {}, "bad_identifier"),
        ("/v1/profiles/user_id:u1", {"include": "everything"}, "bad_include"),
        ("/v1/profiles/user_id:u1", {"as": "admin"}, "bad_as"),
        ("/v1/profiles/user_id:u1/timeline", {"limit": "0"}, "bad_limit"),
        ("/v1/profiles/user_id:u1/timeline", {"limit": "9" * 30}, "bad_limit"),
        ("/v1/profiles/user_id:u1/timeline", {"types": "track,nope"}, "bad_types"),
        ("/v1/profiles/user_id:u1/timeline", {"cursor": "!!"}, "bad_cursor"),
        ("/v1/profiles/user_id:u1/timeline", {"cursor": "x" * 5000}, "bad_cursor"),
    ],
)
def test_a_bad_request_names_what_is_wrong(
    store: MemoryLookupStore, path: str, query: dict[str, str], code: str
) -> None:
    answer = get(store, path, **query)
    assert (answer.status, answer.body["code"]) == (400, code)


def test_unknown_paths_and_methods_say_so(store: MemoryLookupStore) -> None:
    assert get(store, "/v2/people").status == 404
    put = Request("PUT", "/v1/profiles/user_id:u1", {}, "all")
    assert respond(put, desk(store), ROUTES).status == 405


def test_many_are_answered_in_order_each_with_its_own_status(store: MemoryLookupStore) -> None:
    answer = post(
        store,
        {"identifiers": ["user_id:u1", "user_id:no", "x:y", "email:ANNE+x@example.org"]},
    )
    told = [(one["identifier"], one["status"]) for one in answer.body["results"]]
    assert told == [
        ("user_id:u1", 200),
        ("user_id:no", 404),
        ("x:y", 400),
        ("email:ANNE+x@example.org", 200),
    ]
    assert store.rounds == 2


def test_a_body_is_not_percent_decoded(store: MemoryLookupStore) -> None:
    store.add("pp", {"user_id:100%41": (Assurance.VERIFIED, "g")}, {})
    answer = post(store, {"identifiers": ["user_id:100%41"]})
    assert answer.body["results"][0]["profile"]["person_id"] == "pp"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "identifiers"),
        ({"identifiers": []}, "identifiers"),
        ({"identifiers": ["user_id:1"] * 101}, "identifiers"),
        ({"identifiers": ["user_id:1"], "include": ["all"]}, "include.0"),
        ({"identifiers": ["user_id:1"], "colour": 1}, "colour"),
        ("text", "the body"),
    ],
)
def test_a_bad_body_is_refused_by_field(store: MemoryLookupStore, body: object, place: str) -> None:
    answer = post(store, body)
    assert (answer.status, answer.body["code"]) == (400, "bad_body")
    assert answer.body["message"].startswith(place)


def test_a_timeline_merges_all_anchors_page_by_page_without_gap_or_repeat(
    store: MemoryLookupStore,
) -> None:
    store.lines[key("user_id:u1")] = [entry(ms, f"u{ms:03}") for ms in range(0, 100, 2)]
    store.lines[key("email:anne+x@example.org")] = [
        entry(ms, f"e{ms:03}") for ms in range(0, 90, 3)
    ]
    told, cursor = [], ""
    while True:
        answer = get(store, "/v1/profiles/user_id:u1/timeline", limit="7", cursor=cursor)
        told += [one["message"] for one in answer.body["events"]]
        cursor = answer.body["cursor"]
        if cursor is None:
            break
        assert "u1" not in cursor
    assert len(told) == len(set(told)) == 80
    assert told == sorted(told, key=lambda m: (int(m[1:]), m), reverse=True)


@pytest.mark.failure_line(31)
def test_an_expired_entry_that_still_stands_is_not_shown(store: MemoryLookupStore) -> None:
    """FAILURES line 31: an expired TTL item is still there."""
    store.lines[key("user_id:u1")] = [entry(5, "gone", expires_s=1), entry(6, "kept")]
    answer = get(store, "/v1/profiles/user_id:u1/timeline")
    assert [one["message"] for one in answer.body["events"]] == ["kept"]
    assert answer.body["cursor"] is None


@pytest.mark.failure_line(39)
def test_a_path_that_needs_an_action_answers_those_who_were_granted_it(
    store: MemoryLookupStore,
) -> None:
    """FAILURES line 39: a token of one scope on what another's may do."""
    paths = (
        route("try", "POST", "/v1/try", lambda *_: {"done": True}, action=Action.CHANGE_IDENTITY),
        route("wait", "POST", "/v1/wait", lambda *_: Accepted({"job": "1"})),
    )
    people = desk(store, operator=Reader("operator", (), (), (Action.CHANGE_IDENTITY,)))

    def status(path: str, token: str | None) -> int:
        return respond(Request("POST", path, {}, token), people, paths).status

    assert status("/v1/try", None) == 401
    assert status("/v1/try", "all") == 403
    assert status("/v1/try", "operator") == 200
    assert status("/v1/wait", "all") == 202
