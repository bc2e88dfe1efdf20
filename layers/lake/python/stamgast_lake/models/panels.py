"""People measured for models: a panel to learn of, and those to score in shards of bounded size."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from stamgast.models.declaration import Kind, Model
from stamgast.models.documents import PANEL, PEOPLE
from stamgast.moments import ms_of
from stamgast.segments.definitions import computed_traits_of, segments_of
from stamgast_lake.features.allowed import IS_ALLOWED, allow
from stamgast_lake.features.drawn import drawn, drawn_of
from stamgast_lake.features.panel import PANEL as ROWS
from stamgast_lake.features.panel import Asked, cut_offs_of, fill
from stamgast_lake.features.received import known
from stamgast_lake.features.run import FIRST, Written
from stamgast_lake.features.then import see_events
from stamgast_lake.lake import Lake
from stamgast_lake.logs import count, latest, see
from stamgast_lake.runs import Run
from stamgast_lake.tables import PROFILES, SCORES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PEOPLE_A_SHARD, MOST_SHARDS = 200_000, 64
LEARNT = f"""
    select * from {ROWS} where {IS_ALLOWED} and {{which}} order by cut_on, person_id
"""
WHOM = """
    create or replace temp view to_score as
    select * from panel where {which} and {is_allowed}
"""
PARTS = "select count(distinct person_id) from to_score where label is null"
SHARD = """
    select to_score.*, was.value as was_value, was.version as was_version
    from to_score left join score_now was on was.model = '{model}'
        and was.person_id = to_score.person_id
    where hash(to_score.person_id) % {of} = {shard} order by cut_on, to_score.person_id
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """A session with every event of everybody, at a run's moment."""

    engine: "DuckDBPyConnection"
    lake: Lake
    run: Run
    moment_ms: int
    asked: Asked


def bench_of(engine: "DuckDBPyConnection", lake: Lake, run: Run) -> Bench:
    """The session made ready: `person_event` and `profile_now`."""
    workspace = lake.workspace()
    rules = [segment.rule for segment in segments_of(workspace.segments)]
    zone = ZoneInfo(workspace.time_zone)
    see_events(engine, lake)
    see(engine, lake, PROFILES, SCORES)
    latest(engine, "profiles", "person_id", "profile_now")
    latest(engine, SCORES.name, "model, person_id", "score_now")
    asked = Asked(zone, computed_traits_of(workspace.traits), rules)
    return Bench(engine, lake, run, ms_of(run.moment), asked)


def measure(bench: Bench, model: Model, *, is_training: bool) -> tuple[Written, int]:
    """Writes the panel, if it is to be learnt of, and the shards; what was written, how many."""
    scored, learnt = cut_offs_of(model, bench.moment_ms, bench.asked.zone)
    first = _first_on(bench) or scored.on
    past = tuple(one for one in learnt if one.on > first)
    is_labelled = is_training or model.kind is Kind.LOOK_ALIKE
    amounts = fill(bench.engine, model, bench.asked, past if is_labelled else (), scored)
    allow(bench.engine, bench.lake, model)
    people = None
    if is_training:
        which = drawn(bench.engine)
        _put(bench, LEARNT.format(which=which), PANEL.format(model=model.name))
        people = drawn_of(bench.engine, which)
    came = known(bench.engine, model, past[-1]) if past else None
    days = tuple(one.on for one in past)
    newest = days[-1] if days else first
    told = Written(scored.on, days, (newest - first).days, came, amounts, people)
    return told, _put_shards(bench, model)


def _first_on(bench: Bench) -> date | None:
    """The day of the first event."""
    found = bench.engine.execute(FIRST.format(zone=bench.asked.zone.key)).fetchone()
    return found[0] if found else None


def _put_shards(bench: Bench, model: Model) -> int:
    """People to score, with what was last said of each; of a look-alike the seed, too, whom its
    scoring leaves out."""
    which = "true" if model.kind is Kind.LOOK_ALIKE else "label is null"
    bench.engine.execute(WHOM.format(which=which, is_allowed=IS_ALLOWED))
    of = min(MOST_SHARDS, max(1, -(-count(bench.engine, PARTS) // PEOPLE_A_SHARD)))
    for shard in range(of):
        names = {"model": model.name, "definition": model.version, "shard": shard}
        rows = SHARD.format(of=of, shard=shard, model=model.name)
        _put(bench, rows, PEOPLE.format(**names))
    return of


def _put(bench: Bench, rows: str, name: str) -> None:
    with _file() as path:
        bench.engine.sql(rows).write_parquet(str(path), compression="zstd")
        bench.lake.put_document(bench.run.run_id, name, path.read_bytes())


@contextmanager
def _file() -> Iterator[Path]:
    with TemporaryDirectory(prefix="stamgast-models-") as folder:
        yield Path(folder) / "rows.parquet"
