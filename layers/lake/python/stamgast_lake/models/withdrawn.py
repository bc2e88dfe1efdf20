"""Scores that are taken back: a row of the log without a value, after which nobody is told."""

from datetime import timedelta
from typing import TYPE_CHECKING

from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.logs import append_changes, count, latest, look_up, see_fresh, see_runs
from stamgast_lake.runs import Run
from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import IDENTITY, SCORES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

VALID_DAYS = 7
STAMP = """cast('{scored_on}' as date) as scored_on, {valid_until} as valid_until,
        {moment} as recorded_at, cast({shard} as integer) as shard, '{run_id}' as run_id"""
GONE = f"""
    select was.person_id, was.model, was.version, cast(null as double), cast(null as double),
        cast(null as varchar), cast(null as double), cast(null as double), cast(null as varchar),
        cast(null as varchar), {STAMP}
    from score_now was
    where was.value is not null and {{which}}
"""
# An identifier that joins another whole person takes nobody's words along.
LEFT = """
    create or replace temp table left_identifier as
    select distinct identifier as key from fresh_identity
    where cause in ('split', 'limited', 'gone')
"""
FORMER = """
    create or replace temp table parted_person as
    select distinct person_id as key from (
        select person_id, row_number() over (
            partition by identifier order by recorded_at desc, run_id desc) as nth
        from left_identity where is_settled
    ) where nth = 1 and person_id is not null
"""


def stamp_of(run: Run, scored_on: str) -> dict[str, str]:
    """What `STAMP` is filled with beside the shard."""
    until = run.moment + timedelta(days=VALID_DAYS)
    return {
        "scored_on": scored_on,
        "moment": f"cast('{run.moment.isoformat()}' as timestamptz)",
        "valid_until": f"cast('{until.isoformat()}' as timestamptz)",
        "run_id": run.run_id,
    }


def gone_sql(which: str, stamp: dict[str, str]) -> str:
    """The statement of rows that take back those scores of `score_now` of which this holds."""
    return GONE.format(which=which, shard=shard_sql("was.person_id"), **stamp)


def withdraw(engine: "DuckDBPyConnection", lake: Lake, run: Run, which: str, commit: Commit) -> int:
    """Takes back the scores of `score_now` of which this holds; how many."""
    gone = gone_sql(which, stamp_of(run, str(run.moment.date())))
    named = f"select * from ({gone}) gone({', '.join(SCORES.column_names)})"
    return append_changes(engine, lake, SCORES, named, commit)


def withdraw_parted(engine: "DuckDBPyConnection", lake: Lake, run: Run, stage: str) -> int:
    """Takes back what was said of whoever an identifier left in this run; how many.

    A score told of all that was one person then. Their model says anew what it thinks of each.
    """
    see_runs(engine, lake)
    see_fresh(engine, lake, IDENTITY)
    engine.execute(LEFT)
    if not count(engine, "select count(*) from left_identifier"):
        return 0
    look_up(engine, lake, IDENTITY, "left_identifier", "left_identity")
    engine.execute(FORMER)
    look_up(engine, lake, SCORES, "parted_person", "score_row")
    latest(engine, "score_row", "model, person_id", "score_now")
    return withdraw(engine, lake, run, "true", Commit(run.run_id, f"{stage} scores"))
