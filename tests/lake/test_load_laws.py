"""Law 1 and the conservation law on the load stage, each beside a variant that breaks them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stamgast_lake.loading import duplicates
from stamgast_lake.tables import EVENTS, EVIDENCE, MESSAGE_INDEX
from tests.fakes.lake_bench import NOON_MS, LoadBench, request, track

STATES = "select receipt_id, state from receipt_states"
QUICK = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
FIRST_COME = duplicates.CANONICAL.replace(
    "order by received_at, receipt_id) as nth", "order by is_new, received_at, receipt_id) as nth"
)


@dataclass(frozen=True)
class Sent:
    """One event of one request: which message, which of two payloads, when it was received."""

    message: int
    payload: int
    received_at: int
    is_valid: bool


SENT = st.builds(
    Sent,
    st.integers(0, 3),
    st.integers(0, 1),
    st.integers(0, 4),
    st.sampled_from([True] * 5 + [False]),
)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[list[Any]], list[list[list[Any]]]]:
    """The requests of a history, and two ways in which their archive can be cut into runs."""
    requests = [
        request([_event(sent)], request_id=f"r{number}", received_ms=NOON_MS + sent.received_at)
        for number, sent in enumerate(draw(st.lists(SENT, min_size=1, max_size=7)))
    ]
    return requests, [draw(runs(requests)) for _ in range(2)]


@st.composite
def runs(draw: st.DrawFn, requests: list[list[Any]]) -> list[list[Any]]:
    """Every request at least once, some twice, in any order, in one to three runs."""
    again = draw(st.lists(st.sampled_from(requests), max_size=3))
    lines = draw(st.permutations([*requests, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(lines)), max_size=2)))
    parts = zip([0, *cuts], [*cuts, len(lines)], strict=True)
    return [[line for one in lines[a:b] for line in one] for a, b in parts]


def _event(sent: Sent) -> dict[str, Any]:
    event = track(f"m{sent.message}", event=f"Payload {sent.payload}", anonymousId="a1")
    return event if sent.is_valid else {**event, "type": "nonsense"}


def order_does_not_matter(new_bench: Callable[[], LoadBench], ways: list[list[Any]]) -> None:
    told = [_outcome(new_bench(), way) for way in ways]
    assert told[0] == told[1]


def _outcome(bench: LoadBench, way: list[Any]) -> tuple[object, ...]:
    for number, lines in enumerate(way):
        bench.load(f"run-{number}", lines)
    return (
        sorted((row["receipt_id"], row["state"]) for row in bench.rows(STATES)),
        *(_without_run(bench, table) for table in (EVENTS, EVIDENCE, MESSAGE_INDEX)),
    )


def _without_run(bench: LoadBench, table: Any) -> list[str]:
    rows = bench.catalogue.rows(table)
    return sorted(str(sorted((k, str(v)) for k, v in row.items() if k != "run_id")) for row in rows)


@given(deliveries())
@QUICK
def test_any_order_duplication_and_batching_gives_the_same_rows_and_states(
    new_bench: Callable[[], LoadBench], delivered: tuple[Any, list[Any]]
) -> None:
    order_does_not_matter(new_bench, delivered[1])


# Two payloads under one message id, of which the one that was received later may be loaded first.
COPIES = [
    request([_event(Sent(0, payload, 0, True))], request_id=f"r{payload}", received_ms=at_ms)
    for payload, at_ms in enumerate((NOON_MS, NOON_MS + 1))
]
EACH_IN_TURN = [[COPIES[0], COPIES[1]], [COPIES[1], COPIES[0]]]


@pytest.mark.deep
def test_keeping_whichever_copy_is_loaded_first_breaks_the_law(
    new_bench: Callable[[], LoadBench], monkeypatch: pytest.MonkeyPatch
) -> None:
    order_does_not_matter(new_bench, EACH_IN_TURN)
    monkeypatch.setattr(duplicates, "CANONICAL", FIRST_COME)
    with pytest.raises(AssertionError):
        order_does_not_matter(new_bench, EACH_IN_TURN)


def every_receipt_has_one_state(bench: LoadBench, requests: list[Any], way: list[Any]) -> None:
    for number, lines in enumerate(way):
        bench.load(f"run-{number}", lines)
    states = bench.rows(STATES)
    assert sorted(row["receipt_id"] for row in states) == sorted(
        f"r{number}:0" for number in range(len(requests))
    )
    assert {row["state"] for row in states} <= {"stored", "duplicate", "conflict", "rejected"}
    assert all(row["is_conserved"] for row in bench.rows("select * from reconciliation"))
    messages = bench.rows(
        "select message_key, count(*) as n from message_states group by message_key"
    )
    assert all(row["n"] == 1 for row in messages)


@given(deliveries())
@QUICK
def test_every_acknowledged_receipt_ends_in_exactly_one_state(
    new_bench: Callable[[], LoadBench], delivered: tuple[list[Any], list[Any]]
) -> None:
    every_receipt_has_one_state(new_bench(), delivered[0], delivered[1][0])


def test_counting_every_archived_line_as_a_receipt_breaks_conservation(
    new_bench: Callable[[], LoadBench], monkeypatch: pytest.MonkeyPatch
) -> None:
    way = [[*COPIES[0], *COPIES[0]], COPIES[1]]
    every_receipt_has_one_state(new_bench(), COPIES, way)
    assert "where nth = 1" in duplicates.ARRIVAL
    monkeypatch.setattr(duplicates, "ARRIVAL", duplicates.ARRIVAL.replace("where nth = 1", ""))
    with pytest.raises(AssertionError):
        every_receipt_has_one_state(new_bench(), COPIES, way)
