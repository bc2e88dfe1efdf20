"""Logs of changes: what holds now, what is new since the last finished run, and what to append."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.dataset as ds

from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.pruning import among, holding
from stamgast_lake.runs import DONE, LINKS_STAGE, MODELS_STAGE, WHOLE
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
    select run_id from runs where stage = '{WHOLE}' and seq <= (
        select max(seq) from runs where stage = '{WHOLE}' and status = '{DONE}')
    union select run_id from runs where stage in ('{LINKS_STAGE}', '{MODELS_STAGE}')
"""
FRESH = """
    create or replace temp view {name} as
    select * from {rows} where run_id not in (select run_id from settled_run)
"""
SETTLED = """
    create or replace temp view {name} as
    select * from {rows} where run_id in (select run_id from settled_run)
"""
LOOKED_UP = """
    create or replace temp table {into} as
    select {told}, run_id in (select run_id from settled_run) as is_settled
    from {rows} where {column} in (select key from {keys})
"""
UNSETTLED = "select distinct run_id from runs where run_id not in (select run_id from settled_run)"
SORTED_KEYS = "select distinct key from {keys} where key is not null order by key"
NEWEST = """
    create or replace temp table {name} as
    with repeated as (
        select {key} from {rows} where {only} group by {key} having count(*) > 1
    )
    select * from {rows} where {only} and ({key}) not in (select {key} from repeated)
    union all
    select * exclude (nth) from (
        select *, row_number() over (
            partition by {key} order by recorded_at desc, run_id desc) as nth
        from {rows} where {only} and ({key}) in (select {key} from repeated)
    ) where nth = 1
"""
FEW = 2_000
# From one key in so many rows on, the engine's own join costs less than finding them in Arrow.
MANY = 8
# A run that failed without a word of its load, or stopped, may have taken evidence away as well.
OWED = """
    select count(*) from runs
    where run_id not in (select run_id from settled_run) and (
        stage = 'load_events' and cast(json_extract(figures, '$.displaced') as bigint) > 0
        or stage = 'run' and run_id not in (select run_id from runs where stage = 'load_events'))
"""


class Seeing(Protocol):
    """Names rows of some tables in the session, each under its table's name."""

    def __call__(self, engine: "DuckDBPyConnection", lake: Lake, *tables: LakeTable) -> None:
        """`see` names all rows, `see_settled` those of runs that ended well."""


def see(engine: "DuckDBPyConnection", lake: Lake, *tables: LakeTable) -> None:
    """Names the rows of these tables in the session, each under its table's name."""
    for table in tables:
        engine.register(table.name, lake.catalogue.dataset(table))


def see_runs(engine: "DuckDBPyConnection", lake: Lake) -> None:
    """Makes `settled_run`: the runs whose work nobody owes any more.

    Those are the newest that was closed as done and all before it, for it took up what they left;
    and runs of links and of models, which owe the stages nothing.
    """
    see(engine, lake, RUNS)
    engine.execute(SETTLED_RUNS)


def see_settled(engine: "DuckDBPyConnection", lake: Lake, *tables: LakeTable) -> None:
    """Names the rows that a run in the middle, or one that failed, has no part in.

    So no person of one run meets the profile of another. Needs `settled_run`.
    """
    for table in tables:
        rows = f"any_{table.name}"
        engine.register(rows, lake.catalogue.dataset(table))
        engine.execute(SETTLED.format(name=table.name, rows=rows))


def fresh(engine: "DuckDBPyConnection", rows: str, name: str) -> None:
    """Makes view `name`: the rows of runs that are not settled, this one's and failed ones'."""
    engine.execute(FRESH.format(rows=rows, name=name))


def see_fresh(engine: "DuckDBPyConnection", lake: Lake, *tables: LakeTable) -> None:
    """Makes view `fresh_<table>` of each, and reads no file that holds settled rows alone.

    Needs `settled_run`.
    """
    settled = [run_id for (run_id,) in engine.execute("select run_id from settled_run").fetchall()]
    for table in tables:
        rows = f"unsettled_{table.name}"
        engine.register(rows, lake.catalogue.unsettled(table, settled))
        fresh(engine, rows, f"fresh_{table.name}")


def look_up(
    engine: "DuckDBPyConnection",
    lake: Lake,
    table: LakeTable,
    keys: str,
    into: str,
    told: Sequence[str] = (),
) -> None:
    """Makes temporary table `into`: a log's rows of the keys of relation `keys` (key).

    Each with `is_settled`, and with the columns `told` alone where those are named. A few keys are
    found by the statistics of row groups, many in one pass. Needs `settled_run`.
    """
    rows, column = f"looked_up_{table.name}", table.sort[0]
    names = told or table.column_names
    engine.register(rows, _holding(engine, lake, table, keys, names))
    listed = ", ".join(f'"{name}"' for name in names)
    engine.execute(LOOKED_UP.format(into=into, rows=rows, column=column, keys=keys, told=listed))
    engine.unregister(rows)


def _holding(
    engine: "DuckDBPyConnection", lake: Lake, table: LakeTable, keys: str, told: Sequence[str]
) -> ds.Dataset | pa.RecordBatchReader:
    """The rows of a few keys or of many; where most are asked for, all rows."""
    dataset, column = lake.catalogue.dataset(table), table.sort[0]
    found = engine.sql(SORTED_KEYS.format(keys=keys)).to_arrow_table().column(0)
    wanted = found.combine_chunks().cast(pa.string())
    if len(wanted) <= FEW:
        dataset = among(dataset, column, wanted.to_pylist())
    elif len(wanted) * MANY > dataset.count_rows():
        return dataset
    return holding(dataset, column, wanted, told)


def newest(
    engine: "DuckDBPyConnection", rows: str, key: str, name: str, only: str = "true"
) -> None:
    """Makes temporary table `name`: the newest of the rows of each key among those of `only`.

    Most keys have one row, and are not sorted.
    """
    engine.execute(NEWEST.format(rows=rows, key=key, name=name, only=only))


def latest(engine: "DuckDBPyConnection", rows: str, key: str, name: str) -> None:
    """Makes view `name`: the newest row of each key of a log."""
    engine.execute(LATEST.format(rows=rows, key=key, name=name))


def is_first(engine: "DuckDBPyConnection") -> bool:
    """Whether no run has settled anything: then all there is is new."""
    return count(engine, "select count(*) from settled_run") == 0


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
