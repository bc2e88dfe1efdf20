"""Files become batches of events with ids that repeat when the file is sent again."""

import json
from pathlib import Path

import pytest

from stamgast.workspace.import_mapping import ImportMapping
from stamgast_cli.errors import InputError
from stamgast_cli.events import MOST_BYTES, MOST_EVENTS, Reading, batches_of, events_of

AS_THEY_ARE = ImportMapping(match="*")
MAPPED = ImportMapping(
    match="*",
    columns={"userId": "customer", "properties.order_id": "order"},
    constants={"type": "track", "event": "Order Completed"},
)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_csv_row_becomes_an_event_by_the_mapping(tmp_path: Path) -> None:
    file = written(tmp_path, "orders.csv", "customer,order\nada,7\n")

    (event,) = events_of(file, MAPPED, Reading())

    assert event.pop("messageId")
    assert event == {
        "type": "track",
        "event": "Order Completed",
        "userId": "ada",
        "properties": {"order_id": "7"},
    }


def test_the_same_file_gives_the_same_ids_and_equal_rows_get_different_ones(
    tmp_path: Path,
) -> None:
    file = written(tmp_path, "a.ndjson", '{"type":"page"}\n{"type":"page"}\n')

    first = [event["messageId"] for event in events_of(file, AS_THEY_ARE, Reading())]
    again = [event["messageId"] for event in events_of(file, AS_THEY_ARE, Reading())]

    assert first == again
    assert len(set(first)) == 2


def test_a_row_that_is_no_event_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    file = written(tmp_path, "a.ndjson", '{"type":"page"}\nnot json\n{"type":"page"}\n')
    reading = Reading()

    events = list(events_of(file, AS_THEY_ARE, reading))

    assert len(events) == 2
    assert [fault.split(":")[0] for fault in reading.faults] == ["row 2"]


def test_a_file_of_another_form_is_refused_with_the_forms_that_work(tmp_path: Path) -> None:
    file = written(tmp_path, "a.xlsx", "x")

    with pytest.raises(InputError) as refused:
        list(events_of(file, AS_THEY_ARE, Reading()))

    assert ".ndjson" in refused.value.hint


def test_batches_stay_within_events_and_bytes_and_lose_nothing() -> None:
    small = [{"messageId": str(number)} for number in range(MOST_EVENTS + 1)]
    large = [{"messageId": f"l{number}", "x": "x" * (MOST_BYTES // 3)} for number in range(7)]

    batches = list(batches_of(iter(small + large)))

    assert sum(count for count, _ in batches) == len(small) + len(large)
    ids = [event["messageId"] for _, body in batches for event in json.loads(body)["batch"]]
    assert ids == [event["messageId"] for event in small + large]
    assert all(len(body) <= MOST_BYTES + MOST_EVENTS + 20 for _, body in batches)
