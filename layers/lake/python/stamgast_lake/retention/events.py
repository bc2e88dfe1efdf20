"""Events that come of age, once a day: days that passed a limit since then, and latecomers.

A mark says how far a limit was enforced, so that a day is read once for each. If it is lost, or the
limit is another one, every day before it is read again, which changes nothing that is right.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pyiceberg.manifest import DataFile

from stamgast.retention import Retention
from stamgast_lake.catalogue import Commit, earlier_than
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.loading.rows import in_order
from stamgast_lake.logs import count
from stamgast_lake.retention.aged import note
from stamgast_lake.retention.done import Done, Mark
from stamgast_lake.retention.endings import Ending, of_class, whole_events
from stamgast_lake.tables import EVENTS, RUNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_A_BATCH = 8_192
MOST_ROWS = 2_000_000
DAYS = "select event_on, count(*) from candidate group by event_on order by event_on"
TOUCHED = "select anchor_key, message_key from candidate where coalesce({touched}, false)"


def age_events(lake: Lake, run_id: str, seq: int, today: date, done: Done) -> tuple[int, bool]:
    """Takes out of events what has come of age; of how many, and whether nothing is left to do.

    The oldest days go first, so many rows at once. Repeating it finds nothing.
    """
    aged, is_all = 0, True
    for ending in _endings(lake.workspace().retention):
        limit = today - timedelta(days=ending.days)
        with session() as engine:
            _define(engine, ending)
            files, until = _due(engine, lake, limit, done.mark(ending.name, ending.key))
            aged += _age(
                engine, lake, Commit(run_id, f"retain {ending.name} {until}"), ending, files
            )
        done.put(ending.name, Mark(ending.key, until.isoformat(), seq))
        is_all = is_all and until == limit
    return aged, is_all


def past_events(lake: Lake, today: date) -> dict[str, int]:
    """Of how many events something is past its days, by what ends; nothing is changed."""
    found = {}
    for ending in _endings(lake.workspace().retention):
        limit = earlier_than("event_on", today - timedelta(days=ending.days))
        with session() as engine:
            _define(engine, ending)
            engine.register("candidate", lake.catalogue.dataset(EVENTS, limit))
            query = TOUCHED.format(touched=ending.touched)
            found[ending.name] = count(engine, f"select count(*) from ({query})")
    return found


def _endings(retention: Retention) -> Iterator[Ending]:
    days = retention.days.get("events")
    if days is not None:
        yield whole_events(days)
    yield from map(of_class, retention.classes)


def _due(
    engine: "DuckDBPyConnection", lake: Lake, limit: date, mark: Mark | None
) -> tuple[tuple[DataFile, ...], date]:
    """The files to read, and the day before which nothing is left to do then."""
    catalogue = lake.catalogue
    old = catalogue.files(EVENTS, earlier_than("event_on", limit))
    if mark is not None:
        past = catalogue.files(EVENTS, earlier_than("event_on", date.fromisoformat(mark.until)))
        late = catalogue.unsettled_files(EVENTS, past, _loaded(lake, mark.seq))
        passed = {file.file_path for file in past} - {file.file_path for file in late}
        old = tuple(file for file in old if file.file_path not in passed)
    engine.register("candidate", catalogue.dataset_of(EVENTS, old))
    rows, until = 0, limit
    for day, there in engine.execute(DAYS).fetchall():
        if rows and rows + there > MOST_ROWS:
            until = day
            break
        rows += there
    early = {f.file_path for f in catalogue.files(EVENTS, earlier_than("event_on", until))}
    return tuple(file for file in old if file.file_path in early), until


def _loaded(lake: Lake, seq: int) -> set[str]:
    """The runs up to a number."""
    rows = lake.catalogue.dataset(RUNS).to_table(columns=["run_id", "seq"]).to_pylist()
    return {row["run_id"] for row in rows if row["seq"] <= seq}


def _age(
    engine: "DuckDBPyConnection",
    lake: Lake,
    commit: Commit,
    ending: Ending,
    files: tuple[DataFile, ...],
) -> int:
    """Rewrites the files that hold something that ends; whom it touches is noted before."""
    catalogue, holding = lake.catalogue, list[DataFile]()
    query = TOUCHED.format(touched=ending.touched)
    for file in files:
        engine.register("candidate", catalogue.dataset_of(EVENTS, (file,)))
        if engine.execute(f"select 1 from ({query}) limit 1").fetchall():
            holding.append(file)
    if not holding:
        return 0
    engine.register("candidate", catalogue.dataset_of(EVENTS, tuple(holding)))
    touched = engine.sql(query).to_arrow_table()
    note(lake, commit.run_id, commit.stage, touched)
    rows = engine.sql(in_order(EVENTS, ending.left)).to_arrow_reader(ROWS_A_BATCH)
    catalogue.replace(EVENTS, rows, tuple(holding), commit)
    return int(touched.num_rows)


def _define(engine: "DuckDBPyConnection", ending: Ending) -> None:
    for name, function in ending.functions.items():
        engine.create_function(name, function, ["VARCHAR"], "VARCHAR")
