"""The tracking plan: what it flags, what it sets aside, and that nothing is lost by it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast.identity.interpret import interpret
from stamgast.identity.settings import DEFAULT
from stamgast.ingestion.accept import accept
from stamgast.ingestion.envelope import decode, encode
from stamgast.ingestion.reasons import PLAN_FAULTS
from stamgast.ingestion.replay import replayed
from stamgast.ingestion.tracking_plan import TrackingPlan, planned, tracking_plan_of
from stamgast.ingestion.verdicts import Envelope
from stamgast.profile.batch import Message, read_batch
from stamgast.raw.unfold import unfold
from stamgast.workspace.compiler import WorkspaceError, compile_files
from stamgast_cli.plan_events import event_of, judged_by
from tests.fakes.ingestion import Front, told
from tests.fakes.live_batches import NOON_MS, receipt
from tests.fakes.live_loops import KEYS, Loop

PLAN = """tracking_plan:
  unplanned: {unplanned}
  events:
    Order Completed:
      on_fault: {on_fault}
      undeclared: {undeclared}
      properties:
        order_id: {{type: text, required: true}}
        revenue: {{type: number, required: true}}
        channel: {{values: [web, store]}}
        placed_on: {{type: date}}
        lines: {{type: list}}
    Secret Seen:
      action: quarantine
    Odd:
      action: flag
"""
STRICT = {"x-strict-mode": "1"}
RIGHT = {"order_id": "o1", "revenue": 12.5, "channel": "web", "placed_on": "2026-11-22"}


def plan(
    unplanned: str = "quarantine", on_fault: str = "quarantine", undeclared: str = "quarantine"
) -> TrackingPlan:
    text = PLAN.format(unplanned=unplanned, on_fault=on_fault, undeclared=undeclared)
    files = {"sources.yaml": "sources:\n  web:\n    name: Web\n", "tracking_plan.yaml": text}
    return tracking_plan_of(compile_files(files)["tracking_plan"])


def order(**properties: Any) -> dict[str, Any]:
    said = {name: value for name, value in {**RIGHT, **properties}.items() if value != "absent"}
    return {"type": "track", "event": "Order Completed", "userId": "u1", "properties": said}


def judged(event: Mapping[str, Any], by: TrackingPlan) -> Envelope:
    return planned(accept([dict(event)], receipt("r1")), by)


@pytest.mark.parametrize(
    ("event", "code", "path"),
    [
        (order(order_id="absent"), "plan_property_missing", "properties.order_id"),
        (order(order_id=None), "plan_property_missing", "properties.order_id"),
        (order(revenue="12.50"), "plan_property_type", "properties.revenue"),
        (order(revenue=True), "plan_property_type", "properties.revenue"),
        (order(lines="a,b"), "plan_property_type", "properties.lines"),
        (order(placed_on="yesterday"), "plan_property_type", "properties.placed_on"),
        (order(channel="fax"), "plan_property_value", "properties.channel"),
        (order(discount=1), "plan_property_undeclared", "properties.discount"),
        ({"type": "track", "event": "New", "userId": "u"}, "plan_event_unplanned", "event"),
        ({"type": "track", "event": "Secret Seen", "userId": "u"}, "plan_event_refused", "event"),
    ],
)
def test_what_breaks_the_plan_is_set_aside_with_its_reason_and_its_own_text(
    event: dict[str, Any], code: str, path: str
) -> None:
    envelope = judged(event, plan())
    assert not envelope.accepted
    (refused,) = envelope.rejected
    assert (refused.fault.code, refused.fault.path) == (code, path)
    assert refused.fault.message == PLAN_FAULTS[code]
    assert orjson.loads(refused.original)["event"] == event["event"]


@pytest.mark.parametrize(
    "event",
    [
        order(),
        order(placed_on="2026-11-22T09:00:00Z", channel=None, lines=[]),
        {"type": "page", "name": "New", "userId": "u", "properties": {"anything": 1}},
        {"type": "identify", "userId": "u", "traits": {"city": "Goes"}},
    ],
)
def test_what_keeps_to_the_plan_and_every_call_but_track_is_taken_as_it_is(
    event: dict[str, Any],
) -> None:
    envelope = judged(event, plan())
    assert [one.notes for one in envelope.accepted] == [("message_id_made",)]


def test_a_flagged_event_is_taken_and_carries_every_fault_as_a_note() -> None:
    by = plan(unplanned="flag", on_fault="flag", undeclared="flag")
    (taken,) = judged(order(order_id=None, revenue="much", more=1), by).accepted
    assert taken.notes[1:] == (
        "plan_property_missing:properties.order_id",
        "plan_property_type:properties.revenue",
        "plan_property_undeclared:properties.more",
    )
    (odd,) = judged({"type": "track", "event": "Odd", "userId": "u"}, by).accepted
    assert odd.notes[1:] == ("plan_event_refused:event",)


def test_a_plan_that_allows_everything_looks_at_nothing() -> None:
    assert tracking_plan_of({}).is_idle
    assert not plan("allow", "allow", "allow").is_idle  # an action of an event still asks
    envelope = accept([order()], receipt("r1"))
    assert planned(envelope, tracking_plan_of({})) is envelope


EVENTS = st.lists(
    st.one_of(
        st.builds(
            order,
            order_id=st.sampled_from(("o", None, 3)),
            revenue=st.sampled_from((1, "1", None)),
            more=st.sampled_from(("absent", 1)),
        ),
        st.just({"type": "track", "event": "New", "userId": "u"}),
        st.just({"type": "track", "event": "Odd", "userId": "u"}),
        st.just({"type": "page", "userId": "u"}),
        st.just({"type": "nonsense"}),
    ),
    max_size=6,
)
ACTIONS = st.sampled_from(("allow", "flag", "quarantine"))


def lost(envelope: Envelope, before: Envelope) -> bool:
    """Whether any receipt is not in exactly one state."""
    return sorted(places(envelope)) != sorted(places(before))


def places(envelope: Envelope) -> list[int]:
    """The place of each receipt in its request."""
    taken = [one.position for one in envelope.accepted]
    return taken + [one.position for one in envelope.rejected]


@given(EVENTS, ACTIONS, ACTIONS, ACTIONS)
def test_every_receipt_stays_in_exactly_one_state(
    events: list[dict[str, Any]], unplanned: str, on_fault: str, undeclared: str
) -> None:
    before = accept([dict(event) for event in events], receipt("r1"))
    after = planned(before, plan(unplanned, on_fault, undeclared))
    assert not lost(after, before)
    raw, rejected = unfold(after)
    taken = {record.receipt_id for record in raw}
    assert len(taken | {record.receipt_id for record in rejected}) == len(events)


def test_a_variant_that_drops_what_it_sets_aside_breaks_the_law() -> None:
    before = accept([order(revenue="much")], receipt("r1"))
    after = planned(before, plan())
    assert lost(Envelope(after.receipt, after.accepted), before)


@given(EVENTS)
def test_a_replay_under_a_plan_that_lets_them_through_is_the_event_as_it_came(
    events: list[dict[str, Any]],
) -> None:
    before = accept([dict(event) for event in events], receipt("r1"))
    _, rejected = unfold(planned(before, plan()))
    lenient = plan("allow", "allow", "allow")
    again = {}
    for record in rejected:
        envelope = replayed(record, lenient, "v2")
        if envelope is None:
            assert record.code not in PLAN_FAULTS
            continue
        (raw,), _ = unfold(decode(encode(envelope)))
        assert raw.receipt_id == f"replay-v2-{record.receipt_id}"
        again[raw.index] = raw
    for raw in unfold(before)[0]:
        if raw.index in again:
            mine = interpret(again[raw.index], DEFAULT, KEYS)
            theirs = interpret(raw, DEFAULT, KEYS)
            assert mine.message_key == theirs.message_key
            assert (mine.event_ms, mine.assurance) == (theirs.event_ms, theirs.assurance)
            assert mine.properties == theirs.properties


def test_a_replay_takes_nothing_that_the_plan_still_refuses() -> None:
    _, (record,) = unfold(judged(order(revenue="much"), plan()))
    assert replayed(record, plan(), "v2") is None
    assert replayed(record, plan(on_fault="flag"), "v2") is not None


def test_the_live_loop_archives_what_the_plan_refuses_among_the_rejected_alone() -> None:
    body = encode(accept([order(), order(revenue="much"), order(channel=None)], receipt("r1")))
    batch = read_batch([Message("m0", body, NOON_MS)], plan(on_fault="quarantine"))
    assert [record.index for _, record in batch.raw] == [0, 2]
    assert [record.code for _, record in batch.rejected] == ["plan_property_type"]
    assert (batch.quarantined, batch.flagged) == (1, 0)


def test_what_was_set_aside_has_no_effect_on_the_profile() -> None:
    loop = Loop()
    right = {**order(), "timestamp": "2026-11-20T11:00:00Z"}
    body = encode(accept([order(revenue="much"), right], receipt("r1")))
    outcome = replace(loop.loop(), plan=plan()).process([Message("m0", body, NOON_MS)])
    assert (outcome.archived, outcome.rejected, outcome.quarantined) == (1, 1, 1)
    assert loop.facts("u1").counters == {"Order Completed": 1}


@dataclass
class Plans:
    """A place to read the plan from, which may be out of reach."""

    plan: TrackingPlan = field(default_factory=plan)
    is_down: bool = False

    def __call__(self) -> TrackingPlan:
        if self.is_down:
            raise ConnectionError("down")
        return self.plan


def test_strict_mode_takes_nothing_and_answers_a_verdict_for_each_event() -> None:
    front = Front(plan=Plans())
    outcome = front.post("/v1/batch", {"batch": [order(), order(revenue="much")]}, headers=STRICT)
    assert outcome.answer.status == 400
    verdicts = told(outcome)["verdicts"]
    assert [(one["index"], one["accepted"]) for one in verdicts] == [(0, True), (1, False)]
    fault = (verdicts[1]["code"], verdicts[1]["path"])
    assert fault == ("plan_property_type", "properties.revenue")
    assert front.queue.messages == []


def test_without_strict_mode_the_request_is_taken_and_the_plan_is_not_even_read() -> None:
    front = Front(plan=Plans(is_down=True))
    batch = {"batch": [order(revenue="much")]}
    assert front.post("/v1/batch", batch).answer.status == 200
    refused = front.post("/v1/batch", batch, headers=STRICT)
    assert (refused.answer.status, refused.code) == (503, "plan_unavailable")


MISTAKES = """tracking_plan:
  unplaned: flag
  events:
    Order Completed:
      action: drop
      properties:
        revenue: {type: money}
        channel: {type: number, values: [web]}
        store: {type: text, values: []}
"""


def test_a_plan_with_mistakes_tells_each_with_file_and_line() -> None:
    files = {"sources.yaml": "sources:\n  web:\n    name: Web\n", "tracking_plan.yaml": MISTAKES}
    with pytest.raises(WorkspaceError) as raised:
        compile_files(files)
    places = [(fault.file, fault.line) for fault in raised.value.faults]
    assert sorted(places) == [("tracking_plan.yaml", line) for line in (2, 5, 7, 8, 9)]


def test_two_plans_are_compared_by_event_where_they_differ() -> None:
    name = "Order Completed"
    rows: list[dict[str, Any]] = [
        {"event": name, "properties": b'{"order_id":"o","revenue":1}', "has_lines": True},
        {"event": name, "properties": b'{"order_id":"o"}', "has_lines": False},
        {"event": "Odd", "properties": None, "has_lines": False},
    ]
    before, after = plan("flag", "flag", "allow"), plan("flag", "quarantine", "allow")
    (row,) = judged_by(map(event_of, rows), before, after)
    assert row == {
        "event": "Order Completed",
        "events": 2,
        "flagged": 1,
        "would_be_flagged": 0,
        "quarantined": 0,
        "would_be_quarantined": 1,
        "faults": {"plan_property_missing:properties.revenue": 1},
    }
