"""What is accepted, what is refused alone and why, and how an accepted event is stamped."""

from typing import Any

import orjson
import pytest

from stamgast.ingestion.instants import OLDEST_MS, read_ms
from stamgast.ingestion.reasons import EVENT_FAULTS
from stamgast.ingestion.validate import text_of
from stamgast.moments import iso_of
from tests.fakes.ingestion import NOW_MS, Front, track

MINUTE_MS, HOUR_MS, YEAR_MS = 60_000, 3_600_000, 365 * 86_400_000
REFUSED: list[tuple[object, str, str]] = [
    (3, "not_an_object", ""),
    (None, "not_an_object", ""),
    ([], "not_an_object", ""),
    ({}, "type_unknown", "type"),
    ({"type": "trak"}, "type_unknown", "type"),
    ({"type": ["track"]}, "type_unknown", "type"),
    ({"type": "track", "event": "e"}, "id_missing", "userId"),
    ({"type": "track", "event": "e", "userId": ""}, "id_missing", "userId"),
    ({"type": "track", "event": "e", "userId": None}, "id_missing", "userId"),
    ({"type": "track", "event": "e", "userId": {"a": 1}}, "id_not_text", "userId"),
    ({"type": "track", "event": "e", "userId": True}, "id_not_text", "userId"),
    ({"type": "track", "event": "e", "anonymousId": []}, "id_not_text", "anonymousId"),
    ({"type": "track", "event": "e", "userId": "u" * 1025}, "id_too_long", "userId"),
    ({"type": "track", "userId": "u"}, "event_missing", "event"),
    ({"type": "track", "userId": "u", "event": ""}, "event_missing", "event"),
    ({"type": "track", "userId": "u", "event": {}}, "event_missing", "event"),
    ({"type": "group", "userId": "u"}, "group_id_missing", "groupId"),
    ({"type": "alias", "userId": "u"}, "previous_id_missing", "previousId"),
    ({"type": "identify", "userId": "u", "traits": []}, "not_a_mapping", "traits"),
    ({"type": "page", "userId": "u", "context": "x"}, "not_a_mapping", "context"),
    (track(properties=1), "not_a_mapping", "properties"),
    (track(integrations=[]), "not_a_mapping", "integrations"),
    (track(messageId="m" * 257), "message_id_too_long", "messageId"),
    (track(messageId={}), "id_not_text", "messageId"),
    (track(properties={"x": "y" * 262_144}), "too_large", ""),
]
TAKEN: list[dict[str, Any]] = [
    {"type": "identify", "userId": 7},
    {"type": "identify", "anonymousId": "a", "userId": None, "context": {"traits": {"x": 1}}},
    {"type": "page", "anonymousId": "a", "userId": ""},
    {"type": "screen", "anonymousId": "a", "name": None, "properties": None},
    {"type": "group", "userId": "u", "groupId": 12},
    {"type": "alias", "userId": "u", "previousId": 3},
    {"type": "alias", "userId": "u", "anonymousId": "a"},
    {"type": "track", "userId": 1.0, "event": 3},
    {"type": "track", "userId": "u", "event": "e", "messageId": 5, "traits": {}},
]


@pytest.mark.parametrize(("event", "code", "path"), REFUSED)
def test_a_refused_event_says_why_and_where(event: object, code: str, path: str) -> None:
    front = Front()
    assert front.post("/v1/batch", {"batch": [event]}).answer.status == 200
    (rejected,) = front.rejected()
    assert (rejected.code, rejected.path) == (code, path)
    assert rejected.message == EVENT_FAULTS[code]
    assert front.raw() == []


@pytest.mark.parametrize("event", TAKEN)
def test_shapes_that_real_clients_send_are_taken(event: dict[str, Any]) -> None:
    front = Front()
    front.post("/v1/batch", {"batch": [event]})
    assert front.rejected() == []
    assert len(front.raw()) == 1


def test_numeric_ids_become_texts_with_a_note() -> None:
    front = Front()
    event = {"type": "group", "userId": 12, "anonymousId": 1.0, "groupId": 2**70, "messageId": 9}
    front.post("/v1/batch", {"batch": [event]})
    (record,) = front.raw()
    body = orjson.loads(record.body)
    assert (body["userId"], body["anonymousId"], body["groupId"]) == ("12", "1", str(2**70))
    assert record.message_id == "9"
    assert "number_to_text:userId" in record.notes


@pytest.mark.parametrize("number", [1e301, float("nan"), float("-inf"), True, None, [1]])
def test_what_is_no_sane_number_has_no_text(number: object) -> None:
    assert text_of(number) is None
    assert text_of(10**5_000) is None


def test_quarantine_tells_whom_a_refused_event_names() -> None:
    front = Front()
    traits = {"email": "ada@example.org", "phone": 31201234567}
    event = {"userId": 4, "anonymousId": "a", "messageId": "m", "context": {"traits": traits}}
    front.post("/v1/batch", {"batch": [event]})
    (rejected,) = front.rejected()
    assert rejected.identifiers == {
        "userId": "4",
        "anonymousId": "a",
        "context.traits.email": "ada@example.org",
        "context.traits.phone": "31201234567",
    }
    assert rejected.message_id == "m"


@pytest.mark.failure_line(5)
def test_one_invalid_event_among_a_hundred_is_refused_alone() -> None:
    """Line 5: 200, 99 stored, 1 quarantined, so that the client does not resend for ever."""
    front = Front()
    batch: list[object] = [track(messageId=str(n)) for n in range(100)]
    batch[41] = {"type": "track", "userId": "u"}
    assert front.post("/v1/batch", {"batch": batch}).answer.status == 200
    assert len(front.queue.messages) == 1
    assert [record.index for record in front.raw()] == [n for n in range(100) if n != 41]
    assert [record.receipt_id for record in front.rejected()] == ["request-1:41"]


def test_what_a_batch_says_for_all_merges_into_each_event_which_goes_first() -> None:
    front = Front()
    batch = {
        "context": {"app": {"name": "shop", "build": 1}, "ip": "192.0.2.0"},
        "integrations": {"All": False},
        "batch": [track(context={"app": {"build": 2}}, integrations={"X": True}), track()],
    }
    front.post("/v1/batch", batch)
    own, without = (orjson.loads(record.body) for record in front.raw())
    assert own["context"] == {"app": {"name": "shop", "build": 2}, "ip": "192.0.2.0"}
    assert own["integrations"] == {"All": False, "X": True}
    assert without["context"] == batch["context"]


def test_a_context_that_would_swell_a_batch_beyond_its_bound_is_refused() -> None:
    batch = {"context": {"x": "y" * 200_000}, "batch": [track()] * 100}
    assert Front().post("/v1/batch", batch).code == "too_large"


@pytest.mark.failure_line(10)
@pytest.mark.parametrize("wrong_by_ms", [3 * YEAR_MS, -56 * YEAR_MS, 0, 90_000])
def test_a_wrong_clock_is_corrected_by_when_it_says_it_sent(wrong_by_ms: int) -> None:
    """Line 10: three years ahead, or in 1970: with sentAt the true time is known."""
    front = Front()
    said_ms, sent_ms = NOW_MS + wrong_by_ms - HOUR_MS, NOW_MS + wrong_by_ms
    batch = [track(timestamp=iso_of(said_ms))]
    front.post("/v1/batch", {"batch": batch, "sentAt": iso_of(sent_ms)})
    (record,) = front.raw()
    assert record.event_ms == NOW_MS - HOUR_MS
    assert (record.original_ms, record.sent_ms) == (said_ms, sent_ms)
    assert record.received_ms == NOW_MS


@pytest.mark.failure_line(10)
@pytest.mark.parametrize("said_ms", [0, -1, NOW_MS + 3 * YEAR_MS, NOW_MS - OLDEST_MS - 1])
def test_without_sent_at_a_time_beyond_the_window_becomes_the_receipt(said_ms: int) -> None:
    """Line 10: clamped, noted, and the original kept."""
    front = Front()
    front.post("/v1/track", track(timestamp=iso_of(said_ms)))
    (record,) = front.raw()
    assert record.event_ms == NOW_MS
    assert record.original_ms == said_ms
    assert "time_clamped" in record.notes


def test_without_sent_at_a_sane_time_stands() -> None:
    front = Front()
    front.post("/v1/track", track(timestamp=iso_of(NOW_MS - 9 * YEAR_MS)))
    assert front.raw()[0].event_ms == NOW_MS - 9 * YEAR_MS


def test_an_import_keeps_times_as_they_were_said() -> None:
    front = Front()
    old = track(timestamp="1985-04-12T23:20:50.52Z")
    front.post("/v1/import", {"batch": [old], "sentAt": iso_of(NOW_MS + YEAR_MS)})
    assert front.raw()[0].event_ms == read_ms("1985-04-12T23:20:50.52Z")


def test_the_original_timestamp_goes_before_the_timestamp() -> None:
    front = Front()
    front.post("/v1/track", track(originalTimestamp=iso_of(NOW_MS - 5), timestamp=iso_of(0)))
    assert front.raw()[0].original_ms == NOW_MS - 5


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2026-11-20T10:00:00Z", 1_795_168_800_000),
        ("2026-11-20T10:00:00.123456789+01:00", 1_795_165_200_123),
        ("2026-11-20 10:00:00", 1_795_168_800_000),
        ("2026-11-20", 1_795_132_800_000),
        (1_795_168_800, 1_795_168_800_000),
        (1_795_168_800.5, 1_795_168_800_500),
        (1_795_168_800_000, 1_795_168_800_000),
        ("1795168800000", 1_795_168_800_000),
        ("1609070622013", 1_609_070_622_013),
        (" 1612111410123 ", 1_612_111_410_123),
        ("20261120", 1_795_132_800_000),
        ("20261120T100000Z", 1_795_168_800_000),
        ("yesterday", None),
        ("", None),
        (True, None),
        (float("nan"), None),
        ("nan", None),
        (10**30, None),
        ("0001-01-01T00:00:00+23:59", None),
        ({}, None),
    ],
)
def test_times_are_read_as_clients_write_them(told: object, expected: int | None) -> None:
    assert read_ms(told) == expected


def test_an_unreadable_time_is_noted_and_taken_for_none() -> None:
    front = Front()
    front.post("/v1/track", track(timestamp="soon"))
    (record,) = front.raw()
    assert (record.original_ms, record.event_ms) == (None, NOW_MS)
    assert "time_unreadable:timestamp" in record.notes


def test_a_missing_message_id_is_the_same_on_a_resend_if_the_event_has_its_own_time() -> None:
    front = Front()
    event = track(timestamp=iso_of(NOW_MS - 5), messageId=None)
    front.post("/v1/batch", {"batch": [event], "sentAt": iso_of(NOW_MS)})
    front.now_ms += 9_000
    front.post("/v1/batch", {"batch": [event], "sentAt": iso_of(NOW_MS + 9_000)})
    first, second = front.raw()
    assert first.message_id == second.message_id
    assert "message_id_made" in first.notes


def test_a_made_message_id_differs_by_source_and_payload() -> None:
    front = Front()
    event = track(timestamp=iso_of(NOW_MS), messageId="")
    front.post("/v1/track", event)
    front.post("/v1/track", event, key="pub_web")
    front.post("/v1/track", {**event, "event": "Other"})
    assert len({record.message_id for record in front.raw()}) == 3


def test_two_equal_events_without_id_and_time_stay_two() -> None:
    front = Front()
    event = {"type": "track", "event": "e", "userId": "u"}
    front.post("/v1/batch", {"batch": [event, event]})
    front.post("/v1/batch", {"batch": [event]})
    assert len({record.message_id for record in front.raw()}) == 3


def test_the_address_and_agent_are_kept_beside_the_event() -> None:
    front = Front()
    front.post("/v1/track", track(), headers={"user-agent": "a" * 9_000})
    assert front.raw()[0].user_agent == "a" * 512
