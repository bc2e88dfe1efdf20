"""Files of records as one table of comparison columns, each file read by its own headers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from stamgast_cli.errors import InputError
from stamgast_lake.records.columns import ID
from stamgast_lake.records.headers import HeaderError, Headers, headers_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TRUTH = "truth"
READERS = {".csv": "read_csv({0}, all_varchar = true)", ".parquet": "read_parquet({0})"}
TEXTS = ".csv, .tsv, .txt or .parquet"
SAY = "Say --column COLUMN=HEADER, such as surname=name_2"


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of the columns: id and truth, what others are, what is left out."""

    id_column: str | None
    truth: str | None
    named: Mapping[str, str]
    ignore: Sequence[str]


def read_files(engine: "DuckDBPyConnection", files: Sequence[Path]) -> list[pa.Table]:
    """Every file as a table of texts; raises InputError where one cannot be read."""
    return [_as_text(_rows(engine, file)) for file in files]


def _rows(engine: "DuckDBPyConnection", file: Path) -> pa.Table:
    if not file.is_file():
        raise InputError(f"{file} is not there", hint=f"Name a file: {TEXTS}.")
    if not file.stat().st_size:
        raise InputError(f"{file.name} is empty", hint="Give a file with a header and records.")
    suffix = file.suffix.lower()
    reader = READERS.get({".tsv": ".csv", ".txt": ".csv"}.get(suffix, suffix))
    if reader is None:
        raise InputError(f"{file.name} is no CSV or Parquet", hint=f"Name a file: {TEXTS}.")
    path = "'" + str(file).replace("'", "''") + "'"
    try:
        return engine.sql(f"from {reader.format(path)}").to_arrow_table()
    except duckdb.Error as error:
        hint = "Save it as UTF-8 with a header and one separator."
        why = str(error).partition("\n")[0]
        raise InputError(f"{file.name} cannot be read: {why}", hint=hint) from error


def _as_text(rows: pa.Table) -> pa.Table:
    """Every column as text without blanks around it, and so the headers."""
    columns = [pc.utf8_trim_whitespace(column.cast(pa.string())) for column in rows.columns]
    return pa.table(columns, names=[name.strip() for name in rows.column_names])


def in_columns(files: Sequence[pa.Table], told: Told) -> tuple[Headers, pa.Table]:
    """The records of all files by comparison column, with `record_id`, and `truth` where told.

    Each file is read by its own headers: what one calls `dob` another may call `birth_date`.
    """
    _require(files, {"--id": told.id_column, "--truth": told.truth})
    found = [_headers(rows, told) for rows in files]
    _require_named(found, told.named)
    headers = _together(found)
    if len(headers.by_column) < 2:
        given = ", ".join(dict.fromkeys(name for rows in files for name in rows.column_names))
        raise InputError(
            "fewer than two columns of the file can be compared",
            hint=f"{SAY}; the file has {given}.",
        )
    tables = [_renamed(rows, one, told) for rows, one in zip(files, found, strict=True)]
    records = pa.concat_tables(tables, promote_options="default")
    return headers, _with_ids(records, told.id_column)


def _headers(rows: pa.Table, told: Told) -> Headers:
    mine = {name: header for name, header in told.named.items() if header in rows.column_names}
    but = [one for one in (told.id_column, told.truth, *told.ignore) if one]
    try:
        return headers_of(rows.column_names, mine, but)
    except HeaderError as error:
        raise InputError(str(error), hint=f"{SAY}.") from error


def _renamed(rows: pa.Table, headers: Headers, told: Told) -> pa.Table:
    kept = {ID: told.id_column, TRUTH: told.truth, **headers.by_column}
    columns = {name: rows[header] for name, header in kept.items() if header}
    return pa.table(columns or {ID: pa.nulls(rows.num_rows, pa.string())})


def _require(files: Sequence[pa.Table], told: Mapping[str, str | None]) -> None:
    """Raises InputError where a file lacks a column that every file must have."""
    for rows in files:
        for option, header in told.items():
            if header is not None and header not in rows.column_names:
                given = ", ".join(rows.column_names)
                raise InputError(f"{option}: no column {header!r}", hint=f"The file has {given}.")


def _require_named(found: Sequence[Headers], named: Mapping[str, str]) -> None:
    """Raises InputError for a named header that no file has."""
    for name, header in named.items():
        if all(one.by_column.get(name) != header for one in found):
            raise InputError(f"--column {name}: no file has a column {header!r}", hint=f"{SAY}.")


def _together(found: Sequence[Headers]) -> Headers:
    """The headers of several files: all that a column is called in them."""
    called: dict[str, list[str]] = {}
    for headers in found:
        for name, header in headers.by_column.items():
            called.setdefault(name, [])
            called[name] += [header] if header not in called[name] else []
    unused = dict.fromkeys(one for headers in found for one in headers.unused)
    return Headers({name: ", ".join(each) for name, each in called.items()}, tuple(unused))


def _with_ids(records: pa.Table, id_column: str | None) -> pa.Table:
    """The records with an id each: what the file says, or the number of the row."""
    if id_column is None:
        ids = pa.array([f"row {one}" for one in range(1, records.num_rows + 1)], pa.string())
        kept = [name for name in records.column_names if name != ID]
        return records.select(kept).add_column(0, ID, ids)
    ids = records[ID].combine_chunks()
    if ids.null_count:
        hint = "Give every record one, or leave --id out: rows are numbered."
        raise InputError(f"--id: {ids.null_count} records have no {id_column!r}", hint=hint)
    if len(ids.unique()) < len(ids):
        hint = "Name a column whose values are all different, or leave --id out."
        raise InputError(f"--id: values of {id_column!r} repeat", hint=hint)
    return records
