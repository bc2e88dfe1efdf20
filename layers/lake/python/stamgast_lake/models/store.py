"""The stage `store_scores`: what differs is logged and told to the live view, the run written down.

A score is written anew where it says something else: another version or band, a value moved by
more than half a per cent of its range, a percentile by more than one, or half its time gone.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson

from stamgast.models.bands import BANDS, MOVED
from stamgast.models.declaration import Kind, model_of
from stamgast.models.documents import COUNTED, PINNED, REALISED, SCORED
from stamgast.models.drift import drift_of, has_shifted
from stamgast.workspace.model import models_in
from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.logs import append_changes, count, latest, see
from stamgast_lake.models.plan import plan_of
from stamgast_lake.models.publish import PutAll, publish_scores
from stamgast_lake.models.withdrawn import STAMP, gone_sql, stamp_of, withdraw
from stamgast_lake.publishing.parted_since import Cuts, PartedSince
from stamgast_lake.runs import DONE, MODELS_STAGE, WHOLE, Run, close_stage
from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import RUNS, SCORES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OPTIONAL = {"low": "double", "high": "double", "detail": "varchar"}
STATED = """
    create or replace temp table stated as
    with ranked as (
        select * exclude (percentile, band), round(50.0 * (2 * rank() over (order by value) - 2
            + count(*) over (partition by value)) / count(*) over (), 2) as percentile
        from ({rows})
    )
    select *, {bands} as band from ranked
"""
ROWS = """
    select cast(person_id as varchar) as person_id, cast(value as double) as value,
        cast(percentile as double) as percentile, cast(band as varchar) as band,
        cast(reasons as varchar) as reasons, {optional}
    from read_parquet({paths}, union_by_name = true)
"""
TOLD_BY_SHARD = "create or replace temp table stated as {rows}"
UNORDERED = frozenset({Kind.CLUSTERS})
"""Kinds whose values have no order: band and percentile are what scoring said of each person."""
CHANGED = f"""
    select one.person_id, '{{model}}' as model, '{{version}}' as version, one.value, one.percentile,
        one.band, one.low, one.high, case when one.reasons is not null then one.reasons
            when was.version = '{{version}}' then was.reasons end as reasons, one.detail, {STAMP}
    from stated one
    left join score_now was on was.model = '{{model}}' and was.person_id = one.person_id
    where was.value is null or was.version <> '{{version}}' or was.band <> one.band
       or abs(was.value - one.value) > {MOVED} * {{range}}
       or abs(was.percentile - one.percentile) > 1
       or was.detail is distinct from one.detail
       or was.valid_until < {{moment}} + ({{valid_until}} - {{moment}}) / 2
"""

LAST_RUN = f"""
    select coalesce(max(epoch_ms(moment)), 0) from runs
    where stage = '{WHOLE}' and status = '{DONE}'
"""


def store_run(
    lake: Lake, run: Run, put_all: PutAll, cuts: Cuts, closed_at: datetime
) -> dict[str, Any]:
    """Logs the scores of every model of the run, tells the live view, and closes the run.

    The caller holds the run's lease. Every shard is there, or it raises before anything is
    written. Repeating it writes nothing more.
    """
    figures: dict[str, Any] = {"scored": {}, "written": 0, "withdrawn": 0}
    with session() as engine:
        for name in plan_of(lake, run):
            told = orjson.loads(lake.document(run.run_id, PINNED.format(model=name)))
            if told is not None:
                figures["scored"][name] = _store(engine, lake, run, name, told, figures)
        figures["withdrawn"] += _withdraw(engine, lake, run)
        parted = PartedSince(engine, lake, cuts, _last_run_ms(engine, lake)).of
        figures["published"] = publish_scores(engine, lake, run, put_all, parted)
    figures["realised"] = orjson.loads(lake.document(run.run_id, REALISED))
    figures["shifted"] = sum(map(has_shifted, figures["scored"].values()))
    close_stage(lake, run, MODELS_STAGE, figures, closed_at)
    return figures


def _store(
    engine: "DuckDBPyConnection",
    lake: Lake,
    run: Run,
    name: str,
    pinned: Mapping[str, Any],
    figures: dict[str, Any],
) -> dict[str, Any]:
    plan, model = plan_of(lake, run)[name], model_of(pinned["declaration"])
    shards = range(plan.shards[pinned["definition"]])
    counted = [_json(lake, run, COUNTED.format(model=name, shard=one)) for one in shards]
    with _files(lake, run, name, shards) as paths:
        engine.execute(_stated(engine, paths, model.kind))
    see(engine, lake, SCORES)
    latest(engine, SCORES.name, "model, person_id", "score_now")
    told = {"model": name, "version": pinned["version"], "range": _range(engine)}
    stamp = stamp_of(run, plan.scored_on)
    which = f"was.model = '{name}' and was.person_id not in (select person_id from stated)"
    gone = gone_sql(which, stamp)
    changed = CHANGED.format(shard=shard_sql("one.person_id"), **told, **stamp)
    commit = Commit(run.run_id, f"scores {name}")
    figures["written"] += append_changes(
        engine, lake, SCORES, f"{changed} union all {gone}", commit
    )
    people = count(engine, "select count(*) from stated")
    mean = engine.execute("select avg(value) from stated").fetchall()[0][0]
    return {
        "version": pinned["version"],
        "kind": model.kind.value,
        "scored_on": plan.scored_on,
        "within_days": model.within_days,
        "people": people,
        "mean": mean,
        "drift": drift_of(pinned["reference"] or {}, [one["bins"] for one in counted]),
        "since_before": pinned.get("since_before") or {},
    }


def _stated(engine: "DuckDBPyConnection", paths: list[str], kind: Kind) -> str:
    """The statement that makes `stated`: everybody's score, placed among all shards."""
    listed = "[" + ", ".join(f"'{path}'" for path in paths) + "]"
    known = engine.sql(f"select * from read_parquet({listed}, union_by_name = true)").columns
    optional = ", ".join(
        f"cast({name if name in known else 'null'} as {form}) as {name}"
        for name, form in OPTIONAL.items()
    )
    bands = " ".join(f"when percentile >= {100 * share} then '{name}'" for share, name in BANDS)
    rows = ROWS.format(optional=optional, paths=listed)
    if kind in UNORDERED:
        return TOLD_BY_SHARD.format(rows=rows)
    return STATED.format(rows=rows, bands=f"case {bands} end")


def _range(engine: "DuckDBPyConnection") -> float:
    """What values are compared by: 1 for probabilities, the largest amount for money."""
    most = engine.execute("select max(value) from stated").fetchall()[0][0]
    return max(1.0, float(most or 0.0))


def _withdraw(engine: "DuckDBPyConnection", lake: Lake, run: Run) -> int:
    """Takes back what models said that the workspace no longer declares."""
    see(engine, lake, SCORES)
    latest(engine, SCORES.name, "model, person_id", "score_now")
    names = sorted(models_in(lake.workspace()))
    listed = ", ".join(f"'{name}'" for name in names) or "''"
    which = f"was.model not in ({listed})"
    return withdraw(engine, lake, run, which, Commit(run.run_id, "scores gone"))


def _last_run_ms(engine: "DuckDBPyConnection", lake: Lake) -> int:
    """The moment of the newest run that took new events up; 0 before any."""
    see(engine, lake, RUNS)
    return int(engine.execute(LAST_RUN).fetchall()[0][0])


def _json(lake: Lake, run: Run, name: str) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(lake.document(run.run_id, name))
    return told


@contextmanager
def _files(lake: Lake, run: Run, name: str, shards: range) -> Iterator[list[str]]:
    """The scores of all shards as files of this machine."""
    with TemporaryDirectory(prefix="stamgast-scores-") as folder:
        paths = [Path(folder) / f"{shard}.parquet" for shard in shards]
        for shard, path in zip(shards, paths, strict=True):
            path.write_bytes(lake.document(run.run_id, SCORED.format(model=name, shard=shard)))
        yield [str(path) for path in paths]
