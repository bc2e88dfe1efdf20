"""Logs of changes: what holds now, what is new since the last finished run, and what to append."""

from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.runs import DONE, WHOLE
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import RUNS, LakeTable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_A_BATCH = 8_192
LATEST = """
    create or replace temp view {name} as
    select * exclude (nth) from (
        select *, row_number() over (
            partition by {key} order by recorded_at desc, run_id desc) as nth
        from {rows}
    ) where nth = 1
"""
SETTLED_RUNS = f"""
    create or replace temp table settled_run as
    select run_id from runs where stage = '{WHOLE}' and status = '{DONE}'
"""
FRESH = """
    create or replace temp view {name} as
    select * from {rows} where run_id not in (select run_id from settled_run)
"""
OWED = """
    select count(*) from runs
    where stage = 'load_events' and run_id not in (select run_id from settled_run)
      and cast(json_extract(figures, '$.displaced') as bigint) > 0
"""


def see(engine: "DuckDBPyConnection", lake: Lake, *tables: LakeTable) -> None:
    """Names the rows of these tables in the session, each under its table's name."""
    for table in tables:
        engine.register(table.name, lake.catalogue.dataset(table))


def see_runs(engine: "DuckDBPyConnection", lake: Lake) -> None:
    """Makes `settled_run`: the runs that were closed as done, whose work nobody owes any more."""
    see(engine, lake, RUNS)
    engine.execute(SETTLED_RUNS)


def fresh(engine: "DuckDBPyConnection", rows: str, name: str) -> None:
    """Makes view `name`: the rows of runs that are not settled, this one's and failed ones'."""
    engine.execute(FRESH.format(rows=rows, name=name))


def latest(engine: "DuckDBPyConnection", rows: str, key: str, name: str) -> None:
    """Makes view `name`: the newest row of each key of a log."""
    engine.execute(LATEST.format(rows=rows, key=key, name=name))


def must_redo(engine: "DuckDBPyConnection", displaced: int) -> bool:
    """Whether an earlier copy of a message took another's place: then evidence went, too."""
    return displaced > 0 or count(engine, OWED) > 0


def count(engine: "DuckDBPyConnection", statement: str) -> int:
    """The number that a statement gives."""
    rows = engine.execute(statement).fetchall()
    return int(rows[0][0]) if rows else 0


def append_changes(
    engine: "DuckDBPyConnection", lake: Lake, table: LakeTable, rows: str, commit: Commit
) -> int:
    """Appends a statement's rows, sorted as the table is kept; nothing new costs no commit."""
    engine.execute(f"create or replace temp table changed_rows as {rows}")
    changed = count(engine, "select count(*) from changed_rows")
    if changed:
        order = ", ".join((*table.partition, *table.sort))
        columns = ", ".join(f'"{name}"' for name in table.column_names)
        stream = engine.sql(f"select {columns} from changed_rows order by {order}")
        lake.catalogue.append(table, stream.to_arrow_reader(ROWS_A_BATCH), commit)
    return changed


def keep(engine: "DuckDBPyConnection", name: str, rows: pa.Table) -> None:
    """Makes temporary table `name` of Arrow rows."""
    engine.register("rows_to_keep", rows)
    engine.execute(f"create or replace temp table {name} as select * from rows_to_keep")
    engine.unregister("rows_to_keep")


def empty(engine: "DuckDBPyConnection", table: LakeTable, name: str) -> None:
    """Makes temporary table `name` with a table's columns and no row."""
    keep(engine, name, arrow_schema(table).empty_table())
