"""Which paths are served, where the key may stand, and what every answer carries."""

from base64 import b64encode, urlsafe_b64encode

import orjson
import pytest

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.request import Request
from tests.fakes.ingestion import PUBLIC_KEY, SECRET_KEY, Front, basic, told, track

SUCCESS = b'{"success": true}'
SINGLE = {
    "identify": "i",
    "track": "t",
    "page": "p",
    "screen": "s",
    "group": "g",
    "alias": "a",
}
COMPLETE = {"userId": "u", "event": "e", "groupId": "g", "previousId": "p"}


@pytest.mark.parametrize(("name", "short"), SINGLE.items())
@pytest.mark.parametrize("prefix", ["/v1/", "/"])
def test_each_call_has_a_long_and_a_short_path_with_and_without_the_version(
    name: str, short: str, prefix: str
) -> None:
    front = Front()
    for path in (name, short):
        outcome = front.post(prefix + path, COMPLETE)
        assert (outcome.answer.status, outcome.answer.body) == (200, SUCCESS)
    assert [record.type for record in front.raw()] == [name, name]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/batch",
        "/batch",
        "/v1/b",
        "/b",
        "/beacon/v1/batch",
        "/v1/import",
        "/import",
        "/v1/batch/",
    ],
)
def test_batches_are_taken_on_each_of_their_paths(path: str) -> None:
    front = Front()
    assert front.post(path, {"batch": [track()]}).answer.body == SUCCESS
    assert len(front.raw()) == 1


def test_metrics_of_a_client_are_accepted_and_ignored() -> None:
    front = Front()
    assert front.post("/v1/m", {"series": []}, key=None).answer.body == SUCCESS
    assert front.queue.messages == []


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_pixel_carries_its_event_in_the_query(encode) -> None:  # type: ignore[no-untyped-def]
    front = Front()
    data = encode(orjson.dumps({"writeKey": PUBLIC_KEY, "userId": "ü>?", "event": "Opened"}))
    outcome = front.get("/v1/pixel/track", {"data": data.decode().rstrip("=")})
    assert (outcome.answer.status, outcome.answer.headers["Content-Type"]) == (200, "image/gif")
    assert outcome.answer.headers["Cache-Control"] == "no-store"
    assert outcome.answer.body.startswith(b"GIF89a")
    (record,) = front.raw()
    assert (record.type, record.source_id) == ("track", "web")
    assert orjson.loads(record.body)["userId"] == "ü>?"


@pytest.mark.parametrize("data", ["x", "%%%", '{"userId":"a"}', "eyJ9☃"])
def test_a_pixel_whose_data_is_no_base64_is_refused(data: str) -> None:
    outcome = Front().get("/v1/pixel/page", {"data": data, "writeKey": PUBLIC_KEY})
    assert (outcome.answer.status, outcome.code) == (400, "invalid_base64")
    assert told(outcome)["code"] == "invalid_base64"


@pytest.mark.parametrize("accept", ["image/avif,image/webp,*/*;q=0.8", "IMAGE/*"])
def test_where_a_picture_is_asked_for_a_refusal_is_none_that_a_reader_would_see(
    accept: str,
) -> None:
    outcome = Front().get("/v1/pixel/page", {"data": "%"}, accept=accept)
    assert (outcome.answer.status, outcome.code) == (400, "invalid_base64")
    assert outcome.answer.body.startswith(b"GIF89a")


def test_the_key_is_taken_from_the_header_then_the_body_then_the_query() -> None:
    front = Front()
    front.post("/v1/track", {**track(), "writeKey": PUBLIC_KEY}, query={"writeKey": PUBLIC_KEY})
    front.post(
        "/v1/track", {**track(), "writeKey": SECRET_KEY}, key=None, query={"writeKey": PUBLIC_KEY}
    )
    front.post("/beacon/v1/batch", {"batch": [track()]}, key=None, query={"writeKey": PUBLIC_KEY})
    assert [record.source_id for record in front.raw()] == ["server", "server", "web"]


def test_a_public_key_claims_and_a_secret_key_verifies() -> None:
    front = Front()
    front.post("/v1/track", track(), key=PUBLIC_KEY)
    front.post("/v1/track", track(), key=SECRET_KEY)
    assert [record.assurance for record in front.raw()] == [Assurance.CLAIMED, Assurance.VERIFIED]


@pytest.mark.parametrize(
    "headers",
    [{}, basic("unknown"), {"authorization": "Basic %%%"}, {"authorization": "Bearer pub_web"}],
)
def test_a_missing_or_unknown_key_is_refused_with_code_and_message(headers: dict[str, str]) -> None:
    front = Front()
    outcome = front.post("/v1/track", track(), key=None, headers=headers)
    assert outcome.answer.status == 401
    assert set(told(outcome)) == {"code", "message"}
    assert front.queue.messages == []


def test_a_key_never_reaches_the_archive() -> None:
    front = Front()
    front.post("/v1/track", {**track(), "writeKey": SECRET_KEY}, key=None)
    front.post("/v1/track", {"type": "track", "writeKey": SECRET_KEY}, key=None)
    front.post("/v1/batch", {"writeKey": SECRET_KEY, "batch": [track(), {}]}, key=None)
    assert front.raw()
    assert len(front.rejected()) == 2
    assert not any(SECRET_KEY in record.body for record in front.raw())
    assert not any(SECRET_KEY in record.original for record in front.rejected())


def test_an_unknown_path_and_a_wrong_method_are_told_apart() -> None:
    front = Front()
    assert front.post("/v1/nothing", {}).answer.status == 404
    assert front.get("/v1/track").answer.status == 405
    assert front.get("/").answer.status == 404


def test_the_settings_send_a_browser_back_to_the_host_it_asked() -> None:
    front = Front()
    request = Request(
        "GET", f"/v1/projects/{PUBLIC_KEY}/settings", "", host="127.0.0.1:8", scheme="http"
    )
    settings = told(front.send(request))["integrations"]["Segment.io"]
    assert settings["apiHost"] == "127.0.0.1:8/v1"
    assert settings["protocol"] == "http"
    assert settings["apiKey"] == PUBLIC_KEY


def test_settings_of_an_unknown_key_are_refused() -> None:
    assert Front().get("/v1/projects/unknown/settings").answer.status == 401


@pytest.mark.parametrize("query", [{}, {"writeKey": PUBLIC_KEY}])
def test_the_source_configuration_names_the_source(query: dict[str, str]) -> None:
    headers = {} if query else basic(PUBLIC_KEY)
    source = told(Front().get("/sourceConfig/", query, **headers))["source"]
    assert (source["id"], source["destinations"], source["enabled"]) == ("web", [], True)


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 503])
def test_every_answer_lets_the_asking_page_read_it(status: int) -> None:
    front = Front()
    headers = {"origin": "https://shop.example", "access-control-request-headers": "x-a, sentat"}
    body: object = track()
    if status == 400:
        body = b"not json"
    if status == 503:
        front.queue.is_down = True
    if status == 429:
        _throttle(front)
    path = "/v1/none" if status == 404 else "/v1/track"
    outcome = front.post(path, body, key=None if status == 401 else SECRET_KEY, headers=headers)
    answer = outcome.answer
    assert answer.status == status
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert answer.headers["Access-Control-Allow-Headers"] == "x-a, sentat"
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert answer.headers["Access-Control-Max-Age"] == "86400"
    if status != 200:
        assert set(told(outcome)) == {"code", "message"}
    assert ("Retry-After" in answer.headers) is (status in (429, 503))


def test_a_preflight_needs_no_key() -> None:
    request = Request("OPTIONS", "/v1/batch", "", {"origin": "https://a.example"})
    answer = Front().send(request).answer
    assert answer.status == 200
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


def test_a_header_that_would_break_the_answer_is_not_echoed() -> None:
    request = Request(
        "OPTIONS", "/v1/batch", "", {"access-control-request-headers": "a\r\nset-x: 1"}
    )
    assert "\n" not in Front().send(request).answer.headers["Access-Control-Allow-Headers"]


def _throttle(front: Front) -> None:
    from stamgast.ingestion.write_key import Source

    front.keys.add(SECRET_KEY, Source("server", Assurance.VERIFIED, events_per_second=1))
    front.post("/v1/batch", {"batch": [track(messageId=str(n)) for n in range(10)]})
