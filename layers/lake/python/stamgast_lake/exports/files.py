"""The files of an export: rows are written batch by batch, as CSV or as Parquet."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from stamgast.egress.cells import line
from stamgast_lake.exports.order import CSV, Order

Row = Sequence[object]
BLOCK_BYTES = 1 << 20


class Writer(Protocol):
    """Takes rows of an export in the order of its fields."""

    def write(self, rows: Sequence[Row]) -> None:
        """Adds these rows."""

    def close(self) -> None:
        """Ends the file."""


def writer_of(order: Order, path: Path, as_of: str) -> Writer:
    """A writer in the export's form; the file is there, with its header, even without a row."""
    return _CsvWriter(order, path) if order.format == CSV else _ParquetWriter(order, path, as_of)


class _CsvWriter:
    def __init__(self, order: Order, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._file.write(line(order.names))

    def write(self, rows: Sequence[Row]) -> None:
        self._file.writelines(line(row) for row in rows)

    def close(self) -> None:
        self._file.close()


class _ParquetWriter:
    def __init__(self, order: Order, path: Path, as_of: str) -> None:
        columns = [
            pa.field(field.name, pa.float64() if field.is_number else pa.string())
            for field in order.fields
        ]
        told = {"segment": order.segment, "purpose": order.purpose, "as_of": as_of}
        self._schema = pa.schema(columns, metadata=told)
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> None:
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            arrays = [
                pa.array(column, field.type)
                for column, field in zip(columns, self._schema, strict=True)
            ]
            self._file.write_batch(pa.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        self._file.close()


def hash_of(path: Path) -> str:
    """SHA-256 of a file in hex, by which whoever fetched it can tell that it is whole."""
    told = sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            told.update(block)
    return told.hexdigest()
