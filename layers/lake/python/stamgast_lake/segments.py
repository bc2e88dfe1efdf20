"""The stage `segments` of a run: RFM, computed traits and memberships, changes logged."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from stamgast.moments import ms_of
from stamgast.segments.definitions import computed_traits_of, segments_of
from stamgast.segments.language.windows import Now
from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.logs import append_changes, latest, see
from stamgast_lake.models.withdrawn import withdraw_parted
from stamgast_lake.rules.memberships import log_memberships
from stamgast_lake.rules.relations import add_computed, make_relations
from stamgast_lake.rules.statements import ask
from stamgast_lake.rules.traits import log_computed
from stamgast_lake.runs import Run
from stamgast_lake.scored import score_buyers
from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import RFM

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STAGE = "segments"
STAMP = """cast('{moment}' as timestamptz) as recorded_at,
        cast({shard} as integer) as shard, '{run_id}' as run_id"""
SCORED = f"""
    select scored.person_id, scored.recency_days, scored.last_order_on, scored.frequency,
        scored.monetary_minor, scored.currency, scored.recency_score as r,
        scored.frequency_score as f, scored.monetary_score as m, scored.cell as segment, {STAMP}
    from scored left join rfm_now was on was.person_id = scored.person_id
    where was.segment is distinct from scored.cell or was.r <> scored.recency_score
       or was.f <> scored.frequency_score or was.m <> scored.monetary_score
       or was.last_order_on <> scored.last_order_on or was.frequency <> scored.frequency
       or was.monetary_minor <> scored.monetary_minor or was.currency <> scored.currency
"""
LEFT = f"""
    select was.person_id, cast(null as bigint), cast(null as date), cast(0 as bigint),
        cast(null as bigint), cast(null as varchar), cast(null as integer),
        cast(null as integer), cast(null as integer), cast(null as varchar), {STAMP}
    from rfm_now was
    where was.segment is not null and was.person_id not in (select person_id from scored)
"""
CELLS = "select cell, count(*) from scored group by cell order by cell"


def evaluate_run(lake: Lake, run: Run) -> dict[str, int]:
    """Scores every buyer, asks every rule of everybody, and logs who moved; returns the figures."""
    with session() as engine:
        score_buyers(engine, lake, ms_of(run.moment))
        see(engine, lake, RFM)
        latest(engine, "rfm", "person_id", "rfm_now")
        moved = append_changes(engine, lake, RFM, _changes(run), Commit(run.run_id, STAGE))
        return {"rfm": moved, **_cells(engine), **_memberships(engine, lake, run)}


def _memberships(engine: "DuckDBPyConnection", lake: Lake, run: Run) -> dict[str, int]:
    """Everybody's computed traits, and who is in each segment by them and by this run's scores."""
    workspace = lake.workspace()
    rules = [segment.rule for segment in segments_of(workspace.segments)]
    traits = computed_traits_of(workspace.traits)
    now = Now(ms_of(run.moment), ZoneInfo(workspace.time_zone))
    if rules or traits:
        make_relations(engine, lake)
    withdrawn = withdraw_parted(engine, lake, run, STAGE)
    figures = log_computed(engine, lake, run, traits, now, STAGE)
    if rules:
        add_computed(engine, lake, rules, now.ms)
        ask(engine, rules, now)
    moved = log_memberships(engine, lake, run, rules, STAGE)
    return {**figures, **moved, "scores_withdrawn": withdrawn}


def _changes(run: Run) -> str:
    told = {"moment": run.moment.isoformat(), "run_id": run.run_id}
    scored = SCORED.format(**told, shard=shard_sql("scored.person_id"))
    return f"{scored} union all {LEFT.format(**told, shard=shard_sql('was.person_id'))}"


def _cells(engine: "DuckDBPyConnection") -> dict[str, int]:
    return {f"cell_{cell}": number for cell, number in engine.execute(CELLS).fetchall()}
