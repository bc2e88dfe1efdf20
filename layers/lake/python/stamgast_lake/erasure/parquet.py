"""Parquet files by their cells: whether one tells of the erased, and what stays of its rows.

What a writer noted beside the cells (an author, a comment on a column) is read as well.
Half a file (an upload that broke off) has values in its packed pages that no reader of ours sees.
Nobody can say of whom it does not tell, so it counts as one that tells, and goes whole.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stamgast.erasure.needles import Needles

MAGIC = b"PAR1\x15"
"""The magic number, and behind it the first field of the header of a page, or of the footer."""
ROWS_A_BATCH = 2_000
ROWS_A_SEARCH = 16_384

ARROW = b"ARROW:schema"
NO_ROW = -1
"""The number under which what stands beside the rows is asked for."""
TEXTUAL = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)

Goes = Callable[[int, object, bytes | None], bool]
"""Whether a row goes, by its number in the file, its value, and its text where it has one."""


class HalfFileError(ValueError):
    """A Parquet file whose end is missing or broken."""


def is_parquet(file: Path) -> bool:
    """Whether a file begins like one, whatever its name ends in."""
    with file.open("rb") as told:
        return told.read(len(MAGIC)) == MAGIC


def batches(file: Any, rows: int) -> Iterator[pa.RecordBatch]:
    """The rows of a file or of a buffer; raises HalfFileError where no more can be read."""
    with _half_is_told():
        yield from pq.ParquetFile(file).iter_batches(rows)


def parquet_tells(file: Path, needles: Needles, *, has_numbers: bool = False) -> bool:
    """Whether a cell or a note of a Parquet file tells of one of the persons; half a file does.

    An identifier may be a number in a file of others' making (`has_numbers`), and in none of ours.
    """
    try:
        return tells(_notes(file), needles) or any(
            _texts_tell(texts.unique().to_pylist(), needles)
            for batch in batches(file, ROWS_A_SEARCH)
            for column in batch.columns
            for texts in (*_texts(column), *(_numbers(column) if has_numbers else ()))
        )
    except HalfFileError:
        return True


def parquet_texts(body: bytes) -> Iterator[str]:
    """The texts in the cells of a Parquet file, as far as it can be read."""
    try:
        for batch in batches(pa.BufferReader(body), ROWS_A_SEARCH):
            for texts in (one for column in batch.columns for one in _texts(column)):
                yield from (text for text in texts.unique().to_pylist() if isinstance(text, str))
    except HalfFileError:
        return


def without_rows(file: Path, left: Path, needles: Needles) -> tuple[int, int]:
    """Writes a Parquet file without rows that hold a needle; how many stay and how many go."""
    return left_of_rows(file, left, lambda _, row, __: tells(row, needles))


def left_of_rows(file: Path, left: Path, goes: Goes) -> tuple[int, int]:
    """Writes a Parquet file without the rows that go; how many stay and how many go.

    Nothing stays of half a file, nor of one whose columns are named after a person; each counts as
    one row. So do notes, of which none stays.
    """
    try:
        return _filtered(file, left, goes)
    except HalfFileError:
        left.write_bytes(b"")
        return 0, 1


def tells(value: object, needles: Needles) -> bool:
    """Whether any text in a row, however deep, tells of one of the persons."""
    if isinstance(value, str):
        return needles.is_cell(value)
    if isinstance(value, bytes):
        return needles.found_in(value)
    if isinstance(value, dict):
        return any(tells(inner, needles) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(tells(inner, needles) for inner in value)
    return False


def _filtered(file: Path, left: Path, goes: Goes) -> tuple[int, int]:
    rows = gone = 0
    schema = _without_notes(_schema(file))
    if goes(NO_ROW, str(schema), None):
        left.write_bytes(b"")
        return 0, 1
    with pq.ParquetWriter(left, schema, compression="zstd") as out:
        for batch in batches(file, ROWS_A_BATCH):
            begin = rows + gone
            stays = [not goes(begin + n, row, None) for n, row in enumerate(batch.to_pylist())]
            out.write_batch(batch.filter(pa.array(stays)).cast(schema))
            rows += sum(stays)
            gone += len(stays) - sum(stays)
    return rows, gone + goes(NO_ROW, _notes(file), None)


def _schema(file: Path) -> pa.Schema:
    with _half_is_told():
        return pq.ParquetFile(file).schema_arrow


def _notes(file: Path) -> list[Any]:
    """The names of columns, and what a writer noted of the file and of each."""
    schema = _schema(file)
    with _half_is_told():
        told = pq.ParquetFile(file).metadata.metadata or {}
    beside = [part for note in told.items() if note[0] != ARROW for part in note]
    return [schema.to_string(truncate_metadata=False, show_schema_metadata=True), *beside]


def _without_notes(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.remove_metadata() for field in schema])


@contextmanager
def _half_is_told() -> Iterator[None]:
    """What is the file's fault becomes a HalfFileError; for a fault of the disk no file goes."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise HalfFileError("the file ends early or is broken") from error


def _texts_tell(told: list[str | bytes | None], needles: Needles) -> bool:
    texts = [text for text in told if text is not None]
    near = b"\0".join(one if isinstance(one, bytes) else one.encode() for one in texts)
    is_near = needles.short or needles.found_in(near)
    return bool(is_near) and any(tells(text, needles) for text in texts)


def _numbers(column: Any) -> Iterator[Any]:
    """The whole numbers of a column as bytes, of which a short one says nothing."""
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    if any(is_of(column.type) for is_of in kinds):
        told = (n for n in column.unique().to_pylist() if n is not None and n == n // 1)
        yield pa.array([b"%d" % n for n in told], pa.binary())


def _texts(column: Any) -> Iterator[Any]:
    """The text arrays in a column, however deep."""
    if pa.types.is_struct(column.type):
        for inner in column.flatten():
            yield from _texts(inner)
    elif pa.types.is_map(column.type):
        yield from _texts(column.keys)
        yield from _texts(column.items)
    elif pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        yield from _texts(column.flatten())
    elif pa.types.is_dictionary(column.type):
        yield from _texts(column.dictionary)
    elif any(is_of(column.type) for is_of in TEXTUAL):
        yield column
