"""Nothing is acknowledged that is not stored, and nothing stored counts twice."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.identity.assurance import Assurance
from stamgast.ingestion import collect
from stamgast.ingestion.accept import accept
from stamgast.ingestion.envelope import EnvelopeError, decode, encode, messages_of
from stamgast.ingestion.key_cache import FRESH_MS, STALE_MS
from stamgast.ingestion.rate import BURST_SECONDS, share_of
from stamgast.ingestion.verdicts import Envelope, Receipt
from stamgast.ingestion.write_key import Source
from stamgast.moments import iso_of
from tests.fakes.ingestion import NOW_MS, PUBLIC_KEY, SECRET_KEY, Front, track

RECEIPT = Receipt("r1", NOW_MS, "server", Assurance.VERIFIED, sent_ms=NOW_MS)
VALUES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4) | st.just("u" * 1025)
EVENTS = st.lists(
    VALUES
    | st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["track", "identify", "alias", "group", "x"]) | VALUES,
            "event": VALUES,
            "userId": VALUES,
            "anonymousId": VALUES,
            "previousId": VALUES,
            "messageId": VALUES,
            "timestamp": VALUES | st.just(iso_of(NOW_MS - 1)),
            "properties": VALUES | st.dictionaries(st.text(max_size=3), VALUES, max_size=3),
            "context": VALUES | st.just({"\x7f": "\uffff"}),
        },
    ),
    max_size=12,
)
Accept = Callable[..., Envelope]


def count_receipts(front: Front) -> Counter[str]:
    raw, rejected = front.queue.records()
    return Counter(record.receipt_id for record in [*raw, *rejected])


def every_acknowledged_event_is_kept_once(events: Sequence[object], size: int) -> None:
    """The law: each event of an acknowledged request ends accepted or rejected exactly once."""
    front = Front()
    outcome = front.post("/v1/batch", {"batch": events})
    assert outcome.answer.status == 200
    assert outcome.accepted + sum(outcome.rejected.values()) == len(events)
    expected = {f"request-1:{n}": 1 for n in range(len(events))}
    assert count_receipts(front) == expected
    envelopes = [decode(message) for message in front.queue.messages]
    for envelope in envelopes:
        for part in messages_of(envelope, max(size, _smallest(envelope))):
            assert decode(part).receipt == envelope.receipt


def _smallest(envelope: Envelope) -> int:
    """The size of the largest message that holds one event alone."""
    bare = replace(envelope, accepted=(), rejected=())
    singles = [replace(bare, accepted=(one,)) for one in envelope.accepted]
    singles += [replace(bare, rejected=(one,)) for one in envelope.rejected]
    return max((len(encode(single).encode()) for single in singles), default=0)


@given(EVENTS, st.integers(300, 3_000))
def test_every_event_ends_accepted_or_rejected_exactly_once(
    events: list[object], size: int
) -> None:
    every_acknowledged_event_is_kept_once(events, size)


@given(EVENTS, st.integers(1, 4_000))
def test_a_split_request_is_the_whole_request(events: list[object], size: int) -> None:
    envelope = accept([*events, track()], RECEIPT)
    parts = [decode(one) for one in messages_of(envelope, max(size, _smallest(envelope)))]
    accepted = [one for part in parts for one in part.accepted]
    rejected = [one for part in parts for one in part.rejected]
    assert (tuple(accepted), tuple(rejected)) == (envelope.accepted, envelope.rejected)


def _drops_what_it_refuses(events: Sequence[object], receipt: Receipt, **more: Any) -> Envelope:
    return replace(accept(events, receipt, **more), rejected=())


def _keeps_one_of_equal_ids(events: Sequence[object], receipt: Receipt, **more: Any) -> Envelope:
    envelope = accept(events, receipt, **more)
    return replace(envelope, accepted=tuple({a.message_id: a for a in envelope.accepted}.values()))


def _stops_at_the_first_fault(events: Sequence[object], receipt: Receipt, **more: Any) -> Envelope:
    envelope = accept(events, receipt, **more)
    end = min((one.position for one in envelope.rejected), default=len(events))
    return accept(events[:end], receipt, **more)


@pytest.mark.parametrize(
    "broken", [_drops_what_it_refuses, _keeps_one_of_equal_ids, _stops_at_the_first_fault]
)
def test_the_law_of_conservation_can_fail(broken: Accept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "accept", broken)
    with pytest.raises(AssertionError):
        every_acknowledged_event_is_kept_once([track(), {}, track()], 1_000)


@given(EVENTS)
def test_an_envelope_survives_its_message(events: list[object]) -> None:
    envelope = accept(events, RECEIPT)
    assert decode(encode(envelope)) == envelope


@pytest.mark.parametrize("message", ["", "{", "{}", '{"v":2}', "eJw=", "%%", "[]", '{"v":1}'])
def test_a_message_that_nobody_wrote_is_told_as_such(message: str) -> None:
    with pytest.raises(EnvelopeError):
        decode(message)


def test_large_messages_are_compressed_and_small_ones_readable() -> None:
    small = accept([track()], RECEIPT)
    large = accept([track(properties={"x": "y" * 70_000})], RECEIPT)
    assert encode(small).startswith("{")
    assert len(encode(large)) < 2_000
    assert decode(encode(large)) == large


@pytest.mark.failure_line(1)
@pytest.mark.failure_line(2)
def test_a_resent_batch_brings_the_same_messages() -> None:
    """Lines 1 and 2: ids and payload hashes of all copies agree, so that later stages find them."""
    front = Front()
    front.queue.loses_replies = True
    batch = [track(), track(), track(messageId=None, timestamp=iso_of(NOW_MS - 9))]
    outcome = front.post("/v1/batch", {"batch": batch, "sentAt": iso_of(NOW_MS)})
    assert outcome.answer.status == 503
    front.queue.loses_replies = False
    front.now_ms += 700
    resent = front.post("/v1/batch", {"batch": batch, "sentAt": iso_of(NOW_MS + 700)})
    assert resent.answer.status == 200
    told = [(record.message_id, record.payload_hash) for record in front.raw()]
    assert told[:3] == told[3:]
    assert len(set(told)) == 2
    assert len(count_receipts(front)) == 6


def test_the_payload_hash_tells_another_payload_under_the_same_id() -> None:
    front = Front()
    front.post("/v1/track", track(properties={"b": 1, "a": 2}))
    front.post("/v1/track", track(properties={"a": 2, "b": 1}, sentAt=iso_of(NOW_MS)))
    front.post("/v1/track", track(properties={"a": 2, "b": 3}))
    first, reordered, other = (record.payload_hash for record in front.raw())
    assert first == reordered != other


@pytest.mark.failure_line(7)
@pytest.mark.parametrize("kept", [0, 1])
def test_a_split_request_is_acknowledged_only_when_every_part_is_durable(kept: int) -> None:
    """Line 7: part of a request fails: 503, and after the resend nothing is missing."""
    front = Front()
    batch = [track(messageId=str(n), properties={"x": _noise(n)}) for n in range(12)]
    front.queue.fails_after = kept
    assert front.post("/v1/batch", {"batch": batch}).answer.status == 503
    assert len(front.queue.messages) == kept
    front.queue.fails_after = None
    assert front.post("/v1/batch", {"batch": batch}).answer.status == 200
    assert {record.message_id for record in front.raw()} == {str(n) for n in range(12)}
    assert all(len(message.encode()) <= 1024 * 1024 for message in front.queue.messages)


def _noise(seed: int) -> str:
    """200 KB that hardly compress."""
    from random import Random

    return Random(seed).randbytes(100_000).hex()


@pytest.mark.failure_line(8)
def test_nothing_is_acknowledged_while_the_queue_is_down() -> None:
    """Line 8: queue down: 503 with Retry-After in whole seconds, again and again; then all goes."""
    front = Front()
    front.queue.is_down = True
    for _ in range(20):
        outcome = front.post("/v1/batch", {"batch": [track()]})
        assert (outcome.answer.status, outcome.code) == (503, "not_durable")
        assert int(outcome.answer.headers["Retry-After"]) > 0
    front.queue.is_down = False
    assert front.post("/v1/batch", {"batch": [track()]}).answer.status == 200
    assert len(front.raw()) == 1


@pytest.mark.failure_line(9)
def test_a_process_that_is_frozen_after_its_reply_owes_nothing() -> None:
    """Line 9: when the reply is made the queue holds everything, whichever process goes on."""
    front = Front()
    for number in range(5):
        front.post("/v1/track", track(messageId=str(number)))
        assert len(front.raw()) == number + 1
        front = Front(queue=front.queue)
    assert [record.message_id for record in front.raw()] == list("01234")


@pytest.mark.failure_line(11)
def test_known_keys_outlive_the_key_store_and_unknown_ones_get_503() -> None:
    """Line 11: with the key store down, keys seen within a quarter of an hour go on."""
    front = Front()
    front.post("/v1/track", track())
    front.keys.is_down = True
    front.now_ms += STALE_MS - 1
    assert front.post("/v1/track", track()).answer.status == 200
    unknown = front.post("/v1/track", track(), key="never seen")
    assert (unknown.answer.status, unknown.code) == (503, "keys_unavailable")
    assert int(unknown.answer.headers["Retry-After"]) > 0
    front.now_ms += 1
    assert front.post("/v1/track", track()).answer.status == 503
    front.keys.is_down = False
    assert front.post("/v1/track", track()).answer.status == 200


@pytest.mark.failure_line(11)
def test_a_revoked_key_is_refused_within_sixty_seconds() -> None:
    """Line 11: an answer is used for 30 seconds, so a revoked key goes no longer than that."""
    front = Front()
    front.post("/v1/track", track())
    front.keys.revoke(SECRET_KEY)
    front.now_ms += FRESH_MS
    assert FRESH_MS <= 60_000
    assert front.post("/v1/track", track()).answer.status == 401


def test_a_hot_key_costs_the_store_one_question_in_thirty_seconds() -> None:
    front = Front()
    for _ in range(100):
        front.now_ms += 250
        front.post("/v1/track", track())
    assert front.keys.asked == 1


def test_an_unknown_key_works_soon_after_it_is_made() -> None:
    front = Front()
    assert front.post("/v1/track", track(), key="new").answer.status == 401
    front.keys.add("new", Source("app", Assurance.CLAIMED))
    assert front.post("/v1/track", track(), key="new").answer.status == 401
    front.now_ms += 5_000
    assert front.post("/v1/track", track(), key="new").answer.status == 200


@pytest.mark.failure_line(12)
def test_limits_go_by_source_and_never_by_address() -> None:
    """Line 12: behind one proxy's address, only the source over its limit is refused."""
    front = Front()
    front.keys.add(PUBLIC_KEY, Source("web", Assurance.CLAIMED, events_per_second=10))
    proxy = {"x-forwarded-for": "192.0.2.7"}
    statuses = Counter(
        (key, front.post("/v1/track", track(), key=key, headers=proxy).answer.status)
        for _ in range(200)
        for key in (PUBLIC_KEY, SECRET_KEY)
    )
    assert statuses == {
        (SECRET_KEY, 200): 200,
        (PUBLIC_KEY, 200): 10 * BURST_SECONDS,
        (PUBLIC_KEY, 429): 200 - 10 * BURST_SECONDS,
    }


@pytest.mark.failure_line(29)
def test_a_source_at_a_hundred_times_its_share_is_held_to_it_over_many_processes() -> None:
    """Line 29: eight processes, 100 times the limit for 30 s: about the limit goes through,
    and the neighbour loses nothing."""
    fronts = [Front()]
    fronts += [Front(queue=fronts[0].queue, ledger=fronts[0].ledger) for _ in range(7)]
    for front in fronts:
        front.keys.add(PUBLIC_KEY, Source("web", Assurance.CLAIMED, events_per_second=20))
    taken: Counter[str] = Counter()
    flood = orjson.dumps({"batch": [track()] * 50})
    for step in range(30 * 5):
        for front in fronts:
            front.now_ms = NOW_MS + step * 200
            taken["loud"] += front.post("/v1/batch", flood, key=PUBLIC_KEY).accepted
            taken["neighbour"] += front.post("/v1/track", track()).accepted
    assert taken["neighbour"] == 30 * 5 * 8
    bursts = 8 * (20 * BURST_SECONDS + 50)
    assert 0.5 * 30 * 20 < taken["loud"] < 1.5 * 30 * 20 + bursts


def test_retry_after_is_a_whole_number_of_seconds_after_which_a_request_passes() -> None:
    front = Front()
    front.keys.add(PUBLIC_KEY, Source("web", Assurance.CLAIMED, events_per_second=2))
    front.post("/v1/batch", {"batch": [track()] * 50}, key=PUBLIC_KEY)
    refused = front.post("/v1/track", track(), key=PUBLIC_KEY)
    assert refused.answer.status == 429
    front.now_ms += 1_000 * int(refused.answer.headers["Retry-After"])
    assert front.post("/v1/track", track(), key=PUBLIC_KEY).answer.status == 200


def test_without_the_ledger_each_process_goes_by_its_own_count() -> None:
    front = Front()
    front.ledger.is_down = True
    front.keys.add(PUBLIC_KEY, Source("web", Assurance.CLAIMED, events_per_second=5))
    for _ in range(30):
        front.now_ms += 1_000
        assert front.post("/v1/batch", {"batch": [track()] * 5}, key=PUBLIC_KEY).code == "ok"


@given(st.integers(1, 1000), st.lists(st.integers(1, 5_000), min_size=1, max_size=20))
def test_shares_of_a_limit_are_positive_and_at_most_the_limit(limit: int, owns: list[int]) -> None:
    shares = [share_of(limit, own, sum(owns)) for own in owns]
    assert all(0 < share <= limit for share in shares)
    if sum(owns) >= limit + max(owns):
        assert sum(shares) <= limit * 1.000001


def test_an_empty_batch_is_a_success_without_a_message() -> None:
    front = Front()
    assert front.post("/v1/batch", {"batch": []}).answer.body == b'{"success": true}'
    assert front.queue.messages == []


def test_nothing_a_client_sent_is_in_the_facts_for_the_log() -> None:
    front = Front()
    personal = "someone@example.org"
    outcome = front.post("/v1/batch", {"batch": [track(userId=personal), {"userId": personal}]})
    facts = replace(outcome, answer=replace(outcome.answer, body=b"", headers={}))
    assert personal not in repr(facts)
    assert orjson.loads(front.raw()[0].body)["userId"] == personal
