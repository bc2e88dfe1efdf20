"""A run's identity and profiles after 1 % of new events, beside a full run and naive alternatives.

    python bench/identity.py [--rows 1000000] [--share 0.01] [--no-profiles]
        [--no-recompute] [--no-others] [--json]

`--rows` rows of evidence (ten a person: log-ins, devices, addresses, some devices shared in a
household, tills' tablets) and their events lie in real Iceberg tables on the local disk; the
product's own stages resolve them: a full run. Then come 1 % more, in sessions of four rows: eight
in ten sessions repeat what is known, one brings a new device of a known person, one a new person.
Seconds of CPU without imports; peak memory of the process, by step where the kernel counts it so.
Beside it, on all rows: everything recomputed by the same stage, and clustering alone, by SciPy,
Splink and (up to a million rows) networkx, over the distinct edges of the same evidence.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import boto3
import duckdb
import pyarrow as pa
from moto import mock_aws

from stamgast.identity.keys import Keyring
from stamgast.identity.settings import DEFAULT
from stamgast.workspace.model import Workspace
from stamgast_lake.catalogue import Catalogue, Commit
from stamgast_lake.engine import session
from stamgast_lake.identity import resolve_run
from stamgast_lake.lake import Lake
from stamgast_lake.loading.rows import in_order
from stamgast_lake.profiles import unify_run
from stamgast_lake.runs import Run
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import EVENTS, EVIDENCE, RUNS, LakeTable

MILLION = 1_000_000
ROWS_A_PERSON = 10
NETWORKX_ROWS = MILLION
START = datetime(2026, 1, 1, tzinfo=UTC)
KEYRING = Keyring(1, b"a secret of the bench")
WORKSPACE = Workspace("1", "UTC", {}, DEFAULT)
ROWS_A_BATCH = 8_192
EVIDENCE_ROWS = f"""
    select *, least(a, b) || '|' || greatest(a, b) as edge_key,
        split_part(a, ':', 1) as namespace_a, split_part(b, ':', 1) as namespace_b,
        cast(case when b is null then 0 else 1 end as integer) as position,
        rpad('k' || lpad(cast(i as varchar), 12, '0'), 26, 'm') as message_key,
        'message-' || i as message_id,
        timestamptz '2025-01-01 00:00:00+00' + interval (i % 20000000) second as event_at,
        timestamptz '2025-01-01 00:00:00+00' + interval (i % 20000000) second as received_at,
        'shop' as source_id, cast(2 as integer) as assurance,
        case when b is null then 'alone' else 'seen_together' end as rule,
        cast(null as double) as probability, cast(null as timestamptz) as expires_at,
        'r:' || i as receipt_id, cast({shard_sql("a")} as integer) as shard, '{{run}}' as run_id
    from ({{rows}})
"""
EVENT_ROWS = """
    select message_key, message_id, source_id, receipt_id, 'hash' as payload_hash, 'track' as type,
        case when i % 5 = 0 then 'Order Completed' else 'Product Viewed' end as event, event_at,
        event_at as original_at, received_at, assurance, true as has_own_time, a as anchor_key,
        cast(null as struct("key" varchar, namespace varchar, kind varchar, priority integer,
            "value" varchar)[]) as identifiers,
        case when i % 5 = 0 then 'o' || i end as order_id,
        case when i % 5 = 0 then i % 9000 end as revenue_minor,
        case when i % 5 = 0 then 'EUR' end as currency,
        cast(null as struct(product_id varchar, category varchar, price_minor bigint,
            quantity bigint, discount_minor bigint)[]) as products,
        '{}' as properties,
        case when i % 10 = 0 then '{"plan":"a","visits":' || i || '}' end as traits,
        '{}' as context, cast(event_at as date) as event_on, run_id
    from evidence_row
"""
EDGES = "select distinct a, b from evidence_row where b is not null"


def key(namespace: str, number: str) -> str:
    """SQL of an identifier's key, as long as a real one."""
    return (
        f"'{namespace}:1' || left(translate(md5('{namespace}' || ({number})), '0189', 'ghij'), 25)"
    )


def first_rows(persons: int) -> str:
    """The history: row i is of person i % persons, and says what its kind i // persons says."""
    return f"""
        select i,
            case when kind in (6, 7) then {key("device_id", "p")} else {key("user_id", "p")} end
                as a,
            case when kind = 0 then {key("email", "p")}
                when kind in (6, 7) then null
                when kind in (4, 5, 9) then {key("anonymous_id", "p")}
                when kind = 8 and p % 1000 = 7 then {key("device_id", "'till' || p // 100000")}
                when kind = 8 and p % 50 = 0 then {key("device_id", "p + 1")}
                else {key("device_id", "p")} end as b
        from (
            select range as i, range % {persons} as p, range // {persons} as kind
            from range({persons * ROWS_A_PERSON})
        )
    """


def later_rows(persons: int, rows: int) -> str:
    """Sessions of four rows each, of persons all over the history or of new ones."""
    return f"""
        select i, {key("user_id", "p")} as a,
            case when sort = 8 then {key("anonymous_id", "'new' || p")}
                else {key("device_id", "p")} end as b
        from (
            select {persons * ROWS_A_PERSON} + range as i, (range // 4) % 10 as sort,
                case when (range // 4) % 10 = 9 then {persons} + range // 4
                    else ((range // 4) * 7919) % {persons} end as p
            from range({rows})
        )
    """


@contextmanager
def local_lake(folder: Path) -> Iterator[Lake]:
    """A lake on the local disk; its documents are not needed."""
    environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    environ.pop("AWS_ENDPOINT_URL", None)
    with mock_aws():
        glue: Any = boto3.client("glue", region_name="eu-central-1")
        glue.create_database(DatabaseInput={"Name": "lake"})
        catalogue = Catalogue(
            glue=glue, database="lake", warehouse=folder.as_uri(), file_properties={}
        )
        catalogue.create_all()
        yield Lake(None, "bucket", catalogue, lambda: WORKSPACE, lambda: KEYRING)


def put(lake: Lake, run: Run, rows: str, edges: Path, has_events: bool) -> None:
    """The rows of a run as a load would have left them, and the distinct edges beside the lake."""
    with session() as engine:
        told = EVIDENCE_ROWS.format(rows=rows, run=run.run_id)
        engine.execute(f"create temp table evidence_row as {told}")
        engine.execute(f"copy ({EDGES}) to '{edges}/{run.run_id}.parquet' (format parquet)")
        append(lake, engine, EVIDENCE, "select * exclude (i) from evidence_row", run)
        if has_events:
            append(lake, engine, EVENTS, EVENT_ROWS, run)


def append(
    lake: Lake, engine: duckdb.DuckDBPyConnection, table: LakeTable, rows: str, run: Run
) -> None:
    """Commits rows as a load would; what they do not tell is null."""
    told = set(engine.sql(rows).columns)
    columns = ", ".join(n if n in told else f"null as {n}" for n in table.column_names)
    stream = engine.sql(in_order(table, f"select {columns} from ({rows})"))
    lake.catalogue.append(table, stream.to_arrow_reader(ROWS_A_BATCH), Commit(run.run_id, "load"))


def close(lake: Lake, run: Run) -> None:
    """Says that the run is done, so that its rows are news to nobody any more."""
    row = {
        "run_id": run.run_id,
        "seq": run.seq,
        "moment": run.moment,
        "stage": "run",
        "status": "done",
        "error": None,
        "inputs": 1,
        "figures": "{}",
        "workspace_version": WORKSPACE.version,
        "closed_at": run.moment,
    }
    rows = pa.Table.from_pylist([row], schema=arrow_schema(RUNS)).to_reader()
    lake.catalogue.append(RUNS, rows, Commit(run.run_id, "close"))


def run_of(seq: int) -> Run:
    """A run, a day after the one before."""
    return Run(f"20260101T{seq:06}Z-bench", seq, START + timedelta(days=seq))


def measured(name: str, act: Callable[[], dict[str, int]]) -> dict[str, Any]:
    """What a step did, its seconds of CPU, and the peak of memory while it ran."""
    Path("/proc/self/clear_refs").write_text("5")
    busy = process_time()
    figures = act()
    cpu = process_time() - busy
    return {"step": name, "cpu_seconds": round(cpu, 2), "peak_mb": peak_mb(), "figures": figures}


def peak_mb() -> int:
    """The peak since it was last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) // 1024


def stages(lake: Lake, run: Run, label: str, displaced: int, has_events: bool) -> Iterator[Any]:
    """The figures of a run's stages over the lake as it stands."""
    yield measured(f"{label}: identity", lambda: resolve_run(lake, run, displaced))
    if has_events:
        yield measured(f"{label}: profiles", lambda: unify_run(lake, run, displaced))


def ours(
    rows: int, share: float, has_events: bool, is_redone: bool, edges: Path
) -> list[dict[str, Any]]:
    """A full run, a run of what is new, and everything recomputed."""
    persons, more = rows // ROWS_A_PERSON, int(rows * share)
    found: list[dict[str, Any]] = []
    with TemporaryDirectory(prefix="stamgast-bench-") as name, local_lake(Path(name)) as lake:
        for seq, label, made in (
            (1, "first run", first_rows(persons)),
            (2, f"run of {share:.0%} more", later_rows(persons, more)),
        ):
            put(lake, run_of(seq), made, edges, has_events)
            found += stages(lake, run_of(seq), label, 0, has_events)
            close(lake, run_of(seq))
        if is_redone:
            found += stages(lake, run_of(3), "all recomputed", 1, has_events)
    return found


def clustered(name: str, edges: str) -> dict[str, Any]:
    """The clustering alone, by another: from a table of distinct edges to labels."""
    from bench.components import LABELLERS

    with TemporaryDirectory(prefix="stamgast-bench-") as folder:
        engine = duckdb.connect(str(Path(folder) / "edges.db"))
        for setting in ("threads = 2", "memory_limit = '2500MB'", f"temp_directory = '{folder}'"):
            engine.execute(f"set {setting}")
        engine.execute(
            f"create table edge as select distinct a, b from read_parquet('{edges}/*.parquet')"
        )
        busy = process_time()
        components = LABELLERS[name](engine)
        cpu = process_time() - busy
    return {
        "step": f"clustering alone: {name}",
        "cpu_seconds": round(cpu, 2),
        # Of this program alone: ru_maxrss would be that of the process it was forked from.
        "peak_mb": peak_mb(),
        "figures": {"components": components},
    }


def show(found: list[dict[str, Any]]) -> None:
    """The table, each step beside the full run of its kind."""
    full: dict[str, float] = {}
    for one in found:
        full.setdefault(one["step"].split(": ")[1], one["cpu_seconds"])
        kind = one["step"].split(": ")[1]
        base = full["identity"] if one["step"].startswith("clustering") else full[kind]
        print(
            f"{one['step']:<32} {one['cpu_seconds']:>8.2f} s CPU {one['peak_mb']:>6,} MB"
            f" {one['cpu_seconds'] / base:>7.1%}  {one['figures']}",
            flush=True,
        )


def main() -> None:
    """Prints the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=MILLION)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--no-profiles", action="store_true", help="the stage identity alone")
    parser.add_argument("--no-recompute", action="store_true", help="without the full recompute")
    parser.add_argument("--no-others", action="store_true", help="without the alternatives")
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(clustered(*chosen.one)))
        return
    with TemporaryDirectory(prefix="stamgast-edges-") as edges:
        found = ours(
            chosen.rows,
            chosen.share,
            not chosen.no_profiles,
            not chosen.no_recompute,
            Path(edges),
        )
        names = ["scipy", "splink", *(["networkx"] if chosen.rows <= NETWORKX_ROWS else [])]
        for name in [] if chosen.no_others else names:
            command = [sys.executable, __file__, "--one", name, edges]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found.append(json.loads(done.stdout.strip().splitlines()[-1]))
    if chosen.json:
        print(json.dumps(found))
        return
    show(found)


if __name__ == "__main__":
    main()
