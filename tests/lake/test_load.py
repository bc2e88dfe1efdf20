"""The load stage: duplicates, conflicts, states, and repeats after a crash."""

import pytest

from stamgast_lake.loading import load
from stamgast_lake.tables import EVENTS, EVIDENCE, MESSAGE_INDEX, RAW_FILES, RECEIPTS
from tests.fakes.lake_bench import NOON_MS, LoadBench, request, track
from tests.fakes.lake_catalogue import CrashError

TABLES = (EVENTS, EVIDENCE, MESSAGE_INDEX, RECEIPTS, RAW_FILES)


def test_an_order_becomes_typed_columns(bench: LoadBench) -> None:
    order = track(
        "m1",
        event="Order Completed",
        properties={
            "order_id": "o1",
            "revenue": 12.34,
            "currency": "EUR",
            "products": [{"product_id": "p1", "price": "1.10", "quantity": 2}],
            "note": "x",
        },
    )
    bench.load("one", request([order]))
    row = bench.catalogue.rows(EVENTS)[0]
    assert (row["order_id"], row["revenue_minor"], row["currency"]) == ("o1", 1234, "EUR")
    assert row["products"] == [
        {
            "product_id": "p1",
            "category": None,
            "price_minor": 110,
            "quantity": 2,
            "discount_minor": 0,
        }
    ]
    assert "products" not in row["properties"]
    assert '"note":"x"' in row["properties"]


@pytest.mark.failure_line(2)
def test_exactly_the_duplicates_of_a_batch_go(bench: LoadBench) -> None:
    """Line 2: the same messageId twice in one batch, and another already seen."""
    bench.load("one", request([track("m0")], request_id="r0"))
    figures = bench.load("two", request([track("m1"), track("m1"), track("m0"), track("m2")]))
    assert (figures["stored"], figures["duplicate"], figures["conflict"]) == (2, 2, 0)
    assert len(bench.catalogue.rows(EVENTS)) == 3


@pytest.mark.failure_line(3)
def test_another_payload_under_the_same_id_is_a_conflict_and_the_first_stays(
    bench: LoadBench,
) -> None:
    """Line 3: the same messageId with a different payload."""
    bench.load("one", request([track("m1", event="First")], request_id="r1"))
    later = request([track("m1", event="Second")], request_id="r2", received_ms=NOON_MS + 5)
    assert bench.load("two", later)["conflict"] == 1
    assert [row["event"] for row in bench.catalogue.rows(EVENTS)] == ["First"]


@pytest.mark.failure_line(4)
def test_a_duplicate_eight_days_later_stays_one_row(bench: LoadBench) -> None:
    """Line 4: a duplicate eight days later."""
    bench.load("one", request([track("m1")]))
    late = request([track("m1")], request_id="r9", received_ms=NOON_MS + 8 * 86_400_000)
    assert bench.load("two", late)["duplicate"] == 1
    assert len(bench.catalogue.rows(EVENTS)) == 1


@pytest.mark.failure_line(5)
def test_one_bad_event_of_a_hundred_gets_its_own_receipt(bench: LoadBench) -> None:
    """Line 5: one invalid event among 100: 99 stored, 1 quarantined."""
    events = [track(f"m{i}") for i in range(99)] + [{"type": "track", "messageId": "bad"}]
    figures = bench.load("one", request(events))
    assert (figures["stored"], figures["rejected"], figures["receipts"]) == (99, 1, 100)
    refused = [row for row in bench.catalogue.rows(RECEIPTS) if row["state"] == "rejected"]
    assert [row["reason"] for row in refused] == ["id_missing"]


@pytest.mark.failure_line(10)
def test_a_clock_three_years_ahead_keeps_its_own_time_beside_the_corrected_one(
    bench: LoadBench,
) -> None:
    """Line 10: a device clock three years ahead; a timestamp in 1970; the original kept."""
    ahead = NOON_MS + 3 * 365 * 86_400_000
    bench.load("one", request([track("m1", timestamp=ahead), track("m2", timestamp=0)]))
    rows = {row["message_id"]: row for row in bench.catalogue.rows(EVENTS)}
    assert rows["m1"]["original_at"].timestamp() * 1000 == ahead
    assert rows["m1"]["event_at"].timestamp() * 1000 == NOON_MS
    assert rows["m2"]["original_at"].timestamp() == 0


@pytest.mark.failure_line(17)
def test_odd_properties_are_stored_and_can_be_read(bench: LoadBench) -> None:
    """Line 17: a trait that changes type; 10,000 properties; keys with dots, dollars, emoji."""
    many = {f"k{i}": i for i in range(10_000)}
    odd = {"a.b": 1, "$c": 2, "\U0001f600": 3, "": 4, **many}
    events = [
        track("m1", properties=odd),
        {"type": "identify", "userId": "u1", "traits": {"age": 3}, "messageId": "m2"},
        {"type": "identify", "userId": "u1", "traits": {"age": "three"}, "messageId": "m3"},
    ]
    assert bench.load("one", request(events))["stored"] == 3


@pytest.mark.failure_line(1)
def test_a_redelivered_batch_is_the_same_receipts_not_more(bench: LoadBench) -> None:
    """Line 1: the same batch is archived twice; every receipt counts once."""
    lines = request([track("m1"), {"type": "bad"}])
    bench.load("one", lines)
    again = bench.load("two", lines + lines)
    assert again["receipts"] == 0
    assert len(bench.catalogue.rows(RECEIPTS)) == 2


def test_an_earlier_copy_that_comes_later_takes_the_place_of_the_stored_one(
    bench: LoadBench,
) -> None:
    late = request([track("m1", event="Late")], request_id="r2", received_ms=NOON_MS + 60_000)
    other = request([track("m2", userId="u2", anonymousId="a2")], request_id="r3")
    bench.load("one", late + other)
    figures = bench.load("two", request([track("m1", event="Early")], request_id="r1"))
    assert (figures["stored"], figures["displaced"]) == (1, 1)
    assert sorted(row["event"] for row in bench.catalogue.rows(EVENTS)) == ["Early", "Seen"]
    assert len(bench.catalogue.rows(MESSAGE_INDEX)) == 2
    assert len(bench.catalogue.rows(EVIDENCE)) == 2


def test_the_audit_finds_a_copy_under_another_date_and_keeps_the_first(
    bench: LoadBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "CHECKED_WHOLE_ROWS", 0)
    moved = track("m1", event="Moved", timestamp=NOON_MS - 3 * 86_400_000, userId="u2")
    bench.load("one", request([moved], request_id="r2", received_ms=NOON_MS + 5))
    bench.load("two", request([track("m1", event="First"), track("m2")], request_id="r1"))
    assert len(bench.catalogue.rows(EVENTS)) == 3
    assert bench.audit("three") == 1
    assert sorted(row["event"] for row in bench.catalogue.rows(EVENTS)) == ["First", "Seen"]
    assert len(bench.catalogue.rows(EVIDENCE)) == len(bench.catalogue.rows(MESSAGE_INDEX)) == 2
    states = bench.rows("select receipt_id, state from receipt_states order by 1")
    assert [row["state"] for row in states] == ["stored", "stored", "conflict"]


def test_lines_that_nobody_can_read_are_counted_and_stop_nothing(bench: LoadBench) -> None:
    lines = [*request([track("m1")]), ("raw", b"{broken"), ("raw", b'{"receipt_id": 1}')]
    figures = bench.load("one", lines)
    assert (figures["stored"], figures["unreadable"]) == (1, 2)


@pytest.mark.failure_line(14)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_crash_around_any_commit_leaves_one_outcome(
    table: object, is_after: bool, new_bench: object
) -> None:
    """Line 14: a time-out in the middle, after side effects: a repeat ends in the same state."""
    first = request(
        [track("m1", event="Late"), track("m2")], request_id="r2", received_ms=NOON_MS + 9
    )
    second = request([track("m1", event="Early"), track("m3"), {"type": "x"}], request_id="r1")
    whole, crashing = new_bench(), new_bench()
    for one in (whole, crashing):
        one.load("one", first)
    figures = whole.load("two", second)

    def crash(at: object, _commit: object) -> None:
        if at is table:
            raise CrashError

    setattr(crashing.catalogue, "after" if is_after else "before", crash)
    with pytest.raises(CrashError):
        crashing.load("two", second)
    crashing.catalogue.before = crashing.catalogue.after = lambda table, commit: None
    assert crashing.load("two", second) == figures
    for of in TABLES:
        assert _content(crashing, of) == _content(whole, of), of.name


def _content(bench: LoadBench, table: object) -> list[str]:
    return sorted(str(sorted(row.items())) for row in bench.catalogue.rows(table))  # type: ignore[arg-type]
