"""The Iceberg tables in the Glue catalogue: create, read, and commit with run and stage."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchTableError,
    TableAlreadyExistsError,
    ValidationException,
)
from pyiceberg.expressions import (
    AlwaysFalse,
    AlwaysTrue,
    BooleanExpression,
    In,
    LessThan,
    Reference,
)
from pyiceberg.expressions.literals import literal
from pyiceberg.io import PY_IO_IMPL
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from stamgast_lake.datafiles import write
from stamgast_lake.files import LOCATION, SharedFileIO
from stamgast_lake.pruning import has_other
from stamgast_lake.schemas import arrow_schema, iceberg_schema, partition_spec
from stamgast_lake.tables import ICEBERG, LakeTable
from stamgast_lake.transactions import HeldTransaction

RUN = "stamgast.run"
STAGE = "stamgast.stage"
RUN_COLUMN = "run_id"
CONFLICTS = (CommitFailedException, ValidationException)
PROPERTIES = {
    "format-version": "2",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    # Whole files are replaced, so what another commit adds beside them is no conflict.
    "write.delete.isolation-level": "snapshot",
    "write.update.isolation-level": "snapshot",
    "write.parquet.compression-codec": "zstd",
    "write.parquet.compression-level": "3",
    # Small enough that a look-up of a few keys passes over most of a file.
    "write.parquet.row-group-limit": "16384",
    # A column of keys has no dictionary that is worth its bytes; one of few values still has.
    "write.parquet.dict-size-bytes": "65536",
    # Whole, so that a file says of itself whose rows it holds.
    f"write.metadata.metrics.column.{RUN_COLUMN}": "full",
    "commit.retry.num-retries": "8",
    "commit.retry.min-wait-ms": "100",
    "commit.retry.max-wait-ms": "5000",
}


@dataclass(frozen=True, slots=True)
class Commit:
    """Who commits: one run and one of its stages; its snapshot says that the stage is done."""

    run_id: str
    stage: str

    @property
    def properties(self) -> dict[str, str]:
        """What the snapshot carries."""
        return {RUN: self.run_id, STAGE: self.stage}


@dataclass(frozen=True, slots=True)
class Planned:
    """All data files of a table as one metadata file tells of them, and their rows."""

    metadata_location: str
    files: tuple[DataFile, ...]
    rows: ds.Dataset


class Catalogue:
    """The tables of one lake; a table that is missing is created when it is first written.

    The files of a whole table are planned once for each of its metadata files, and so are the
    footers read: a stage that looks up keys step by step asks for the same table many times.
    """

    def __init__(
        self, *, glue: Any, database: str, warehouse: str, file_properties: Mapping[str, str]
    ) -> None:
        self._database = database
        self._warehouse = warehouse.rstrip("/")
        self._catalog = GlueCatalog(
            "lake",
            client=glue,
            warehouse=warehouse,
            **{PY_IO_IMPL: LOCATION, **file_properties},
        )
        self._planned: dict[str, Planned] = {}

    def table(self, table: LakeTable) -> Table:
        """The Iceberg table, created if it is absent, widened by columns that it lacks."""
        found = self.find(table)
        return self._create(table) if found is None else _widened(found, table)

    def find(self, table: LakeTable) -> Table | None:
        """The Iceberg table as it is now, or None before its first write."""
        try:
            return self._catalog.load_table((self._database, table.name))
        except NoSuchTableError:
            return None

    def create_all(self) -> None:
        """Creates every table that is absent, so that all can be queried before the first run."""
        for table in ICEBERG:
            self.table(table)

    def _create(self, table: LakeTable) -> Table:
        name = (self._database, table.name)
        try:
            return self._catalog.create_table(
                name,
                iceberg_schema(table),
                location=f"{self._warehouse}/{table.name}",
                partition_spec=partition_spec(table),
                properties={**PROPERTIES, "comment": table.doc},
            )
        except TableAlreadyExistsError:
            return self._catalog.load_table(name)

    def is_done(self, table: LakeTable, commit: Commit) -> bool:
        """Whether this run's stage has committed to this table."""
        found = self.find(table)
        return found is not None and snapshot_of(found, commit) is not None

    def last_commit(self, table: LakeTable, stage: str) -> Commit | None:
        """The newest commit of this stage that the table's snapshots tell of, or None."""
        found = self.find(table)
        for snapshot in reversed(found.snapshots() if found else []):
            commit = commit_of(snapshot.summary)
            if commit is not None and commit.stage == stage:
                return commit
        return None

    def append(self, table: LakeTable, rows: pa.RecordBatchReader, commit: Commit) -> int:
        """Appends rows sorted by the partition; returns how many. Done before: writes nothing."""
        return self.replace(table, rows, (), commit)

    def replace(
        self,
        table: LakeTable,
        rows: pa.RecordBatchReader,
        gone: tuple[DataFile, ...],
        commit: Commit,
    ) -> int:
        """Puts rows (sorted by the partition) in the place of whole data files, in one snapshot.

        A conflict with another commit is retried while the files that go are all still there;
        else it raises, and the stage is repeated from its inputs.
        """
        target = self.table(table)
        if snapshot_of(target, commit) is not None:
            return 0
        files = write(target, table, rows)
        written = sum(file.record_count for file in files)
        with HeldTransaction(target) as transaction:
            update = transaction.update_snapshot(snapshot_properties=commit.properties)
            with update.overwrite() if gone else update.fast_append() as producer:
                for file in gone:
                    producer.delete_data_file(file)
                for file in files:
                    producer.append_data_file(file)
        return written

    def files(
        self, table: LakeTable, where: BooleanExpression | None = None
    ) -> tuple[DataFile, ...]:
        """The data files that may hold rows of `where`; none before the first write."""
        found = self.find(table)
        if found is None:
            return ()
        return self._plan(table, found).files if where is None else _matching(found, where)

    def dataset(self, table: LakeTable, where: BooleanExpression | None = None) -> ds.Dataset:
        """The rows of those files as an Arrow dataset that DuckDB streams and prunes.

        Files of whole partitions: rows that do not match `where` may be among them.
        """
        found = self.find(table)
        if found is None:
            return self.dataset_of(table, ())
        if where is None:
            return self._plan(table, found).rows
        return self.dataset_of(table, _matching(found, where))

    def _plan(self, table: LakeTable, found: Table) -> Planned:
        planned = self._planned.get(table.name)
        if planned is None or planned.metadata_location != found.metadata_location:
            files = _matching(found, AlwaysTrue())
            planned = Planned(found.metadata_location, files, self.dataset_of(table, files))
            self._planned[table.name] = planned
        return planned

    def dataset_of(self, table: LakeTable, files: tuple[DataFile, ...]) -> ds.Dataset:
        """The rows of these data files as an Arrow dataset."""
        schema = arrow_schema(table)
        if not files:
            return ds.dataset(schema.empty_table())
        scheme, netloc, _ = PyArrowFileIO.parse_location(files[0].file_path)
        system, form = self._file_io().fs_by_scheme(scheme, netloc), ds.ParquetFileFormat()
        fragments = [
            form.make_fragment(
                PyArrowFileIO.parse_location(file.file_path)[2],
                system,
                file_size=file.file_size_in_bytes,  # else it is asked for before each read
            )
            for file in files
        ]
        return ds.FileSystemDataset(fragments, schema, form, system)

    def unsettled(self, table: LakeTable, settled: Collection[str]) -> ds.Dataset:
        """The data files with rows of other runs than these, told by their bounds where those do.

        Rows of the settled runs may be among them.
        """
        return self.dataset_of(table, self.unsettled_files(table, self.files(table), settled))

    def unsettled_files(
        self, table: LakeTable, files: Iterable[DataFile], settled: Collection[str]
    ) -> tuple[DataFile, ...]:
        """Those of a table's files that hold rows of other runs than these."""
        found = self.find(table)
        if found is None:
            return ()
        field = found.schema().find_field(RUN_COLUMN).field_id
        return tuple(
            file
            for file in files
            if self._is_unsettled(table, file, _only_value(file, field), settled)
        )

    def _is_unsettled(
        self, table: LakeTable, file: DataFile, run_id: str | None, settled: Collection[str]
    ) -> bool:
        if run_id is not None:
            return run_id not in settled
        return has_other(self.dataset_of(table, (file,)), RUN_COLUMN, settled)

    def _file_io(self) -> PyArrowFileIO:
        return SharedFileIO(self._catalog.properties)


def one_of(column: str, values: Iterable[Any]) -> BooleanExpression:
    """Rows whose column has one of these values; dates may be ISO texts."""
    literals = {literal(value) for value in values}
    return In(term=Reference(column), literals=literals) if literals else AlwaysFalse()


def earlier_than(column: str, day: date) -> BooleanExpression:
    """Rows whose column is before a day."""
    return LessThan(term=Reference(column), value=day.isoformat())


def _matching(found: Table, where: BooleanExpression) -> tuple[DataFile, ...]:
    """The data files that may hold rows of `where`."""
    return tuple(task.file for task in found.scan(row_filter=where).plan_files())


def _only_value(file: DataFile, field: int) -> str | None:
    """The one text that a file's column holds; None if it may hold several."""
    least, greatest = (bounds.get(field) for bounds in (file.lower_bounds, file.upper_bounds))
    return least.decode() if least is not None and least == greatest else None


def snapshot_of(table: Table, commit: Commit) -> int | None:
    """The id of the snapshot that this commit made, or None."""
    for snapshot in reversed(table.snapshots()):
        if commit_of(snapshot.summary) == commit:
            return snapshot.snapshot_id
    return None


def commit_of(summary: Any) -> Commit | None:
    """Who made a snapshot, or None for one that was made by something else."""
    told = summary.additional_properties if summary is not None else {}
    return Commit(told[RUN], told[STAGE]) if RUN in told and STAGE in told else None


def _widened(found: Table, table: LakeTable) -> Table:
    present = set(found.schema().column_names)
    if not [name for name in table.column_names if name not in present]:
        return found
    with found.update_schema() as update:
        update.union_by_name(iceberg_schema(table))
    return found
