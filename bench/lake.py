"""The load's duplicates and compaction at 1 M and 10 M rows, beside pyiceberg's own upsert.

Run: `python -m bench.lake [ROWS …]` (1,000,000 and 10,000,000 unless said). Each size runs in a
process of its own, so that its peak memory is its own. A tenth of the new messages are copies of
stored ones.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import boto3
import pyarrow as pa
from moto import mock_aws

from stamgast_lake.catalogue import Catalogue, Commit
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.loading.load import Loader
from stamgast_lake.loading.stage import Taken
from stamgast_lake.loading.staged import SCHEMA
from stamgast_lake.maintenance import compact
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import EVENTS, MESSAGE_INDEX

HEAD = """| rows | first load, s | CPU | a tenth more, s | CPU | compaction, s | CPU | peak, MB |
|---|---|---|---|---|---|---|---|"""
UPSERTED = 10_000
STORED = 1_000_000
MEMORY_MB = 2_048
STAGED = """
    select lpad(cast(i as varchar), 26, 'm') as message_key,
           'r{run}:' || i as receipt_id, 'shop' as source_id, 'hash' || i as payload_hash,
           timestamptz '2026-01-01 00:00:00+00' + interval ({run}) second as received_at,
           date '2025-01-01' + cast(i % 90 as integer) as sent_on,
           date '2025-01-01' + cast(i % 90 as integer) as event_on,
           'user_id:1' || lpad(cast(i % 200000 as varchar), 25, 'a') as anchor_key,
           'm' || i as message_id, 'track' as type, 'Order Completed' as event,
           timestamptz '2025-01-01 00:00:00+00' + interval (i % 90) day as event_at,
           timestamptz '2025-01-01 00:00:00+00' + interval (i % 90) day as original_at,
           cast(2 as integer) as assurance, true as has_own_time,
           '[{{"key":"user_id:1' || lpad(cast(i % 200000 as varchar), 25, 'a')
               || '","namespace":"user_id","position":0}}]' as identifiers,
           'o' || i as order_id, i % 10000 as revenue_minor, 'USD' as currency,
           '[{{"product_id":"p1","price_minor":199,"quantity":2}}]' as products,
           cast(null as varchar) as campaign, cast(null as varchar) as page,
           '{{"order_id":"o1"}}' as properties, cast(null as varchar) as traits,
           '{{}}' as context, '192.0.2.0' as ip, cast(null as varchar) as user_agent,
           'nl-NL' as locale, 'Europe/Amsterdam' as time_zone, cast(null as varchar) as reason,
           'raw/{run}' as raw_object, i as raw_line
    from range({first}, {last}) numbers(i)
"""


class Cost(NamedTuple):
    """What an act took, in seconds."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} | {self.cpu:.1f}"


@contextmanager
def lake(folder: Path) -> Iterator[Catalogue]:
    """A catalogue on the local disk."""
    environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    environ.pop("AWS_ENDPOINT_URL", None)
    with mock_aws():
        glue: Any = boto3.client("glue", region_name="eu-central-1")
        glue.create_database(DatabaseInput={"Name": "lake"})
        yield Catalogue(glue=glue, database="lake", warehouse=folder.as_uri(), file_properties={})


def timed(act: Callable[[], object]) -> Cost:
    """Seconds of the clock and of CPU, all threads together."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def load(catalogue: Catalogue, folder: Path, run: int, first: int, last: int) -> Cost:
    """What one load takes of the rows first to last, already staged."""
    with session(EngineSettings(MEMORY_MB, 2, folder)) as connection:
        path = folder / f"staged-{run}.parquet"
        query = STAGED.format(run=run, first=first, last=last)
        connection.execute(f"copy ({query}) to '{path}' (format parquet)")
        connection.execute(f"create temp view staged as select * from read_parquet('{path}')")
        assert connection.sql("select * from staged limit 0").columns == SCHEMA.names
        taken: list[Taken] = []
        cost = timed(lambda: Loader(catalogue, connection, f"run-{run}").load(taken))
        path.unlink()
    return cost


def at_size(rows: int) -> None:
    """One size: a first load, a second of a tenth as many with a tenth of copies, compaction."""
    with TemporaryDirectory() as name, lake(Path(name) / "warehouse") as catalogue:
        folder = Path(name)
        first = load(catalogue, folder, 1, 0, rows)
        more = rows // 10
        second = load(catalogue, folder, 2, rows - more // 10, rows + more - more // 10)
        for run in range(3, 10):
            small = 9_000
            load(catalogue, folder, run, 10 * rows + run * small, 10 * rows + (run + 1) * small)
        compacted = timed(lambda: compact(catalogue, EVENTS, "run-10"))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {rows:,} | {first} | {second} | {compacted} | {peak:,.0f} |")


def beside_upsert() -> None:
    """Adding 10,000 messages to an index of a million, by the load's way and by upsert."""
    schema = arrow_schema(MESSAGE_INDEX)
    with TemporaryDirectory() as name, lake(Path(name)) as catalogue:
        rows = pa.Table.from_pylist([_row(n) for n in range(STORED)], schema=schema)
        catalogue.append(MESSAGE_INDEX, rows.sort_by("sent_on").to_reader(), Commit("a", "load"))
        new = rows.slice(STORED - UPSERTED // 2, UPSERTED // 2)
        more = pa.Table.from_pylist([_row(STORED + n) for n in range(UPSERTED // 2)], schema=schema)
        both = pa.concat_tables([new, more])
        ours = timed(lambda: _anti_join(catalogue, Path(name), both))
        table = catalogue.table(MESSAGE_INDEX)
        theirs = timed(lambda: table.upsert(both, join_cols=["message_key"]))
        print(f"| anti-join in DuckDB and one append | {ours} | 1 |")
        print(f"| pyiceberg upsert | {theirs} | {theirs.cpu / ours.cpu:.0f} |")


def _anti_join(catalogue: Catalogue, folder: Path, new: pa.Table) -> None:
    with session(EngineSettings(MEMORY_MB, 2, folder)) as connection:
        connection.register("added", new)
        connection.register("known", catalogue.dataset(MESSAGE_INDEX))
        query = (
            "select * from added where message_key not in (select message_key from known)"
            " order by sent_on, message_key"
        )
        rows = connection.sql(query).to_arrow_reader(8_192)
        catalogue.append(MESSAGE_INDEX, rows, Commit("b", "load"))


def _row(number: int) -> dict[str, object]:
    on = date(2025, 1, 1) + timedelta(days=number % 30)
    return {
        "message_key": f"m{number:025d}",
        "payload_hash": "h",
        "receipt_id": f"r:{number}",
        "received_at": datetime(2026, 1, 1, tzinfo=UTC),
        "event_on": on,
        "anchor_key": "user_id:1a",
        "sent_on": on,
        "run_id": "a",
    }


def main() -> None:
    """Prints both tables."""
    if sys.argv[1:2] == ["--size"]:
        at_size(int(sys.argv[2]))
        return
    sizes = [int(size) for size in sys.argv[1:]] or [1_000_000, 10_000_000]
    print(HEAD, flush=True)
    for size in sizes:
        subprocess.run([sys.executable, "-m", "bench.lake", "--size", str(size)], check=True)
    print(
        f"\n| {UPSERTED:,} messages, half of them known, into {STORED:,} | s | CPU | ratio of CPU |"
    )
    print("|---|---|---|---|", flush=True)
    beside_upsert()


if __name__ == "__main__":
    main()
