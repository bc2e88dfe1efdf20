"""Bodies as clients really send them: gzip in every form, sloppy JSON, and what is beyond it."""

import gzip
import json
import math
import time
import tracemalloc
import zlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.ingestion.accept import Noted, Unreadable
from stamgast.ingestion.inflate import MOST_MEMBERS, body_of, inflate
from stamgast.ingestion.lenient import mend, read
from stamgast.ingestion.request import Refusal
from stamgast.ingestion.spans import elements, members
from tests.fakes.ingestion import Front, told, track

MIB = 1024 * 1024
FORMS = ["application/json", "text/plain", "application/x-www-form-urlencoded", ""]


@pytest.mark.parametrize("content_type", FORMS)
@pytest.mark.parametrize("encoding", ["gzip", ""])
@pytest.mark.parametrize("is_inflated", [True, False])
def test_gzip_is_seen_in_the_body_whatever_the_headers_say(
    content_type: str, encoding: str, is_inflated: bool
) -> None:
    front = Front()
    body = orjson.dumps({"batch": [track()]})
    content = body if is_inflated else gzip.compress(body)
    headers = {"content-type": content_type, "content-encoding": encoding}
    assert front.post("/v1/batch", content, headers=headers).answer.status == 200
    assert len(front.raw()) == 1


def test_a_gateway_may_hand_over_base64_text_or_bytes_read_as_latin_1() -> None:
    assert body_of("eyJhIjoxfQ==", True) == b'{"a":1}'
    assert body_of('{"a":1}', False) == b'{"a":1}'
    assert body_of(None, False) == b""
    assert body_of("%", True) == Refusal("invalid_base64")


def test_several_gzip_members_are_one_body() -> None:
    assert inflate(gzip.compress(b"ab") + gzip.compress(b"cd"), 10) == b"abcd"


@pytest.mark.failure_line(6)
def test_a_body_of_empty_members_is_refused_before_it_costs_anything() -> None:
    """FAILURES line 6, a gzip bomb of another kind: each member copies what follows it."""
    members = gzip.compress(b"") * (MOST_MEMBERS + 1)
    assert inflate(members, 10) == Refusal("invalid_gzip")
    assert inflate(members[len(gzip.compress(b"")) :], 10) == b""


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:10] + b"\xff" * 20])
def test_damaged_gzip_is_refused(damage) -> None:  # type: ignore[no-untyped-def]
    content = damage(gzip.compress(orjson.dumps({"batch": [track()]})))
    outcome = Front().post("/v1/batch", content)
    assert (outcome.answer.status, outcome.code) == (400, "invalid_gzip")


@pytest.mark.failure_line(6)
def test_a_gzip_bomb_costs_no_more_than_an_honest_body() -> None:
    """Line 6: a bomb of 64 MiB is refused within the memory and time of its first 4 MiB."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * MIB) for _ in range(64)) + packer.flush()
    tracemalloc.start()
    outcome = Front().post("/v1/batch", bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (outcome.answer.status, outcome.code) == (413, "too_large")
    assert peak < 24 * MIB


@pytest.mark.failure_line(6)
def test_what_is_too_large_or_no_object_is_refused_whole() -> None:
    """Line 6: 2,501 events, 4 MiB and a byte, and bodies that are no objects."""
    front = Front()
    many = {"batch": [{}] * 2_501}
    assert front.post("/v1/batch", many).code == "too_many_events"
    assert front.post("/v1/batch", b" " * (4 * MIB + 1)).code == "too_large"
    for body in (b"[]", b"3", b'"x"', b"true"):
        assert front.post("/v1/batch", body).code == "not_an_object"
    for body in (b"", b"null", b"{", b'{"batch":[{', b"nonsense", b'nonsense{"batch":[]}'):
        outcome = front.post("/v1/batch", body)
        assert (outcome.answer.status, outcome.code) == (400, "invalid_json")
    assert front.post("/v1/batch", {"batch": 3}).code == "batch_missing"
    assert front.queue.messages == []


@pytest.mark.failure_line(6)
def test_events_larger_than_published_limits_are_taken_and_larger_than_ours_refused_alone() -> None:
    """Line 6: 33 KB and 250 KB events and a batch of 501 KB pass; an event of 257 KB does not."""
    front = Front()
    sizes = [33_000, 250_000, 257 * 1024, 218_000]
    batch = [track(messageId=str(n), properties={"x": "y" * n}) for n in sizes]
    assert front.post("/v1/batch", {"batch": batch}).answer.status == 200
    assert [record.message_id for record in front.raw()] == ["33000", "250000", "218000"]
    (rejected,) = front.rejected()
    assert (rejected.code, rejected.message_id) == ("too_large", str(257 * 1024))


@pytest.mark.failure_line(6)
@pytest.mark.parametrize("depth", [65, 300, 1_000, 10_000])
def test_an_event_nested_too_deep_is_refused_alone(depth: int) -> None:
    """Line 6: JSON 1,000 levels deep, and far deeper, costs one event and bounded time."""
    front = Front()
    deep = b'{"type":"track","event":"e","userId":"u","properties":{"x":%b}}' % (
        b"[" * depth + b"]" * depth
    )
    content = b'{"batch":[%b,%b,%b]}' % (orjson.dumps(track()), deep, orjson.dumps(track()))
    began = time.perf_counter()
    assert front.post("/v1/batch", content).answer.status == 200
    assert time.perf_counter() - began < 5
    assert len(front.raw()) == 2
    (rejected,) = front.rejected()
    assert rejected.code in ("too_deep", "unreadable")
    assert rejected.original == deep[: 64 * 1024].decode()


def test_sixty_four_levels_are_taken() -> None:
    front = Front()
    deep = b'{"type":"track","event":"e","userId":"u","properties":%b1%b}' % (
        b'{"a":' * 63,
        b"}" * 63,
    )
    front.post("/v1/batch", b'{"batch":[%b]}' % deep)
    assert len(front.raw()) == 1


@pytest.mark.failure_line(6)
def test_sloppy_json_costs_only_the_odd_values_and_is_noted() -> None:
    """Line 6: NaN, infinities, huge integers, lone surrogates, bad UTF-8, doubled keys."""
    front = Front()
    content = (
        b'\xef\xbb\xbf{"batch":[{"type":"track","event":"e","userId":"u","messageId":"1","properties":'
        b'{"nan":NaN,"inf":[-Infinity],"over":1e999,"huge":1%b,"lone":"a\\ud800b","bad":"\xff","twice":1,"twice":2}},'
        b'{"type":"track","event":"\xc3\xa9","userId":"u","messageId":"2","properties":{"n":18446744073709551615}}],'
        b'"sentAt":"2026-11-20T10:00:00Z"}' % (b"0" * 5_000)
    )
    assert front.post("/v1/batch", content).answer.status == 200
    mended, plain = front.raw()
    properties = orjson.loads(mended.body)["properties"]
    assert properties == {
        "nan": None,
        "inf": [None],
        "over": None,
        "huge": "1" + "0" * 5_000,
        "lone": "a\ufffdb",
        "bad": "\ufffd",
        "twice": 2,
    }
    assert set(mended.notes) == {
        "bad_utf8",
        "not_finite:properties.nan",
        "not_finite:properties.inf",
        "not_finite:properties.over",
        "huge_integer:properties.huge",
        "lone_surrogate:properties.lone",
        "doubled_key:properties",
    }
    assert plain.notes == ()
    assert orjson.loads(plain.body)["event"] == "é"
    assert plain.sent_ms == mended.sent_ms is not None


def test_one_event_that_is_no_json_spoils_no_other() -> None:
    front = Front()
    content = b'{"batch":[%b,{"type":track},%b]}' % (orjson.dumps(track()), orjson.dumps(track()))
    assert front.post("/v1/batch", content).answer.status == 200
    assert len(front.raw()) == 2
    assert [(r.code, r.original) for r in front.rejected()] == [("unreadable", '{"type":track}')]


def test_a_member_beside_the_batch_that_is_no_json_is_noted_on_each_event() -> None:
    value = read(b'{"context":{oops},"batch":[{"a":1}],"sentAt":NaN}')
    assert isinstance(value, dict)
    (event,) = value["batch"]
    assert event == Noted({"a": 1}, ("unreadable:batch.context", "not_finite:@batch.sentAt"))


def test_a_refused_event_keeps_its_own_bytes() -> None:
    front = Front()
    odd = b'{ "type" : "tr\\u0061k",  "userId":1.50, "x":1e2 }'
    front.post("/v1/batch", b'{"sentAt":1, "batch" : [ %b , %b ] }' % (orjson.dumps(track()), odd))
    assert [record.original for record in front.rejected()] == [odd.decode()]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_what_was_mended_is_json_and_mending_it_again_changes_nothing(value: object) -> None:
    mended, _ = mend(value)
    assert mend(orjson.loads(orjson.dumps(mended)))[1] == ()


@given(st.lists(JSON, max_size=5))
def test_each_event_of_a_sloppy_batch_reads_as_it_would_alone(events: list[object]) -> None:
    """Python's writer emits NaN, infinities and huge integers; the reader takes them all back."""
    text = json.dumps({"batch": events}).encode()
    value = read(text)
    assert isinstance(value, dict)
    assert len(value["batch"]) == len(events)
    for read_event, event in zip(value["batch"], events, strict=True):
        assert not isinstance(read_event, Unreadable)
        plain = read_event.event if isinstance(read_event, Noted) else read_event
        expected = mend(json.loads(json.dumps(event)))[0]
        assert _alike(plain, expected)


def _alike(one: object, other: object) -> bool:
    """Equal, and of one type: a huge integer is not the float next to it."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=0)
    return type(one) is type(other) and one == other


@given(st.integers(10**18, 10**40) | st.integers(-(10**40), -(10**18)), st.integers(0, 9))
def test_no_integer_is_rounded(number: int, indent: int) -> None:
    """orjson alone would read an id of 20 digits as the float next to it."""
    text = b" " * indent + json.dumps({"userId": number, "n": [number]}).encode()
    value = read(text)
    told = value.event if isinstance(value, Noted) else value
    assert isinstance(told, dict)
    assert str(told["userId"]) == str(number)
    assert str(told["n"][0]) == str(number)


@given(st.lists(JSON.filter(lambda v: v != ""), max_size=5), st.sampled_from([None, 1, "\t"]))
def test_spans_are_where_a_parser_finds_the_events(
    events: list[object], indent: int | str | None
) -> None:
    text = json.dumps({"é": {"batch": [1]}, "batch": events, "z": "]}"}, indent=indent).encode()
    begin, end = members(text)[b"batch"]
    found = [text[start:stop] for start, stop in elements(text, begin, end)]
    assert [json.loads(part) for part in found].__repr__() == events.__repr__()


@given(st.binary(max_size=80))
def test_no_bytes_make_the_reader_raise(text: bytes) -> None:
    read(text)
    read(b'{"batch":[' + text + b"]}")


@given(st.binary(max_size=200) | JSON.map(lambda v: json.dumps({"batch": [v, v]}).encode()))
def test_every_body_gets_an_answer_that_real_clients_understand(body: bytes) -> None:
    front = Front()
    for path in ("/v1/batch", "/v1/track", "/v1/import"):
        outcome = front.post(path, body)
        assert outcome.answer.status in (200, 400, 413)
        if outcome.answer.status != 200:
            assert {"code", "message"} <= told(outcome).keys()


def test_a_strict_request_is_all_or_nothing_with_a_verdict_per_event() -> None:
    front = Front()
    batch = {"batch": [track(), {"type": "trak"}, track()]}
    outcome = front.post("/v1/batch", batch, headers={"x-strict-mode": "1"})
    assert (outcome.answer.status, outcome.code) == (400, "strict")
    verdicts = told(outcome)["verdicts"]
    assert [verdict["accepted"] for verdict in verdicts] == [True, False, True]
    assert verdicts[1]["code"] == "type_unknown"
    assert front.queue.messages == []
    assert (
        front.post("/v1/batch", {"batch": [track()]}, headers={"x-strict-mode": "1"}).code == "ok"
    )
