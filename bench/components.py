"""Connected components: ours against networkx, SciPy and Splink, each in a fresh process.

    python bench/components.py [--rows 1000000 10000000] [--deep] [--json]

Rows are (record, key), three a record, keys as long as ours; records meet in households of a few
records and now and then across. Seconds and CPU seconds from the table of rows to a table
(key, component); peak memory of the whole process, the rows in it. `--deep` adds 20 M rows.
networkx runs at 1 M rows alone. The ratio is that of CPU seconds, which other work on the machine
disturbs less than the clock on the wall.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import duckdb
import numpy as np

MILLION = 1_000_000
NETWORKX_ROWS = MILLION
ROWS = """
    create table record as
    select r // 3 as record, 'device_id:1' || left(md5(cast(
        case when r % 3 < 2 then (r // 3) // 2 * 2 + r % 3
             else 10000000000 + (((r // 3) * 2654435761) % {records}) // 40 * 40 + (r // 12) % 17
             end
        as varchar)), 25) as key
    from range({rows}) series(r)
"""
NUMBERED = """
    select cast(na.id as integer) as a, cast(nb.id as integer) as b from edge
    join node na on na.key = edge.a join node nb on nb.key = edge.b
"""
NODES = """
    create temp table node as
    select key, row_number() over (order by key) - 1 as id
    from (select a as key from edge union select b from edge)
"""


def ours(engine: duckdb.DuckDBPyConnection) -> int:
    """Codes in DuckDB, min-hooking in numpy, and a table (key, component) in the end."""
    from stamgast_lake.components import connect

    connect(engine, "edge", "component")
    return count(engine, "select count(distinct component) from component")


def scipy(engine: duckdb.DuckDBPyConnection) -> int:
    """Numbers in DuckDB, labels by scipy.sparse.csgraph; they are not brought back to the keys."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    engine.execute(NODES)
    nodes = count(engine, "select count(*) from node")
    found = engine.execute(NUMBERED).fetchnumpy()
    ones = np.ones(len(found["a"]), dtype=np.int8)
    graph = coo_matrix((ones, (found["a"], found["b"])), shape=(nodes, nodes))
    return int(connected_components(graph, directed=False)[0])


def networkx(engine: duckdb.DuckDBPyConnection) -> int:
    """The edges as Python objects in a networkx graph."""
    import networkx as nx

    graph = nx.Graph()
    graph.add_edges_from(engine.execute("select a, b from edge").fetchall())
    return sum(1 for _ in nx.connected_components(graph))


def splink(engine: duckdb.DuckDBPyConnection) -> int:
    """Splink's clustering in SQL over the same edges and nodes."""
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    engine.execute("create table pairs as select a as unique_id_l, b as unique_id_r from edge")
    engine.execute("create table nodes as select a as unique_id from edge union select b from edge")
    clusters: Any = cluster_pairwise_predictions_at_threshold(
        "nodes", "pairs", DuckDBAPI(connection=engine), node_id_column_name="unique_id"
    )
    return count(engine, f"select count(distinct cluster_id) from {clusters.physical_name}")


LABELLERS: dict[str, Callable[[duckdb.DuckDBPyConnection], int]] = {
    "ours": ours,
    "scipy": scipy,
    "splink": splink,
    "networkx": networkx,
}


def count(engine: duckdb.DuckDBPyConnection, statement: str) -> int:
    """The number that a statement gives."""
    ((number,),) = engine.execute(statement).fetchall()
    return int(number)


def measure(name: str, rows: int) -> dict[str, Any]:
    """One subject in this process."""
    with TemporaryDirectory(prefix="stamgast-bench-") as folder:
        engine = duckdb.connect(str(Path(folder) / "rows.db"))
        for setting in ("threads = 2", "memory_limit = '2500MB'", f"temp_directory = '{folder}'"):
            engine.execute(f"set {setting}")
        engine.execute("set preserve_insertion_order = false")
        engine.execute(ROWS.format(rows=rows, records=rows // 3))
        from stamgast_lake.components import star_edges

        began, busy = perf_counter(), process_time()
        star_edges(engine, "record", "record", "key", "edge")
        components = LABELLERS[name](engine)
        seconds, cpu = perf_counter() - began, process_time() - busy
        engine.close()
    return {
        "subject": name,
        "rows": rows,
        "components": components,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "peak_mb": getrusage(RUSAGE_SELF).ru_maxrss // 1024,
    }


def in_fresh_process(name: str, rows: int) -> dict[str, Any]:
    """One subject, so that its peak of memory is its own."""
    command = [sys.executable, __file__, "--one", name, "--rows", str(rows)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        return {"subject": name, "rows": rows, "fault": done.stderr.strip().splitlines()[-1][:160]}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def show(found: dict[str, Any], ours_cpu: float) -> None:
    """One line of the table."""
    if "fault" in found:
        print(f"{found['rows']:>11,}  {found['subject']:<9}  failed: {found['fault']}")
        return
    print(
        f"{found['rows']:>11,}  {found['subject']:<9} {found['components']:>10,}"
        f" {found['seconds']:>8.2f} s {found['cpu_seconds']:>8.2f} s {found['peak_mb']:>7,} MB"
        f" {found['cpu_seconds'] / ours_cpu:>7.1f} x",
        flush=True,
    )


def main() -> None:
    """Prints the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[MILLION, 10 * MILLION])
    parser.add_argument("--deep", action="store_true", help="20 M rows, too")
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--one", choices=LABELLERS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.one, chosen.rows[0])))
        return
    told = []
    for rows in [*chosen.rows, *([20 * MILLION] if chosen.deep else [])]:
        names = [n for n in LABELLERS if n != "networkx" or rows <= NETWORKX_ROWS]
        for name in names:
            told.append(in_fresh_process(name, rows))
            if not chosen.json:
                base = next(one for one in told if one["rows"] == rows)
                show(told[-1], base.get("cpu_seconds", 1.0))
    if chosen.json:
        print(json.dumps(told))


if __name__ == "__main__":
    main()
