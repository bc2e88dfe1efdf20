"""How identity is doing: sizes of persons, shared values, refusals, links, drift; one scan each."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow.dataset as ds
from duckdb import Error as DuckDBError

from stamgast.metrics import Metric
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.query import LakeSession
from stamgast_lake.runs import Run, inputs_of
from stamgast_lake.tables import EVIDENCE, RUNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STAGE = "identity_health"
SMALL_EVIDENCE = 1_000_000
MOST_SHARED = 10
SAMPLED = 500
DRIFT_SHARE, LARGE_SHARE = 0.01, 0.75
SIZES = (1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500, 1000)

BELONGING = """
    create or replace temp table belonging as
    select person_id, namespace, count(*) as identifiers
    from identity_current group by person_id, namespace
"""
PERSON_SIZES = """
    select size, count(*) from (
        select person_id, sum(identifiers) as size from belonging group by person_id
    ) sized group by size order by size
"""
BY_NAMESPACE = """
    select namespace, identifiers as size, count(*) from belonging group by 1, 2 order by 1, 2
"""
SHARED = f"""
    with near as (
        select a as key, b as other from evidence where b is not null and probability is null
        union
        select b, a from evidence where b is not null and probability is null
    )
    select key, split_part(key, ':', 1), count(*) as neighbours,
        key in (select a from constraints_now where kind = 'off') as is_off
    from near group by key order by neighbours desc, key limit {MOST_SHARED}
"""
CONSTRAINTS_NOW = """
    create or replace temp table constraints_now as
    select kind, a, reason from (
        select *, row_number() over (
            partition by kind, a, b
            order by recorded_at desc, message_key desc, run_id desc) as nth
        from constraints
    ) numbered where nth = 1 and lifted_at is null
"""
HELD = """
    select kind, case when kind = 'refused' then reason
        when kind = 'off' then split_part(a, ':', 1) else '' end as what, count(*)
    from constraints_now group by 1, 2 order by 1, 2
"""
LINKS = """
    select state, count(*) from (
        select state, row_number() over (
            partition by kind, a, b order by recorded_at desc, run_id desc) as nth
        from links
    ) numbered where nth = 1 group by state order by state
"""
SAMPLE = f"""
    select identifier, person_id from identity_current
    order by md5(identifier || '{{run_id}}'), identifier limit {SAMPLED}
"""
TABLES = "identity_current evidence constraints links"


class HealthError(Exception):
    """The engine could not measure: the figures are left out, the run goes on."""


@contextmanager
def _opened(lake: Lake, names: str) -> Iterator["DuckDBPyConnection"]:
    try:
        with session() as engine:
            LakeSession(engine, lake.catalogue, lake.s3, lake.bucket).open_named(names)
            yield engine
    except DuckDBError as error:
        raise HealthError("the engine could not measure") from error


def is_due(lake: Lake, run: Run) -> bool:
    """Whether a run measures: each while there is little evidence, else the first one of a day."""
    rows = sum(file.record_count for file in lake.catalogue.files(EVIDENCE))
    return rows <= SMALL_EVIDENCE or inputs_of(lake, run.run_id).is_thorough


def measure(lake: Lake) -> dict[str, Any]:
    """The figures of identity as the lake has it now; identifiers by their keys alone."""
    with _opened(lake, TABLES) as engine:
        engine.execute(BELONGING)
        engine.execute(CONSTRAINTS_NOW)
        sizes = dict(engine.execute(PERSON_SIZES).fetchall())
        held = _held(engine)
        return {
            "persons": sum(sizes.values()),
            "identifiers": sum(size * count for size, count in sizes.items()),
            "largest_person": max(sizes, default=0),
            "sizes": binned(sizes),
            "by_namespace": _by_namespace(engine),
            "shared": _shared(engine),
            "refused": held.get("refused", {}),
            "off": held.get("off", {}),
            "cannot_links": sum(held.get("cannot_link", {}).values()),
            "links": dict(engine.execute(LINKS).fetchall()),
        }


def findings_of(figures: Mapping[str, Any], person_limit: int) -> list[str]:
    """What an operator should look at: a drifting view, a large person, models of other people."""
    drifts = figures["drift"]["share"] >= DRIFT_SHARE
    is_large = figures["largest_person"] >= LARGE_SHARE * person_limit
    is_shifted = figures.get("models_shifted", 0) > 0
    found = (("drift", drifts), ("large_person", is_large), ("models_shifted", is_shifted))
    return [name for name, is_found in found if is_found]


def emitted(figures: Mapping[str, Any]) -> dict[Metric, int]:
    """The figures that are metrics, too."""
    return {
        Metric.HEALTH_FINDINGS: len(figures["findings"]),
        Metric.HEALTH_LARGEST_PERSON: figures["largest_person"],
        Metric.HEALTH_DRIFTING: figures["drift"]["drifting"],
        Metric.HEALTH_VALUES_OFF: sum(figures["off"].values()),
        Metric.HEALTH_EDGES_REFUSED: sum(figures["refused"].values()),
        Metric.HEALTH_LINKS_STANDING: figures["links"].get("standing", 0),
    }


def binned(sizes: Mapping[int, int]) -> dict[str, int]:
    """How many persons have a size up to each bound: `1`, `2` … `6-10`, `1001+`."""
    told = {}
    for low, high in zip((0, *SIZES), (*SIZES, None), strict=True):
        inside = [n for size, n in sizes.items() if size > low and (high is None or size <= high)]
        if inside:
            told[_label(low + 1, high)] = sum(inside)
    return told


def _label(low: int, high: int | None) -> str:
    if high is None:
        return f"{low}+"
    return str(high) if low == high else f"{low}-{high}"


def _by_namespace(engine: "DuckDBPyConnection") -> dict[str, dict[str, Any]]:
    sizes: dict[str, dict[int, int]] = {}
    for namespace, size, count in engine.execute(BY_NAMESPACE).fetchall():
        sizes.setdefault(namespace, {})[size] = count
    return {
        namespace: {
            "persons": sum(told.values()),
            "identifiers": sum(size * count for size, count in told.items()),
            "most": max(told),
            "sizes": binned(told),
        }
        for namespace, told in sizes.items()
    }


def _shared(engine: "DuckDBPyConnection") -> list[dict[str, Any]]:
    names = ("key", "namespace", "neighbours", "is_off")
    return [dict(zip(names, row, strict=True)) for row in engine.execute(SHARED).fetchall()]


def _held(engine: "DuckDBPyConnection") -> dict[str, dict[str, int]]:
    held: dict[str, dict[str, int]] = {}
    for kind, what, count in engine.execute(HELD).fetchall():
        held.setdefault(kind, {})[what] = count
    return held


def sample(lake: Lake, run_id: str) -> dict[str, str]:
    """Some identifiers with their persons in the lake; others for each run."""
    with _opened(lake, "identity_current") as engine:
        return dict(engine.execute(SAMPLE.format(run_id=run_id)).fetchall())


def known_pairs(lake: Lake, pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the edges (anchor, other) that the lake has evidence of."""
    wanted = ds.field("a").isin([a for a, _ in pairs])
    rows = lake.catalogue.dataset(EVIDENCE).to_table(columns=["a", "b"], filter=wanted)
    return set(zip(*rows.to_pydict().values(), strict=True)) & set(pairs)


def newest_figures(lake: Lake, most: int) -> list[dict[str, Any]]:
    """The figures of the newest runs that measured them, the newest first."""
    rows = lake.catalogue.dataset(RUNS).to_table(filter=ds.field("stage") == STAGE).to_pylist()
    newest = sorted(rows, key=lambda row: -row["seq"])[:most]
    return [
        {
            "run_id": row["run_id"],
            "moment": row["moment"].isoformat(),
            **orjson.loads(row["figures"]),
        }
        for row in newest
    ]
