"""Loading a run's objects: events, evidence, index, receipts, ledger, each committed once.

The order of the commits is what makes a repeat exact: a copy that another displaces leaves evidence
and index after its successor's receipt says whom it named, and the ledger comes last, so that an
object in the ledger is wholly loaded.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection
from pyiceberg.expressions import BooleanExpression

from stamgast.erasure.tombstones import NoTombstones, TombstoneLog
from stamgast.identity.decision import PLATFORM_SOURCE
from stamgast_lake.archive import IMPORT, LakeObject
from stamgast_lake.catalogue import Catalogue, Commit, one_of
from stamgast_lake.loading.duplicates import DROPPED, ERASED, decide
from stamgast_lake.loading.rows import in_order, new_rows
from stamgast_lake.loading.stage import Taken
from stamgast_lake.loading.unheld import Unheld
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import (
    CONSTRAINTS,
    EVENTS,
    EVIDENCE,
    MESSAGE_INDEX,
    RAW_FILES,
    RECEIPTS,
    LakeTable,
)

STAGE = "load"
ROWS_A_BATCH = 8_192
CHECKED_WHOLE_ROWS = 5_000_000
TOUCHED_DAYS = "select distinct cast(received_at as date) from staged"
TOUCHED_CLASSES = "select distinct sent_on from staged where reason is null"
DECIDED_MESSAGES = f"select 1 from staged where source_id = '{PLATFORM_SOURCE}' limit 1"
ERASED_ANCHORS = """
    select distinct message_key from staged
    where reason is null and anchor_key in (select key from erased_key)
"""
NEWLY_GONE = f"select distinct message_key from arrival where reason = '{ERASED}'"
LIMIT = {"days": TOUCHED_DAYS, "classes": TOUCHED_CLASSES}
# A load that is repeated meets no copy that its first attempt displaced: receipts tell of them.
TOLD_DISPLACED = """
    select count(*) from own_receipt
    where run_id = '{run_id}' and state = 'stored' and identifiers is not null
"""
DISPLACED_PARTITIONS = {
    EVENTS.name: "select distinct event_on from displaced",
    EVIDENCE.name: (
        f"select distinct cast({shard_sql('anchor_key')} as integer)"
        " from displaced where anchor_key is not null"
    ),
    MESSAGE_INDEX.name: "select distinct sent_on from displaced",
    RECEIPTS.name: "select distinct received_on from unheld",
}
# Copies that are decided anew leave their receipts, displaced ones all that is not one.
GIVING_WAY = {RECEIPTS.name: "unheld"}


@dataclass(frozen=True, slots=True)
class Loader:
    """One load of one run over a DuckDB session whose view `staged` holds the run's rows."""

    catalogue: Catalogue
    connection: DuckDBPyConnection
    run_id: str
    log: TombstoneLog = field(default_factory=NoTombstones)
    unheld: Unheld = field(default_factory=Unheld)
    note: Callable[[DuckDBPyConnection], None] = lambda _: None
    """Told what was seen, before the first commit: what is noted then no later stop loses."""

    @property
    def commit(self) -> Commit:
        """What the snapshots of this load carry."""
        return Commit(self.run_id, STAGE)

    def load(self, taken: Sequence[Taken]) -> dict[str, int]:
        """Decides and commits; returns the figures of the load, the same when it is repeated."""
        self.unheld.see(self.connection)
        self._see("known_receipt", RECEIPTS, self._touched("received_on", TOUCHED_DAYS))
        self._see("known_message", MESSAGE_INDEX, self._classes())
        self._see_gone()
        decide(self.connection)
        self.note(self.connection)
        self._write(EVENTS)
        self._tell_receipts()
        self._write(EVIDENCE)
        is_first = self._write(MESSAGE_INDEX)
        if values_of(self.connection, DECIDED_MESSAGES):
            self._append(CONSTRAINTS, in_order(CONSTRAINTS, new_rows(CONSTRAINTS, self.run_id)))
        self.log.put_gone(values_of(self.connection, NEWLY_GONE))
        self.catalogue.append(RAW_FILES, ledger_rows(taken, self.run_id), self.commit)
        displaced = _count(self.connection, "displaced") if is_first else self._told_displaced()
        return self._figures(taken, displaced)

    def _see_gone(self) -> None:
        """Names the erased messages of which copies came under the name of one who came back."""
        keys = pa.array(sorted(self.log.all()), pa.string())
        self.connection.register("erased_key", pa.table({"key": keys}))
        copies = values_of(self.connection, ERASED_ANCHORS) if len(keys) else ()
        gone = pa.array(sorted(self.log.gone(copies)) if copies else [], pa.string())
        self.connection.register("gone_message", pa.table({"message_key": gone}))

    def _classes(self) -> BooleanExpression | None:
        """The classes that new messages touch; all of them while the index is small."""
        rows = sum(file.record_count for file in self.catalogue.files(MESSAGE_INDEX))
        return None if rows <= CHECKED_WHOLE_ROWS else self._touched("sent_on", TOUCHED_CLASSES)

    def _touched(self, column: str, query: str) -> BooleanExpression:
        return one_of(column, values_of(self.connection, query))

    def _see(self, view: str, table: LakeTable, where: BooleanExpression | None) -> None:
        """Names the table's rows of earlier runs in the partitions of `where`.

        What is decided anew is none.
        """
        self.connection.register(f"{view}_files", self.catalogue.dataset(table, where))
        self.connection.execute(
            f"create or replace temp view {view} as"
            f" select * from {view}_files where run_id <> '{self.run_id}'"
            " and coalesce(receipt_id, '') not in (select receipt_id from unheld)"
        )

    def _write(self, table: LakeTable) -> bool:
        """Appends, or where rows give way overwrites the partitions that hold these.

        False if an earlier attempt has done so.
        """
        if self.catalogue.is_done(table, self.commit):
            return False
        rows = new_rows(table, self.run_id)
        if values_of(self.connection, DISPLACED_PARTITIONS[table.name]):
            without_displaced(self.catalogue, self.connection, table, self.commit, rows)
        else:
            self._append(table, in_order(table, rows))
        return True

    def _tell_receipts(self) -> None:
        """Whom a displaced copy named, its evidence says as long as it stands."""
        shards = values_of(self.connection, DISPLACED_PARTITIONS[EVIDENCE.name])
        where = one_of(EVIDENCE.partition[0], shards)
        files = self.catalogue.files(EVIDENCE, where) if shards else ()
        told = self.catalogue.dataset_of(EVIDENCE, files)
        self.connection.register("displaced_evidence", told)
        self.connection.execute(DROPPED)
        self._write(RECEIPTS)

    def _append(self, table: LakeTable, rows: str) -> None:
        if not self.catalogue.is_done(table, self.commit):
            self.catalogue.append(table, stream(self.connection, rows), self.commit)

    def _figures(self, taken: Sequence[Taken], displaced: int) -> dict[str, int]:
        states = self.connection.execute("select state, count(*) from outcome group by state")
        counts = dict(states.fetchall())
        read = [one for one in taken if one.object.kind != IMPORT]
        return {
            "objects": len(read),
            "imports": len(taken) - len(read),
            "lines": sum(one.lines for one in read),
            "unreadable": sum(one.unreadable for one in read),
            "receipts": sum(counts.values()),
            **{
                name: counts.get(name, 0)
                for name in ("stored", "duplicate", "conflict", "rejected", "suppressed")
            },
            "displaced": displaced,
        }

    def _told_displaced(self) -> int:
        days = values_of(self.connection, TOUCHED_DAYS)
        own = self.catalogue.dataset(RECEIPTS, one_of("received_on", days))
        self.connection.register("own_receipt", own)
        [told] = values_of(self.connection, TOLD_DISPLACED.format(run_id=self.run_id))
        return int(told)


def without_displaced(
    catalogue: Catalogue,
    connection: DuckDBPyConnection,
    table: LakeTable,
    commit: Commit,
    added: str | None = None,
) -> None:
    """Rewrites the partitions that hold rows that give way without these, and with what is added.

    An earlier copy of a message has its own receipt, so rows are told apart by receipts.
    """
    partitions = values_of(connection, DISPLACED_PARTITIONS[table.name])
    files = catalogue.files(table, one_of(table.partition[0], partitions))
    connection.register("replaced", catalogue.dataset_of(table, files))
    columns, gone = ", ".join(table.column_names), GIVING_WAY.get(table.name, "displaced")
    rows = (
        f"select {columns} from replaced"
        f" where coalesce(receipt_id, '') not in (select receipt_id from {gone})"
    )
    if added is not None:
        rows = f"select {columns} from ({added}) added union all {rows}"
    catalogue.replace(table, stream(connection, in_order(table, rows)), files, commit)


def stream(connection: DuckDBPyConnection, query: str) -> pa.RecordBatchReader:
    """The rows of a query in batches of bounded size."""
    rows: pa.RecordBatchReader = connection.sql(query).to_arrow_reader(ROWS_A_BATCH)
    return rows


def values_of(connection: DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The values of a query's only column; dates as ISO text, as Iceberg's literals take them."""
    found = (row[0] for row in connection.execute(query).fetchall())
    return tuple(value.isoformat() if isinstance(value, date) else value for value in found)


def _count(connection: DuckDBPyConnection, table: str) -> int:
    rows = connection.execute(f"select count(*) from {table}").fetchall()
    return int(rows[0][0])


def ledger_rows(taken: Sequence[Taken], run_id: str) -> pa.RecordBatchReader:
    """The ledger's rows for objects that were read, sorted as the ledger is kept."""
    schema = arrow_schema(RAW_FILES)
    rows = [_ledger_row(one.object, one.lines, one.unreadable, run_id) for one in taken]
    rows.sort(key=lambda row: (row["arrived_on"], row["object"]))
    batches: Iterator[pa.RecordBatch] = iter(
        pa.Table.from_pylist(rows, schema=schema).to_batches() if rows else ()
    )
    return pa.RecordBatchReader.from_batches(schema, batches)


def _ledger_row(one: LakeObject, lines: int, unreadable: int, run_id: str) -> dict[str, Any]:
    return {
        "object": one.key,
        "etag": one.etag,
        "kind": one.kind,
        "bytes": one.bytes,
        "lines": lines,
        "unreadable": unreadable,
        "arrived_on": date.fromisoformat(one.arrived_on),
        "run_id": run_id,
    }
