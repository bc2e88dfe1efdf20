"""The live loop under the failures that a queue, a client and a store are known for."""

import pytest

from stamgast.moments import iso_of
from stamgast.profile import live
from stamgast.profile.timeline import DAY_SECONDS
from tests.fakes.dynamodb import Fault, size
from tests.fakes.live_batches import NOON_MS, accepted, message, order, receipt
from tests.fakes.live_loops import Loop, anchor_of, names, writes_live_of

MINUTE_MS = 60_000
DAY_MS = DAY_SECONDS * 1000


def one(name: str, user_id: str = "u1", minute: int = 0, revenue: float = 1.0) -> str:
    """A message with one order."""
    at_ms = NOON_MS + minute * MINUTE_MS
    body = order(name, user_id, revenue)
    return message(receipt(f"r-{name}", at_ms), accepted(0, name, body, at_ms))


def identify(name: str, minute: int, **traits: object) -> str:
    """A message that writes traits."""
    body = {"type": "identify", "userId": "u1", "traits": traits}
    at_ms = NOON_MS + minute * MINUTE_MS
    return message(receipt(f"r-{name}", at_ms), accepted(0, name, body, at_ms))


@pytest.mark.failure_line(2)
def test_a_message_id_twice_in_a_batch_and_one_already_seen_count_once() -> None:
    """Line 2: exactly the duplicates go."""
    loop = Loop()
    loop.deliver(one("a"))
    twice = message(
        receipt("r2"),
        accepted(0, "b", order("b", "u1", 2)),
        accepted(1, "b", order("b", "u1", 2)),
        accepted(2, "a", order("a", "u1", 1)),
    )
    loop.deliver(twice)
    assert loop.facts("u1").counters == {"Order Completed": 2}
    assert loop.facts("u1").orders["EUR"].revenue_minor == 300


@pytest.mark.failure_line(3)
def test_a_message_id_with_another_payload_leaves_the_first_in_the_view() -> None:
    """Line 3 (live part): the first is kept; both are archived for the run to judge."""
    loop = Loop()
    loop.deliver(identify("a", 0, color="red"))
    loop.deliver(identify("a", 0, color="blue", size=9))
    assert loop.facts("u1").values == {"color": "red"}
    assert len(loop.raw.lines) == 2


@pytest.mark.failure_line(4)
def test_a_duplicate_eight_days_later_has_no_second_effect() -> None:
    """Line 4 (live part): even after the ring has long moved on."""
    loop = Loop()
    for n in range(40):
        loop.deliver(one(f"e{n}", minute=n))
    before = loop.facts("u1")
    loop.now_ms += 8 * DAY_MS
    late = receipt("late", loop.now_ms)
    outcome = loop.deliver(message(late, accepted(0, "e0", order("e0", "u1", 1), NOON_MS)))
    assert loop.facts("u1") == before
    assert outcome.anchors_written == 0


@pytest.mark.failure_line(7)
def test_a_failed_archive_returns_its_messages_and_does_nothing_else() -> None:
    """Line 7: only the failed entries are sent again; nothing acknowledged is missing."""
    loop = Loop()
    loop.raw.refuses = {"m1"}
    outcome = loop.deliver(one("a", "u1"), one("b", "u2"))
    assert outcome.returned == {"m1"}
    assert loop.facts("u1").counters == {"Order Completed": 1}
    assert loop.facts("u2").counters == {}
    assert loop.client.partition("profiles", f"I#{anchor_of('u2')}") == []


@pytest.mark.failure_line(13)
def test_the_rerun_of_a_batch_whose_third_item_failed_has_no_second_effect() -> None:
    """Line 13: item 3 of 10 fails after 4–10 succeeded."""
    loop = Loop()
    batch = [one(f"e{n}", f"u{n}") for n in range(10)]
    loop.fail_when(writes_live_of("u2"), Fault.THROTTLED)
    assert loop.deliver(*batch).returned == {"m2"}
    loop.recover()
    assert loop.deliver(*batch).returned == set()
    for n in range(10):
        assert loop.facts(f"u{n}").counters == {"Order Completed": 1}
        assert names(loop.timeline(f"u{n}")) == ["Order Completed"]


@pytest.mark.failure_line(14)
@pytest.mark.parametrize("fault", [Fault.LOST_REPLY, Fault.LOST_REQUEST, Fault.SENT_TWICE])
def test_a_time_out_in_the_middle_of_a_batch_has_one_outcome(fault: Fault) -> None:
    """Line 14: deterministic names, conditional effects, one outcome."""
    loop = Loop()
    batch = [one("a", "u1"), one("b", "u2")]
    loop.fail_when(writes_live_of("u1"), fault)
    loop.deliver(*batch)
    loop.recover()
    loop.deliver(*batch)
    people = [loop.client.partition("profiles", f"I#{anchor_of(u)}") for u in ("u1", "u2")]
    assert [len(items) for items in people] == [3, 3]
    assert loop.facts("u1").counters == loop.facts("u2").counters == {"Order Completed": 1}


@pytest.mark.failure_line(15)
def test_dead_letters_redriven_twice_and_out_of_order_never_overwrite_newer() -> None:
    """Line 15: older event time never overwrites newer."""
    loop = Loop()
    letters = [identify(f"i{n}", n, color=f"c{n}") for n in range(5)]
    loop.deliver(letters[4])
    for _ in range(2):
        loop.deliver(*reversed(letters[:4]))
    assert loop.facts("u1").values == {"color": "c4"}
    assert loop.facts("u1").counters == {"$identify": 5}
    seen_ms = [entry.event_ms for entry in loop.timeline("u1")]
    assert seen_ms == sorted(seen_ms, reverse=True)
    assert len(seen_ms) == 5


@pytest.mark.failure_line(16)
def test_a_backlog_of_hours_is_folded_by_batch_and_nothing_of_it_expires() -> None:
    """Line 16: ten messages of one person cost one write, late ones still count."""
    loop = Loop()
    loop.now_ms += 10 * 60 * MINUTE_MS
    loop.deliver(one("live", minute=600))
    backlog = [one(f"e{n}", minute=n) for n in range(10)]
    assert loop.deliver(*backlog).anchors_written == 1
    assert loop.facts("u1").counters == {"Order Completed": 11}
    assert len(loop.timeline("u1")) == 11


@pytest.mark.failure_line(16)
def test_a_backlog_is_caught_up_at_twice_the_live_rate_and_live_events_pass_through_it() -> None:
    """Line 16: a full batch asks the store for less than half of what its events ask one by one."""
    live, late = Loop(), Loop()
    events = [one(f"e{n}", f"u{n % 3}", minute=n) for n in range(30)]
    for event in events:
        live.deliver(event)
    for start in range(0, 30, 10):
        late.deliver(one(f"now{start}", "visitor", minute=600), *events[start : start + 10])
        assert late.facts("visitor").counters == {"Order Completed": 1 + start // 10}
    assert 2 * sum(late.client.calls.values()) < sum(live.client.calls.values())
    assert [late.facts(f"u{n}") for n in range(3)] == [live.facts(f"u{n}") for n in range(3)]


@pytest.mark.failure_line(17)
def test_traits_of_any_name_and_type_are_kept_and_changed() -> None:
    """Line 17: a trait that changes type; 10,000 of them; dots, dollars, emoji, empty names."""
    loop = Loop()
    odd = {"a.b": 1, "$set": "x", "🦊": [1, {"b": None}], "": True, "n": 2**53, "f": 0.5}
    loop.deliver(identify("a", 0, **odd))
    assert loop.facts("u1").values == odd
    loop.deliver(identify("b", 1, **{"a.b": {"now": "a mapping"}, "$set": None}))
    assert loop.facts("u1").values["a.b"] == {"now": "a mapping"}
    assert "$set" not in loop.facts("u1").values
    wide = {f"p{n}": "x" * 20 for n in range(10_000)}
    assert loop.deliver(identify("c", 2, **wide)).returned == set()
    assert len(loop.facts("u1").traits) == 256


@pytest.mark.failure_line(29)
def test_a_flood_of_one_person_is_capped_and_leaves_its_neighbours_alone() -> None:
    """Line 29: with a full tail, the flood costs no write; the neighbour is written as ever."""
    loop = Loop()
    events = [accepted(n, f"e{n}", order(f"e{n}", "u1", 1), NOON_MS + n) for n in range(200)]
    loop.deliver(message(receipt("r"), *events[:100]))
    assert len(loop.facts("u1").recent_orders) == 20
    outcome = loop.deliver(message(receipt("r"), *events[100:]), one("n", "neighbour"))
    assert outcome.anchors_written == 1
    assert loop.facts("u1").counters == {"Order Completed": live.TAIL_SIZE}
    assert loop.facts("neighbour").counters == {"Order Completed": 1}


@pytest.mark.failure_line(30)
def test_a_profile_near_the_item_limit_overflows_and_fails_no_event() -> None:
    """Line 30: values beyond the bound leave their size behind; the archive has them whole."""
    loop = Loop()
    for n in range(5):
        wide = {f"{n}-{i}-{'n' * 240}": "é" * 505 for i in range(100)}
        assert loop.deliver(identify(f"i{n}", n, **wide)).returned == set()
    assert loop.deliver(identify("big", 9, note="x" * 200_000)).returned == set()
    item = loop.client.item("profiles", f"I#{anchor_of('u1')}", "L")
    assert item is not None
    assert size(item) < 400 * 1024
    facts = loop.facts("u1")
    assert facts.values["note"] == {"oversize_bytes": 200_002}
    assert len(facts.traits) == 256


@pytest.mark.failure_line(31)
def test_an_expired_timeline_item_that_is_still_there_is_not_read() -> None:
    """Line 31: deletion lags by days: filtered on read."""
    loop = Loop()
    loop.deliver(one("old", minute=0), one("new", minute=24 * 60))
    loop.now_ms = NOON_MS + loop.timeline_days * DAY_MS
    assert len(loop.client.partition("profiles", f"I#{anchor_of('u1')}")) == 4
    assert [iso_of(entry.event_ms) for entry in loop.timeline("u1")] == [
        iso_of(NOON_MS + 24 * 60 * MINUTE_MS)
    ]


@pytest.mark.failure_line(32)
def test_every_read_of_facts_is_strong() -> None:
    """Line 32: a stale read right after a write: strong reads, no secondary index."""
    loop = Loop()
    loop.client.is_stale = lambda: True
    loop.deliver(one("a"))
    assert loop.facts("u1").counters == {"Order Completed": 1}


def test_an_event_that_names_nobody_is_archived_only() -> None:
    loop = Loop()
    outcome = loop.deliver(one("a", "null"))
    assert (outcome.archived, outcome.without_anchor, outcome.folded) == (1, 1, 0)
    assert list(loop.client.items("profiles")) == []


def test_facts_are_folded_though_identity_cannot_be_settled() -> None:
    loop = Loop()
    loop.fail_when(lambda name, _: name == "TransactWriteItems", Fault.CONFLICT)
    outcome = loop.deliver(one("a"))
    loop.recover()
    assert outcome.returned == {"m0"}
    assert loop.facts("u1").counters == {"Order Completed": 1}
    loop.deliver(one("a"))
    assert loop.facts("u1").counters == {"Order Completed": 1}
    assert [change.cause for change in loop.told] == ["created"]


def test_an_event_without_a_time_of_its_own_writes_registers_only() -> None:
    loop = Loop()
    body = {"type": "identify", "userId": "u1", "traits": {"color": "red"}}
    loop.deliver(message(receipt("r"), accepted(0, "a", body, None)))
    facts = loop.facts("u1")
    assert facts.values == {"color": "red"}
    assert facts.counters == {}
    assert facts.first is not None
