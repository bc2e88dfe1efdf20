"""Where a Parquet file tells of somebody beside its texts: notes, columns, bytes, numbers."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stamgast.erasure.needles import needles_of
from stamgast.erasure.subject import Subject
from stamgast_lake.erasure import parquet
from stamgast_lake.erasure.parquet import parquet_tells, tells, without_rows

MAIL, CARD = "ada.loveday@x.example", "7712094300018"
ADA = needles_of([Subject("r", 1, frozenset(), {"email:a": MAIL, "card:b": CARD})])
OTHERS = pa.table({"name": ["Bo", "Cy"]})


def noted_column() -> pa.Table:
    field = pa.field("name", pa.string(), metadata={"comment": f"as {MAIL} wrote"})
    return OTHERS.cast(pa.schema([field]))


FILES: Mapping[str, Callable[[], pa.Table]] = {
    "note": lambda: OTHERS.replace_schema_metadata({"author": MAIL}),
    "note of a column": noted_column,
    "column": lambda: OTHERS.rename_columns([MAIL]),
    "bytes": lambda: pa.table({"name": [b"Bo", MAIL.encode()]}),
    "large bytes": lambda: pa.table({"name": pa.array([b"Bo", MAIL.encode()], pa.large_binary())}),
}
NUMBERS: Mapping[str, list[Any]] = {
    "whole": [42, int(CARD)],
    "floating": [None, float(CARD)],
    "decimal": [Decimal("1.50"), Decimal(CARD)],
}


def written(folder: Path, table: pa.Table) -> Path:
    pq.write_table(table, folder / "file")
    return folder / "file"


def left_of(folder: Path, table: pa.Table) -> tuple[tuple[int, int], Path]:
    """How many rows stay and go, and what stays."""
    left = folder / "left"
    return without_rows(written(folder, table), left, ADA), left


@pytest.mark.failure_line(37)
@pytest.mark.parametrize("place", FILES)
def test_what_stands_beside_the_texts_of_a_file_is_found_and_goes(
    place: str, tmp_path: Path
) -> None:
    """FAILURES line 37: the author of a file is in no cell of it."""
    table = FILES[place]()
    assert parquet_tells(written(tmp_path, table), ADA)
    (_, gone), left = left_of(tmp_path, table)
    assert gone == 1
    assert MAIL.encode() not in left.read_bytes()
    assert left.stat().st_size == 0 or not parquet_tells(left, ADA)


def test_a_file_of_others_keeps_its_rows_and_loses_notes_alone(tmp_path: Path) -> None:
    assert not parquet_tells(written(tmp_path, OTHERS), ADA)
    told, left = left_of(tmp_path, FILES["note"]())
    assert told == (2, 1)
    assert pq.read_table(left) == OTHERS


@pytest.mark.parametrize("kind", NUMBERS)
def test_an_identifier_may_be_a_number_where_others_made_the_file(
    kind: str, tmp_path: Path
) -> None:
    file = written(tmp_path, pa.table({"card": NUMBERS[kind]}))
    assert parquet_tells(file, ADA, has_numbers=True)
    assert not parquet_tells(file, ADA)
    others = written(tmp_path, pa.table({"card": [42, 77120943000]}))
    assert not parquet_tells(others, ADA, has_numbers=True)


def looks_at_texts_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(parquet, "TEXTUAL", (pa.types.is_string,))


def passes_notes_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(parquet, "_notes", lambda _: [])


@pytest.mark.parametrize(
    ("fault", "place"),
    [(looks_at_texts_alone, "bytes"), (passes_notes_over, "note"), (passes_notes_over, "column")],
)
def test_what_is_passed_over_would_be_seen(
    fault: Callable[[pytest.MonkeyPatch], None],
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fault(monkeypatch)
    assert not parquet_tells(written(tmp_path, FILES[place]()), ADA)


def test_keeping_what_a_writer_noted_would_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_without_notes", lambda schema: schema)
    told, _ = left_of(tmp_path, FILES["note"]())
    assert told != (2, 1)


def test_passing_numbers_over_would_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_numbers", lambda _: ())
    file = written(tmp_path, pa.table({"card": NUMBERS["whole"]}))
    assert not parquet_tells(file, ADA, has_numbers=True)
    assert tells(CARD, ADA)
