"""Records out of files, linked with the default configuration, and what is told of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from stamgast.identity.records import COLUMNS, RecordSettings
from stamgast_cli.errors import InputError
from stamgast_cli.linking.reading import TRUTH, Told, in_columns, read_files
from stamgast_cli.output import Output
from stamgast_lake.engine import EngineSettings, session, settings_of_machine
from stamgast_lake.records.columns import FULL_NAME, ID
from stamgast_lake.records.headers import Headers
from stamgast_lake.records.link import learn_and_link
from stamgast_lake.records.model import Model
from stamgast_lake.records.report import UNCALIBRATED
from stamgast_lake.records.run import with_reasons
from stamgast_lake.records.train import CannotLearnError
from stamgast_lake.records.truth import Judged, judge

FROM_FULL_NAME = ("given_name", "surname")
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
            "notes": [*_unused(self.headers), *_told_of(self.headers, self.model.notes)],
            "model": self.model.version,
            "calibration": UNCALIBRATED,
            "seconds": round(self.seconds, 1),
        }
        if self.judged is not None and not self.judged.true_pairs:
            told["notes"].append("the truth has no person twice: there is nothing to judge by")
        elif self.judged is not None:
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
            read = read_files(engine, files)
            headers, records = in_columns(read, Told(id_column, truth, named, ignore))
        compared = records.select([ID, *headers.by_column])
        try:
            model, links = learn_and_link(engine, compared, RecordSettings(), least, output.step)
        except CannotLearnError as error:
            raise InputError(str(error), hint=error.hint) from error
        judged = judge(engine, links, records.select([ID, TRUTH])) if truth else None
    return Tried(headers, model, with_reasons(links), judged, time.monotonic() - began)


def _unused(headers: Headers) -> list[str]:
    return [
        f"{header}: not compared; if it should be, say --column COLUMN={header}"
        for header in headers.unused
    ]


def _told_of(headers: Headers, notes: Sequence[str]) -> list[str]:
    """The model's notes but those on columns that the file does not have."""
    read = {*headers.by_column, *(FROM_FULL_NAME if FULL_NAME in headers.by_column else ())}
    read |= {"house"} if {"street", "street_2"} & read else set()
    return [
        note for note in notes if (name := note.partition(":")[0]) not in COLUMNS or name in read
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
