"""The rows of a CSV, NDJSON or Parquet file as plain values, streamed; a bad row is a value too."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from stamgast.ingestion.accept import Unreadable
from stamgast.ingestion.lenient import read_leniently

LONGEST_LINE = 8 * 1024 * 1024
PARQUET_ROWS = 2_000
FORMATS = ("csv", "ndjson", "jsonl", "parquet")

Row = tuple[object, bytes | None]


class UnreadableFileError(ValueError):
    """A file in none of the forms that an import can read; the message never holds its content."""


def format_of(path: str) -> str:
    """The form that a file's name ends in, below `.gz`; raises UnreadableFileError for another."""
    ending = path.lower().removesuffix(".gz").rpartition(".")[2]
    if ending not in FORMATS:
        raise UnreadableFileError(f"the name ends in none of {', '.join(FORMATS)}")
    return ending


def rows_of(file: Path, path: str) -> Iterator[Row]:
    """Each row as a value (or `Unreadable`) and its original text where the file has one.

    Raises UnreadableFileError when the file as a whole cannot be read; rows before that count.
    """
    form = format_of(path)
    try:
        if form == "parquet":
            yield from _parquet_rows(file)
            return
        with _opened(file) as stream:
            yield from (_csv_rows if form == "csv" else _json_rows)(stream)
    except (EOFError, gzip.BadGzipFile, pa.ArrowException, duckdb.Error, UnicodeError) as error:
        raise UnreadableFileError(f"the file ends early or is no {form}") from error


def _opened(file: Path) -> IO[bytes]:
    with file.open("rb") as stream:
        is_zipped = stream.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(file)) if is_zipped else file.open("rb")


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    while line := stream.readline(LONGEST_LINE):
        yield line


def _json_rows(stream: IO[bytes]) -> Iterator[Row]:
    for line in _lines(stream):
        text = line.strip().removeprefix(b"\xef\xbb\xbf")
        if not text:
            continue
        yield read_leniently(text), text


class _Remembered:
    """Lines of a CSV file as text, with the bytes of those that the row at hand was read from."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._read: list[bytes] = []

    def __iter__(self) -> Iterator[str]:
        for line in _lines(self._stream):
            self._read.append(line)
            yield line.decode("utf-8-sig" if len(self._read) == 1 else "utf-8", "replace")

    def take(self) -> bytes:
        text = b"".join(self._read).rstrip(b"\r\n")
        self._read = []
        return text


def _csv_rows(stream: IO[bytes]) -> Iterator[Row]:
    """Rows by the header's names; an empty field is absent, another number of fields is a fault."""
    lines = _Remembered(stream)
    reader = csv.reader(lines, strict=True)
    header = _next(reader)
    if not isinstance(header, list):
        return
    header = [name.removeprefix("\ufeff").strip() for name in header]
    lines.take()
    while (fields := _next(reader)) is not None:
        text = lines.take()
        if isinstance(fields, csv.Error) or (fields and len(fields) != len(header)):
            yield Unreadable(text), text
        elif fields:
            told = zip(header, fields, strict=True)
            yield {name: value for name, value in told if value != ""}, text


def _next(reader: Any) -> list[str] | csv.Error | None:
    try:
        return cast("list[str]", next(reader))
    except StopIteration:
        return None
    except csv.Error as error:
        return error


def _parquet_rows(file: Path) -> Iterator[Row]:
    """Rows by way of JSON, which DuckDB writes and orjson reads faster than Arrow makes objects."""
    parquet = pq.ParquetFile(file)
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    try:
        for batch in parquet.iter_batches(batch_size=PARQUET_ROWS):
            connection.register("chunk", pa.Table.from_batches([batch]))
            texts = connection.sql("select to_json(chunk) as text from chunk").to_arrow_table()
            for text in texts.column("text").to_pylist():
                yield orjson.loads(text), None
    finally:
        connection.close()
