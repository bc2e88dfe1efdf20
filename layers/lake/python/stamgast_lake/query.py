"""SQL over the lake's tables and views; only what a query names is opened."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from stamgast_lake.archive import LakeObject, fetch_all, read_lines
from stamgast_lake.catalogue import Catalogue
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.lake import catalogue_of
from stamgast_lake.logs import SETTLED, SETTLED_RUNS
from stamgast_lake.past import MACROS, macro_statement, refuse_ahead
from stamgast_lake.tables import ARCHIVE, DISCLOSURES, ICEBERG, RUNS, LakeTable
from stamgast_lake.views import SALTED, VIEWS, create_statement

WORD = re.compile(r"[a-z_][a-z0-9_]*")
ICEBERG_TABLES = {table.name: table for table in ICEBERG}
ARCHIVE_TABLES = {table.name: table for table in ARCHIVE}
DUCKDB_TYPES = {
    "boolean": "BOOLEAN",
    "long": "BIGINT",
    "string": "VARCHAR",
    "map<string,string>": "MAP(VARCHAR, VARCHAR)",
}
PREFIXES = {"raw_events": "raw", "rejected_events": "rejected", "disclosures": "disclosures"}


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Where the audit log is; `persons` tells those who have a salt, each with their hash."""

    bucket: str
    persons: Callable[[], Iterable[tuple[str, str]]] = tuple


class LakeSession:
    """A DuckDB session in which tables and views appear when a query first names them."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        catalogue: Catalogue,
        s3: Any,
        bucket: str,
        audit: AuditLog | None = None,
    ) -> None:
        self.connection = connection
        self._catalogue, self._s3, self._bucket = catalogue, s3, bucket
        self._audit = audit or AuditLog(bucket)
        self._open: set[str] = set()

    def query(self, sql: str) -> pa.Table:
        """The answer as an Arrow table; duckdb.Error for SQL that it cannot run.

        SQL without an answer (nothing, or a comment) gives a table without columns.
        """
        self.open_named(sql)
        answer: DuckDBPyRelation | None = self.connection.sql(sql)
        return pa.table({}) if answer is None else answer.to_arrow_table()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The answer as dictionaries."""
        rows: list[dict[str, Any]] = self.query(sql).to_pylist()
        return rows

    def open_named(self, sql: str) -> None:
        """Opens every table and view whose name stands in the SQL, and what those read."""
        for name in WORD.findall(sql.lower()):
            self.open(name)

    def open(self, name: str) -> None:
        """Opens one table, view or macro, as it is now; any other name is left alone."""
        if name in self._open:
            return
        self._open.add(name)
        if name in VIEWS:
            for read in VIEWS[name].reads:
                self.open(read)
            self.connection.execute(create_statement(VIEWS[name]))
        elif name in MACROS:
            for read in MACROS[name].reads:
                self.open(read)
            self.connection.execute(macro_statement(MACROS[name]))
        elif name in ICEBERG_TABLES:
            dataset = self._catalogue.dataset(ICEBERG_TABLES[name])
            self.connection.register(name, dataset)
        elif name in ARCHIVE_TABLES:
            self._open_archive(ARCHIVE_TABLES[name])
        elif name == SALTED:
            self._open_salted()

    def settle(self, *tables: LakeTable) -> None:
        """Opens these logs without what a run in the middle, or one that failed, has written."""
        self.open(RUNS.name)
        self.connection.execute(SETTLED_RUNS)
        for table in tables:
            rows = f"any_{table.name}"
            self.connection.register(rows, self._catalogue.dataset(table))
            self.connection.execute(SETTLED.format(name=table.name, rows=rows))
            self._open.add(table.name)

    def refresh(self) -> None:
        """Forgets what was opened, so that the next query sees the newest snapshots."""
        self._open.clear()

    def _open_archive(self, table: LakeTable) -> None:
        columns = ", ".join(
            f'"{column.name}" {DUCKDB_TYPES.get(str(column.type), "VARCHAR[]")}'
            for column in table.columns
        )
        self.connection.execute(f"create or replace table {table.name} ({columns})")
        names = table.column_names[: -len(table.partition)]
        shape = ", ".join(
            f'"{column.name}": "{DUCKDB_TYPES.get(str(column.type), "VARCHAR[]")}"'
            for column in table.columns
            if column.name in names
        )
        picked = ", ".join(f'told."{name}"' for name in names)
        bucket = self._audit.bucket if table is DISCLOSURES else self._bucket
        for chunk in self._archive_lines(bucket, PREFIXES[table.name]):
            self.connection.register("archive_lines", chunk)
            self.connection.execute(
                f"insert into {table.name} select {picked}, date, hour from (select"
                f" from_json(line, '{{{shape}}}') as told, date, hour from archive_lines) read"
            )

    def _open_salted(self) -> None:
        told = list(self._audit.persons())
        columns = {
            "person_id": [person_id for person_id, _ in told],
            "person_ref": [ref for _, ref in told],
        }
        schema = pa.schema([(name, pa.string()) for name in columns])
        self.connection.register(SALTED, pa.table(columns, schema=schema))

    def _archive_lines(self, bucket: str, prefix: str) -> Iterator[pa.Table]:
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=f"{prefix}/date="):
            objects = [_archived(told, prefix) for told in page.get("Contents", ())]
            for one, body in fetch_all(self._s3, bucket, objects):
                lines = [line.decode() for line in read_lines(body)]
                on, hour = (part.partition("=")[2] for part in one.key.split("/")[1:3])
                yield pa.table(
                    {"line": lines, "date": [on] * len(lines), "hour": [hour] * len(lines)},
                    schema=pa.schema([(name, pa.string()) for name in ("line", "date", "hour")]),
                )


def _archived(told: dict[str, Any], kind: str) -> LakeObject:
    return LakeObject(told["Key"], told["ETag"].strip('"'), told["Size"], kind, "")


@contextmanager
def open_lake(
    *,
    glue: Any,
    s3: Any,
    bucket: str,
    database: str,
    now: datetime,
    settings: EngineSettings | None = None,
    audit: AuditLog | None = None,
) -> Iterator[LakeSession]:
    """A session over a deployed lake, from low-level clients of Glue and S3, opened `now`."""
    catalogue = catalogue_of(glue=glue, bucket=bucket, database=database)
    with session(settings) as connection:
        refuse_ahead(connection, now)
        yield LakeSession(connection, catalogue, s3, bucket, audit)
