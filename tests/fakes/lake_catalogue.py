"""An in-memory stand-in for the Iceberg tables: whole files, commits by run and stage, faults."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from pyiceberg.expressions import LessThan

from stamgast_lake.catalogue import Commit
from stamgast_lake.datafiles import slices
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import LakeTable


class CrashError(RuntimeError):
    """The process ends here, as an injected fault says."""


@dataclass(frozen=True)
class MemoryFile:
    """A data file: its rows and the values of its partition."""

    number: int
    partition: tuple[object, ...]
    rows: pa.Table

    @property
    def file_path(self) -> str:
        return str(self.number)

    @property
    def record_count(self) -> int:
        return self.rows.num_rows


@dataclass
class MemoryTable:
    files: list[MemoryFile] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)


class MemoryCatalogue:
    """The interface of `Catalogue`; `before` and `after` may raise around each commit."""

    def __init__(self) -> None:
        self.tables: dict[str, MemoryTable] = {}
        self.before: Callable[[LakeTable, Commit], None] = lambda table, commit: None
        self.after: Callable[[LakeTable, Commit], None] = lambda table, commit: None
        self._numbers = count()
        self._read: dict[str, tuple[tuple[int, ...], ds.Dataset]] = {}

    def find(self, table: LakeTable) -> MemoryTable | None:
        return self.tables.get(table.name)

    def create_all(self) -> None:
        """Tables come into being when they are first written."""

    def is_done(self, table: LakeTable, commit: Commit) -> bool:
        return table.name in self.tables and commit in self.tables[table.name].commits

    def last_commit(self, table: LakeTable, stage: str) -> Commit | None:
        found = self.tables.get(table.name, MemoryTable())
        return next((c for c in reversed(found.commits) if c.stage == stage), None)

    def append(self, table: LakeTable, rows: pa.RecordBatchReader, commit: Commit) -> int:
        return self.replace(table, rows, (), commit)

    def replace(
        self,
        table: LakeTable,
        rows: pa.RecordBatchReader,
        gone: Iterable[Any],
        commit: Commit,
    ) -> int:
        if self.is_done(table, commit):
            return 0
        new = [
            MemoryFile(next(self._numbers), values, pa.Table.from_batches(batches))
            for values, batches in slices(rows, table, arrow_schema(table))
        ]
        self.before(table, commit)
        target = self.tables.setdefault(table.name, MemoryTable())
        left = {file.number for file in gone}
        assert left <= {file.number for file in target.files}
        target.files = [file for file in target.files if file.number not in left] + new
        target.commits.append(commit)
        self.after(table, commit)
        return sum(file.rows.num_rows for file in new)

    def files(self, table: LakeTable, where: Any = None) -> tuple[MemoryFile, ...]:
        found = self.tables.get(table.name, MemoryTable()).files
        if where is None:
            return tuple(found)
        if isinstance(where, LessThan):
            day = str(where.literal.value)
            return tuple(file for file in found if str(_spelled(file.partition[0])) < day)
        wanted = {one.value for one in getattr(where, "literals", ())}
        if hasattr(where, "literal"):
            wanted = {where.literal.value}
        return tuple(file for file in found if _spelled(file.partition[0]) in wanted)

    def dataset(self, table: LakeTable, where: Any = None) -> ds.Dataset:
        return self.dataset_of(table, self.files(table, where))

    def unsettled(self, table: LakeTable, settled: Iterable[str]) -> ds.Dataset:
        return self.dataset_of(table, self.unsettled_files(table, self.files(table), settled))

    def unsettled_files(
        self, table: LakeTable, files: Iterable[MemoryFile], settled: Iterable[str]
    ) -> tuple[MemoryFile, ...]:
        known = set(settled)
        return tuple(f for f in files if {*f.rows["run_id"].to_pylist()} - known)

    def dataset_of(self, table: LakeTable, files: tuple[MemoryFile, ...]) -> ds.Dataset:
        """The rows of these files; those of a table as it was read last are put together once."""
        asked = tuple(file.number for file in files)
        known, dataset = self._read.get(table.name, (None, None))
        if dataset is None or known != asked:
            schema = arrow_schema(table)
            rows = pa.concat_tables([schema.empty_table(), *(f.rows for f in files)])
            dataset = ds.dataset(rows)
            self._read[table.name] = asked, dataset
        return dataset

    def rows(self, table: LakeTable) -> list[dict[str, Any]]:
        """Every row of a table, for assertions."""
        return self.dataset(table).to_table().to_pylist()


def _spelled(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else value
