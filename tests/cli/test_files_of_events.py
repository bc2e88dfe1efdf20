"""Files become batches of events with ids that repeat when the file is sent again."""

import json
from pathlib import Path

import pytest

from stamgast.workspace.import_mapping import ImportMapping
from stamgast_cli.errors import InputError
from stamgast_cli.events import MOST_BYTES, MOST_EVENTS, batches_of, events_of
from stamgast_cli.verdicts import Verdicts

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

    (event,) = events_of(file, MAPPED, Verdicts())

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

    first = [event["messageId"] for event in events_of(file, AS_THEY_ARE, Verdicts())]
    again = [event["messageId"] for event in events_of(file, AS_THEY_ARE, Verdicts())]

    assert first == again
    assert len(set(first)) == 2


def test_a_row_that_is_no_event_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "a.ndjson",
        '{"type":"page","userId":"ada"}\nnot json\n{"type":"page","userId":"bea"}\n',
    )
    verdicts = Verdicts()

    events = list(events_of(file, AS_THEY_ARE, verdicts))

    assert len(events) == 2
    assert [fault.split(":")[0] for fault in verdicts.faults] == ["row 2"]


def test_a_file_of_another_form_is_refused_with_the_forms_that_work(tmp_path: Path) -> None:
    file = written(tmp_path, "a.xlsx", "x")

    with pytest.raises(InputError) as refused:
        list(events_of(file, AS_THEY_ARE, Verdicts()))

    assert ".ndjson" in refused.value.hint


def test_batches_stay_within_events_and_bytes_and_lose_nothing() -> None:
    small = [{"messageId": str(number)} for number in range(MOST_EVENTS + 1)]
    large = [{"messageId": f"l{number}", "x": "x" * (MOST_BYTES // 3)} for number in range(7)]

    batches = list(batches_of(iter(small + large)))

    assert sum(count for count, _ in batches) == len(small) + len(large)
    ids = [event["messageId"] for _, body in batches for event in json.loads(body)["batch"]]
    assert ids == [event["messageId"] for event in small + large]
    assert all(len(body) <= MOST_BYTES + MOST_EVENTS + 20 for _, body in batches)


def test_what_ingestion_refuses_is_named_by_row_and_field_before_it_is_looked_for(
    tmp_path: Path,
) -> None:
    file = written(
        tmp_path, "a.csv", "type,userId,event\ntrack,ada,Seen\ntrack,,Seen\ntrack,bea,\n"
    )
    verdicts = Verdicts()

    events = list(events_of(file, AS_THEY_ARE, verdicts))

    assert len(events) == 3
    assert (verdicts.rows, verdicts.refused) == (3, 2)
    assert verdicts.faults == [
        "row 2: userId: userId or anonymousId is required",
        "row 3: event: a track call names its event",
    ]


def test_moments_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "type,userId,timestamp\npage,ada,03/11/2026\n")
    verdicts = Verdicts()

    list(events_of(file, AS_THEY_ARE, verdicts))

    (warning,) = verdicts.warnings()
    assert warning.startswith("1 of 1 rows: no moment can be read from timestamp")


def test_orders_whose_amount_cannot_be_read_are_told(tmp_path: Path) -> None:
    rows = "track,ada,Order Completed,{}\n"
    text = "type,userId,event,properties.revenue\n" + "".join(
        map(rows.format, ("12.5", '"1.234,50"', ""))
    )
    verdicts = Verdicts()

    list(events_of(written(tmp_path, "a.csv", text), AS_THEY_ARE, verdicts))

    (warning,) = verdicts.warnings()
    assert warning.startswith("1 of 3 rows: no amount can be read from properties.revenue")


def test_a_format_given_by_hand_is_used_and_a_text_of_another_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "type;userId;timestamp\npage;ada;03/11/2026\npage;bea;soon\n")
    mapping = ImportMapping(match="*", formats={"timestamp": "%d/%m/%Y"})
    verdicts = Verdicts()

    first, second = events_of(file, mapping, verdicts)

    assert first["timestamp"] == "2026-11-03T00:00:00.000Z"
    assert second["timestamp"] == "soon"
    assert "timestamp is not of the mapping's format" in " ".join(verdicts.warnings())
