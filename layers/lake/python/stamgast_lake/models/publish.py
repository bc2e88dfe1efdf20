"""Scores into the live view: `S#<model>` beside the person, gone when it no longer holds.

Written is what changed since the last run of models, and what holds of those whose identity changed
since; DynamoDB deletes an item when its time is over, and readers look at the time themselves.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stamgast.models.live import PREFIX, item_of
from stamgast.moments import ms_of
from stamgast_lake.lake import Lake
from stamgast_lake.logs import count, latest, see
from stamgast_lake.publishing.work import PersonRow
from stamgast_lake.rules.literals import moment_sql
from stamgast_lake.runs import MODELS_STAGE, Run
from stamgast_lake.tables import IDENTITY, RUNS, SCORES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_A_PAGE = 1_000
SINCE = "select max(epoch_ms(moment)) from runs where stage = '{stage}' and run_id <> '{run_id}'"
CHANGED = """
    create or replace temp table changed_score as
    select person_id, model, version, value, percentile, band, low, high, reasons, detail,
        scored_on, epoch_ms(valid_until) as valid_until_ms,
        row_number() over (order by person_id, model) as place
    from score_now
    where {is_whole} or run_id = '{run_id}' or recorded_at > {since} or person_id in (
        select person_id from identity_now where recorded_at > {since})
"""
PAGE = "select * from changed_score where place > ? order by place limit ?"
PutAll = Callable[[Iterable[PersonRow]], int]
Parted = Callable[[Collection[str]], Collection[str]]


def publish_scores(
    engine: "DuckDBPyConnection",
    lake: Lake,
    run: Run,
    put_all: PutAll,
    parted: Parted,
    *,
    is_whole: bool = False,
) -> int:
    """Writes and deletes items; how many. `is_whole` writes all, into a view that was lost.

    Of whoever is `parted` by then nothing stays that was written.
    """
    see(engine, lake, SCORES, RUNS, IDENTITY)
    latest(engine, SCORES.name, "model, person_id", "score_now")
    latest(engine, "identity", "identifier", "identity_now")
    asked = SINCE.format(stage=MODELS_STAGE, run_id=run.run_id)
    since = engine.execute(asked).fetchall()[0][0]
    is_all = is_whole or since is None
    told = {"is_whole": str(is_all).lower(), "run_id": run.run_id}
    engine.execute(CHANGED.format(since=moment_sql(since or ms_of(run.moment)), **told))
    return sum(_put(page, put_all, parted) for page in _pages(engine, run))


def _put(page: Sequence[PersonRow], put_all: PutAll, parted: Parted) -> int:
    told = put_all(page)
    gone = parted({row.person_id for row in page})
    put_all([replace(row, attributes=None) for row in page if row.person_id in gone])
    return told


def _pages(engine: "DuckDBPyConnection", run: Run) -> Iterator[Sequence[PersonRow]]:
    for start in range(0, count(engine, "select count(*) from changed_score"), ROWS_A_PAGE):
        asked = engine.execute(PAGE, [start, ROWS_A_PAGE])
        names = [one[0] for one in asked.description]
        yield [_row(dict(zip(names, row, strict=True)), run) for row in asked.fetchall()]


def _row(told: dict[str, Any], run: Run) -> PersonRow:
    """The item of one score; without a value, or past its time, there is none."""
    holds = told["value"] is not None and told["valid_until_ms"] > ms_of(run.moment)
    return PersonRow(
        told["person_id"], f"{PREFIX}{told['model']}", item_of(told) if holds else None
    )
