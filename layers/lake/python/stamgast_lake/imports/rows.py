"""The rows of a CSV, NDJSON or Parquet file as plain values, streamed; a bad row is a value too."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from stamgast.ingestion.lenient import read_leniently
from stamgast_lake.imports.csv_rows import DoubledColumnError, Row, csv_rows
from stamgast_lake.imports.texts import BROKEN_GZIP, UTF_8, lines_of

PARQUET_ROWS = 2_000
FORMATS = ("csv", "ndjson", "jsonl", "parquet")

__all__ = ["Row", "UnreadableFileError", "format_of", "rows_of"]


class UnreadableFileError(ValueError):
    """A file in none of the forms that an import can read; the message never holds its content."""


def format_of(path: str) -> str:
    """The form that a file's name ends in, below `.gz`; raises UnreadableFileError for another."""
    ending = path.lower().removesuffix(".gz").rpartition(".")[2]
    if ending not in FORMATS:
        raise UnreadableFileError(f"the name ends in none of {', '.join(FORMATS)}")
    return ending


def rows_of(file: Path, path: str, encoding: str = UTF_8) -> Iterator[Row]:
    """Each row as a value (or `Unreadable`) and its original text, in UTF-8, where it has one.

    Raises UnreadableFileError when the file as a whole cannot be read; rows before that count.
    """
    form = format_of(path)
    try:
        if form == "parquet":
            yield from _parquet_rows(file)
            return
        with lines_of(file, encoding) as lines:
            yield from (csv_rows if form == "csv" else _json_rows)(lines)
    except DoubledColumnError as error:
        raise UnreadableFileError(str(error)) from error
    except duckdb.NotImplementedException as error:
        raise UnreadableFileError("a column is of a type that is not read") from error
    except (*BROKEN_GZIP, pa.ArrowException, duckdb.Error, UnicodeError) as error:
        raise UnreadableFileError(f"the file ends early or is no {form}") from error
    except OSError as error:
        if error.errno is not None:
            raise  # the disk's fault and not the file's
        raise UnreadableFileError(f"the file is broken: its {form} cannot be unpacked") from error


def _json_rows(lines: Iterator[bytes]) -> Iterator[Row]:
    for line in lines:
        text = line.strip().removeprefix(b"\xef\xbb\xbf")
        if not text:
            continue
        yield read_leniently(text), text


def _parquet_rows(file: Path) -> Iterator[Row]:
    """Rows by way of JSON, which DuckDB writes and orjson reads faster than Arrow makes objects.

    DuckDB writes what is no number as NaN, which no JSON has: such a cell is null, with a note.
    """
    parquet = pq.ParquetFile(file)
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    try:
        for batch in parquet.iter_batches(batch_size=PARQUET_ROWS):
            connection.register("chunk", pa.Table.from_batches([batch]))
            texts = connection.sql("select to_json(chunk) as text from chunk").to_arrow_table()
            for text in texts.column("text").to_pylist():
                yield read_leniently(text.encode()), None
    finally:
        connection.close()
