"""The files of an export: rows are written batch by batch, as CSV or as Parquet."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from stamgast.egress.cells import line
from stamgast.egress.fields import Form
from stamgast_lake.exports.order import CSV, Order

Row = Sequence[object]
BLOCK_BYTES = 1 << 20
TYPES = {
    Form.TEXT: pa.string(),
    Form.WHOLE: pa.int64(),
    Form.NUMBER: pa.float64(),
    Form.MOMENT: pa.timestamp("ms", tz="UTC"),
    Form.DATE: pa.date32(),
}
READ: Mapping[Form, Callable[[str], object]] = {
    Form.MOMENT: datetime.fromisoformat,
    Form.DATE: date.fromisoformat,
}


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
        self._forms = [field.form for field in order.fields]
        columns = [pa.field(field.name, TYPES[field.form]) for field in order.fields]
        told = {"segment": order.segment, "purpose": order.purpose, "as_of": as_of}
        self._schema = pa.schema(columns, metadata=told)
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> None:
        if rows:
            columns = zip(self._forms, zip(*rows, strict=True), strict=True)
            arrays = [_array(form, column) for form, column in columns]
            self._file.write_batch(pa.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        self._file.close()


def _array(form: Form, column: Sequence[object]) -> pa.Array:
    """Values as rows of an export have them, moments and dates as texts, in the type of a form."""
    read = READ.get(form)
    told = column if read is None else [None if one is None else read(str(one)) for one in column]
    return pa.array(told, TYPES[form])


def hash_of(path: Path) -> str:
    """SHA-256 of a file in hex, by which whoever fetched it can tell that it is whole."""
    told = sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            told.update(block)
    return told.hexdigest()
