"""Records out of files, linked with the default configuration, and what is told of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from stamgast.identity.records import RecordSettings
from stamgast_cli.errors import InputError
from stamgast_cli.output import Output
from stamgast_lake.engine import EngineSettings, session, settings_of_machine
from stamgast_lake.records.columns import ID
from stamgast_lake.records.headers import HeaderError, Headers, headers_of
from stamgast_lake.records.link import learn_and_link
from stamgast_lake.records.model import Model
from stamgast_lake.records.report import UNCALIBRATED
from stamgast_lake.records.run import with_reasons
from stamgast_lake.records.train import CannotLearnError
from stamgast_lake.records.truth import Judged, judge

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TRUTH = "truth"
READERS = {".csv": "read_csv({0}, all_varchar = true)", ".parquet": "read_parquet({0})"}
TEXTS = ".csv, .tsv, .txt or .parquet"
MEMORY_MB = 2_000
"""What the engine may take; Arrow and Python hold about as much besides."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a file: the model, its links, and how they fare where the truth is known."""

    headers: Headers
    model: Model
    links: pa.Table
    judged: Judged | None
    seconds: float

    def report(self) -> dict[str, Any]:
        """Everything but the pairs, without a value of the file."""
        told: dict[str, Any] = {
            "records": self.model.records,
            "columns": dict(self.headers.by_column),
            "not_compared": list(self.headers.unused),
            "pairs_found": self.links.num_rows,
            "compared": sum(block.comparisons for block in self.model.blocks),
            "expected_matches": round(self.model.prior * _all_pairs(self.model.records)),
            "estimated_blocking_recall": round(self.model.reach.recall, 4),
            "rules": [_rule(self.model, place) for place in range(len(self.model.blocks))],
            "notes": [*_unused(self.headers), *self.model.notes],
            "model": self.model.version,
            "calibration": UNCALIBRATED,
            "seconds": round(self.seconds, 1),
        }
        if self.judged is not None:
            told |= {
                "true_pairs": self.judged.true_pairs,
                "blocking_recall": round(self.judged.blocking_recall, 4),
                "quality": [asdict(one) for one in self.judged.quality],
            }
        return told

    def pairs(self, most: int | None = None) -> list[dict[str, Any]]:
        """The pairs, likeliest first, with what each column weighs in bits."""
        order = [("probability", "descending"), ("a", "ascending"), ("b", "ascending")]
        rows = self.links.sort_by(order).slice(0, most).to_pylist()
        return [
            {
                "a": row["a"],
                "b": row["b"],
                "probability": row["probability"],
                "weights": orjson.loads(row["reasons"]),
            }
            for row in rows
        ]

    def write(self, path: Path) -> None:
        """Writes all pairs with their reasons as CSV or Parquet."""
        import pyarrow.csv
        import pyarrow.parquet

        if path.suffix not in (".csv", ".parquet"):
            raise InputError(f"{path.name} is neither .csv nor .parquet", hint="--out pairs.csv")
        writer = pyarrow.csv.write_csv if path.suffix == ".csv" else pyarrow.parquet.write_table
        writer(self.links, path)


def try_files(
    files: Sequence[Path],
    output: Output,
    *,
    id_column: str | None,
    truth: str | None,
    named: Mapping[str, str],
    ignore: Sequence[str],
    least: float,
) -> Tried:
    """Links the records of all files as one set; raises InputError where they cannot be used."""
    began = time.monotonic()
    machine = settings_of_machine()
    with session(EngineSettings(MEMORY_MB, machine.threads, machine.folder)) as engine:
        with output.step("files read"):
            rows = _rows(engine, files)
        headers = _headers(rows, id_column, truth, named, ignore)
        ids = _ids(rows, id_column)
        told = {ID: ids, **{name: rows[header] for name, header in headers.by_column.items()}}
        try:
            model, links = learn_and_link(
                engine, pa.table(told), RecordSettings(), least, output.step
            )
        except CannotLearnError as error:
            raise InputError(str(error), hint="Give a file with more records.") from error
        known = pa.table({ID: ids, TRUTH: rows[truth]}) if truth else None
        judged = judge(engine, links, known) if known else None
    return Tried(headers, model, with_reasons(links), judged, time.monotonic() - began)


def _rows(engine: "DuckDBPyConnection", files: Sequence[Path]) -> pa.Table:
    tables: list[pa.Table] = []
    for file in files:
        if not file.is_file():
            raise InputError(f"{file} is not there", hint=f"Name a file: {TEXTS}.")
        reader = READERS.get({".tsv": ".csv", ".txt": ".csv"}.get(file.suffix, file.suffix))
        if reader is None:
            raise InputError(f"{file.name} is no CSV or Parquet", hint=f"Name a file: {TEXTS}.")
        path = "'" + str(file).replace("'", "''") + "'"
        try:
            rows = engine.sql(f"from {reader.format(path)}").to_arrow_table()
        except duckdb.Error as error:
            hint = "Save it as UTF-8 with a header and one separator."
            why = str(error).partition("\n")[0]
            raise InputError(f"{file.name} cannot be read: {why}", hint=hint) from error
        tables.append(_as_text(rows))
    return pa.concat_tables(tables, promote_options="default")


def _as_text(rows: pa.Table) -> pa.Table:
    """Every column as text without blanks around it, and so the headers."""
    columns = [pc.utf8_trim_whitespace(column.cast(pa.string())) for column in rows.columns]
    return pa.table(columns, names=[name.strip() for name in rows.column_names])


def _headers(
    rows: pa.Table,
    id_column: str | None,
    truth: str | None,
    named: Mapping[str, str],
    ignore: Sequence[str],
) -> Headers:
    given = ", ".join(rows.column_names)
    for option, header in (("--id", id_column), ("--truth", truth)):
        if header is not None and header not in rows.column_names:
            raise InputError(f"{option}: no column {header!r}", hint=f"The file has {given}.")
    but = [one for one in (id_column, truth, *ignore) if one]
    try:
        headers = headers_of(rows.column_names, named, but)
    except HeaderError as error:
        raise InputError(str(error), hint="Say --column COLUMN=HEADER.") from error
    if len(headers.by_column) < 2:
        raise InputError(
            "fewer than two columns of the file can be compared",
            hint=f"Say --column COLUMN=HEADER, such as surname=…; the file has {given}.",
        )
    return headers


def _ids(rows: pa.Table, id_column: str | None) -> pa.Array:
    if id_column is None:
        return pa.array([f"row {number}" for number in range(1, rows.num_rows + 1)], pa.string())
    ids = rows[id_column].combine_chunks()
    if ids.null_count:
        hint = "Give every record one, or leave --id out: rows are numbered."
        raise InputError(f"--id: {ids.null_count} records have no {id_column!r}", hint=hint)
    if len(ids.unique()) < len(ids):
        hint = "Name a column whose values are all different, or leave --id out."
        raise InputError(f"--id: values of {id_column!r} repeat", hint=hint)
    return ids


def _unused(headers: Headers) -> list[str]:
    return [
        f"{header}: not compared; if it should be, say --column COLUMN={header}"
        for header in headers.unused
    ]


def _rule(model: Model, place: int) -> dict[str, Any]:
    block = model.blocks[place]
    return {
        "rule": block.rule,
        "comparisons": block.comparisons,
        "not_made": block.refused_comparisons,
        "matches": round(model.reach.found_by_rule[block.rule]),
    }


def _all_pairs(records: int) -> float:
    return records * (records - 1) / 2
