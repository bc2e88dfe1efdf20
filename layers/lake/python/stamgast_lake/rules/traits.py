"""Computed traits as they are now, and what that changes in the log."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stamgast.segments.definitions import ComputedTrait
from stamgast.segments.language.windows import Now
from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.logs import append_changes, latest, see
from stamgast_lake.rules.computed import COMPUTED, computed
from stamgast_lake.runs import Run
from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import COMPUTED_TRAITS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NOBODY = f"""
    create or replace temp table {COMPUTED} as
    select cast(null as varchar) as person_id, cast(null as json) as computed,
        cast(null as json) as kept where false
"""
STAMP = """cast('{moment}' as timestamptz) as recorded_at,
        cast({shard} as integer) as shard, '{run_id}' as run_id"""
CHANGES = f"""
    select found.person_id, cast(found.kept as varchar) as traits, {STAMP}
    from {COMPUTED} found left join computed_now was on was.person_id = found.person_id
    where was.traits is distinct from cast(found.kept as varchar)
"""
GONE = f"""
    select was.person_id, '{{{{}}}}' as traits, {STAMP}
    from computed_now was
    where was.traits <> '{{{{}}}}' and was.person_id not in (select person_id from {COMPUTED})
"""


def compute(engine: "DuckDBPyConnection", traits: Sequence[ComputedTrait], now: Now) -> None:
    """Makes `rule_computed` of the views of `stamgast_lake.rules.relations`."""
    for statement in computed(traits, now) if traits else [NOBODY]:
        engine.execute(statement)


def log_computed(
    engine: "DuckDBPyConnection",
    lake: Lake,
    run: Run,
    traits: Sequence[ComputedTrait],
    now: Now,
    stage: str,
) -> dict[str, int]:
    """Makes `rule_computed` and appends what changed; returns how many persons' traits did.

    Needs the views of `stamgast_lake.rules.relations` where there are traits.
    """
    see(engine, lake, COMPUTED_TRAITS)
    latest(engine, "computed_traits", "person_id", "computed_now")
    compute(engine, traits, now)
    told = {"moment": run.moment.isoformat(), "run_id": run.run_id}
    found = CHANGES.format(**told, shard=shard_sql("found.person_id"))
    gone = GONE.format(**told, shard=shard_sql("was.person_id"))
    rows = f"{found} union all {gone}"
    changed = append_changes(engine, lake, COMPUTED_TRAITS, rows, Commit(run.run_id, stage))
    return {"computed": changed}
