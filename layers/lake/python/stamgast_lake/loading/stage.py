"""Reads the archive's objects, interprets every line, and stages rows as local Parquet parts."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stamgast.erasure.gate import kept
from stamgast.erasure.tombstones import Tombstones, judge
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.surroundings import surroundings_of
from stamgast.raw.record import RawRecord, RejectedRecord
from stamgast_lake.archive import LakeObject, read_lines
from stamgast_lake.loading.staged import (
    SCHEMA,
    Row,
    batch_of,
    row_of_event,
    row_of_rejected,
    row_of_remains,
)

PART_BYTES = 24 * 1024 * 1024
PART_ROWS = 20_000
REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Taken:
    """What was read from one object."""

    object: LakeObject
    lines: int
    unreadable: int


@dataclass(slots=True)
class Staging:
    """Rows on their way into Parquet parts of bounded size."""

    folder: Path
    name: str = "staged"
    rows: list[Row] = field(default_factory=list)
    held: int = 0
    parts: int = 0

    def add(self, row: Row, size: int) -> None:
        """Keeps a row; a full part is written."""
        self.rows.append(row)
        self.held += size
        if self.held >= PART_BYTES or len(self.rows) >= PART_ROWS:
            self.flush()

    def flush(self) -> None:
        """Writes what is held, if anything."""
        if self.rows:
            path = self.folder / f"{self.name}-{self.parts:06d}.parquet"
            table = pa.Table.from_batches([batch_of(self.rows)])
            pq.write_table(table, path, compression="lz4")
            self.rows, self.held, self.parts = [], 0, self.parts + 1


@dataclass(frozen=True, slots=True)
class Reading:
    """What turns lines into rows: settings and keyring of the workspace, and the tombstones."""

    settings: IdentitySettings
    keyring: Keyring
    tombstones: Tombstones = field(default_factory=dict)

    def row_of(self, line: bytes, kind: str, place: tuple[str, int]) -> Row | None:
        """The staged row of a line; None for one in no form that the archive writes."""
        try:
            if kind == REJECTED:
                return row_of_rejected(RejectedRecord.from_json(line), self.keyring, place)
            record = RawRecord.from_json(line)
            event = interpret(record, self.settings, self.keyring)
            judged = judge(event, self.tombstones)
            record, left = kept(record, event, judged, self.settings, self.keyring)
            if left is None or record.is_suppressed:
                return row_of_remains(record, place)
            return row_of_event(left, place, surroundings_of(record, left.context))
        except (ValueError, KeyError, TypeError):
            return None


def stage(
    bodies: Iterable[tuple[LakeObject, bytes]], reading: Reading, folder: Path
) -> list[Taken]:
    """Stages every line of every object into `folder`; says what each object held."""
    write_empty(folder)
    staging = Staging(folder)
    taken = [stage_object(one, body, reading, staging) for one, body in bodies]
    staging.flush()
    return taken


def write_empty(folder: Path) -> None:
    """A part without rows, so that there is one when nothing else is staged."""
    pq.write_table(SCHEMA.empty_table(), folder / "empty.parquet")


def stage_object(one: LakeObject, body: bytes, reading: Reading, staging: Staging) -> Taken:
    """Stages the lines of one object; one that is cut off counts as one unreadable line more."""
    lines = unreadable = 0
    try:
        for number, line, row in _rows(one, body, reading):
            lines = number + 1
            if row is None:
                unreadable += 1
            else:
                staging.add(row, len(line))
    except (EOFError, OSError, zlib.error):
        return Taken(one, lines, unreadable + 1)
    return Taken(one, lines, unreadable)


def _rows(
    one: LakeObject, body: bytes, reading: Reading
) -> Iterator[tuple[int, bytes, Row | None]]:
    for number, line in enumerate(read_lines(body)):
        yield number, line, reading.row_of(line, one.kind, (one.key, number))
