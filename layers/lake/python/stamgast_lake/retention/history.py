"""Rows that end by themselves: what newer rows of a log replaced, and receipts of egress.

Of each key the row that held at the limit stays, so that any moment since can still be asked for.
Logs are looked through once a week, for that reads two columns of them whole.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from stamgast.retention import Retention
from stamgast_lake.catalogue import Commit, earlier_than
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.loading.rows import in_order
from stamgast_lake.logs import count, see_runs
from stamgast_lake.retention.done import Done, Mark
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import (
    ANCHORS,
    COMPUTED_TRAITS,
    EGRESS_RECEIPTS,
    EVENTS,
    MEMBERSHIPS,
    PROFILES,
    RFM,
    SCORES,
    LakeTable,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyiceberg.manifest import DataFile

HISTORY, RECEIPTS = "history", "egress_receipts"
EVERY = timedelta(days=7)
LOGS = {
    ANCHORS: "anchor_key",
    PROFILES: "person_id",
    RFM: "person_id",
    COMPUTED_TRAITS: "person_id",
    MEMBERSHIPS: "person_id, segment",
    SCORES: "person_id, model",
}
ROWS_A_BATCH = 8_192
STANDING = """
    create or replace temp table standing as
    select {key}, max(recorded_at) as held_at from log
    where recorded_at < cast('{limit}' as timestamptz)
      and run_id in (select run_id from settled_run)
    group by {key} having count(*) > 1
"""
REPLACED = "select count(*) from candidate semi join standing on {same} and {older}"
LEFT = "select candidate.* from candidate anti join standing on {same} and {older}"
OLDER = "candidate.recorded_at < standing.held_at"


def ending_tables(retention: Retention) -> frozenset[str]:
    """The tables of which rows end, by name."""
    told = {EVENTS.name} if retention.classes or EVENTS.name in retention.days else set[str]()
    told |= {one.name for one in LOGS} if HISTORY in retention.days else set()
    return frozenset(told | ({RECEIPTS} & retention.days.keys()))


def end_rows(lake: Lake, run_id: str, seq: int, today: date, done: Done) -> int:
    """Takes out the rows that are past their days; returns how many."""
    retention, ended = lake.workspace().retention, 0
    before = retention.before(RECEIPTS, today)
    if before is not None:
        ended += _end_receipts(lake, run_id, before)
    before = retention.before(HISTORY, today)
    if before is not None and _is_due(done, before):
        ended += sum(_end_log(lake, run_id, table, before) for table in LOGS)
        done.put(HISTORY, Mark("", before.isoformat(), seq))
    return ended


def _is_due(done: Done, before: date) -> bool:
    mark = done.mark(HISTORY, "")
    return mark is None or not mark.until <= before.isoformat() < _next(mark)


def _next(mark: Mark) -> str:
    return (date.fromisoformat(mark.until) + EVERY).isoformat()


def _end_receipts(lake: Lake, run_id: str, before: date) -> int:
    files = lake.catalogue.files(EGRESS_RECEIPTS, earlier_than("egress_on", before))
    if files:
        nothing = arrow_schema(EGRESS_RECEIPTS).empty_table().to_reader()
        commit = Commit(run_id, f"retain {before}")
        lake.catalogue.replace(EGRESS_RECEIPTS, nothing, files, commit)
    return sum(file.record_count for file in files)


def past_rows(lake: Lake, before: date) -> int:
    """How many rows of all logs newer ones had replaced by then."""
    found = 0
    for table in LOGS:
        with session() as engine:
            told = _name_standing(engine, lake, table, before)
            engine.register("candidate", lake.catalogue.dataset(table))
            found += count(engine, REPLACED.format(**told))
    return found


def _name_standing(
    engine: "DuckDBPyConnection", lake: Lake, table: LakeTable, before: date
) -> dict[str, str]:
    """Makes `standing`; returns what the statements over `candidate` have to say of it."""
    limit = datetime.combine(before, time(), UTC).isoformat()
    see_runs(engine, lake)
    engine.register("log", lake.catalogue.dataset(table))
    engine.execute(STANDING.format(key=LOGS[table], limit=limit))
    names = LOGS[table].split(", ")
    same = " and ".join(f"candidate.{name} = standing.{name}" for name in names)
    return {"same": same, "older": OLDER}


def _end_log(lake: Lake, run_id: str, table: LakeTable, before: date) -> int:
    with session() as engine:
        told = _name_standing(engine, lake, table, before)
        files = _holding(engine, lake, table, REPLACED.format(**told))
        if not files:
            return 0
        engine.register("candidate", lake.catalogue.dataset_of(table, files))
        rows = in_order(table, LEFT.format(**told))
        stream = engine.sql(rows).to_arrow_reader(ROWS_A_BATCH)
        commit = Commit(run_id, f"retain {before}")
        left = lake.catalogue.replace(table, stream, files, commit)
        return sum(file.record_count for file in files) - left


def _holding(
    engine: "DuckDBPyConnection", lake: Lake, table: LakeTable, query: str
) -> "tuple[DataFile, ...]":
    """The files that hold a row that another has replaced."""
    holding = []
    for file in lake.catalogue.files(table):
        engine.register("candidate", lake.catalogue.dataset_of(table, (file,)))
        if count(engine, query):
            holding.append(file)
    return tuple(holding)
