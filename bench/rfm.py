"""RFM of many orders: the lake's SQL against pandas, each in a fresh process.

    python bench/rfm.py [--events 10000000] [--json]

From a Parquet file of orders (person, currency, minor units, time) to every buyer's scores and
cell. Both must agree on every cell's size. Peak memory is that of the whole process.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import duckdb

from stamgast.segments.rfm import DAY_MS, GRID
from stamgast_lake.rfm import rfm_sql

MOMENT_MS = 20_000 * DAY_MS
ORDERS = """
    copy (
        select 'p1' || left(md5(cast(cast(pow(random(), 3) * {persons} as bigint) as varchar)), 25)
                as person_id,
            case when random() < 0.9 then 'EUR' else 'JPY' end as currency,
            cast(random() * 20000 as bigint) as minor,
            {moment} - cast(random() * 400 * {day} as bigint) as ms
        from range({events})
    ) to '{path}' (format parquet)
"""
SPENDINGS = """
    select person_id, currency, count(*) as orders, cast(sum(minor) as bigint) as revenue_minor,
        max(ms) as last_ms
    from read_parquet('{path}') group by person_id, currency
"""


def by_lake(path: str) -> dict[str, int]:
    """DuckDB, two threads, bounded memory."""
    engine = duckdb.connect()
    engine.execute("set timezone = 'UTC'; set threads = 2; set memory_limit = '2500MB'")
    engine.execute(f"create temp table spendings as {SPENDINGS.format(path=path)}")
    scored = rfm_sql("spendings", MOMENT_MS)
    return dict(engine.execute(f"select cell, count(*) from ({scored}) group by cell").fetchall())


def by_pandas(path: str) -> dict[str, int]:
    """The same rules in pandas, vectorised."""
    import pandas as pd

    orders = pd.read_parquet(path)
    by_currency = orders.groupby(["person_id", "currency"], as_index=False).agg(
        orders=("minor", "size"), revenue=("minor", "sum"), last=("ms", "max")
    )
    by_currency = by_currency.sort_values(
        ["person_id", "orders", "last", "currency"], ascending=[True, False, False, True]
    )
    person = by_currency.groupby("person_id")
    buyers = person.first()
    days = MOMENT_MS // DAY_MS - person["last"].max() // DAY_MS
    frequency = person["orders"].sum()
    r = 5 - (5 * (days.rank(method="min").astype("int64") - 1)) // len(buyers)
    repeat = frequency[frequency > 1]
    f = pd.Series(1, index=buyers.index)
    f[repeat.index] = 2 + (4 * (repeat.rank(method="min").astype("int64") - 1)) // len(repeat)
    money = buyers.groupby("currency")["revenue"]
    m = 1 + (5 * (money.rank(method="min").astype("int64") - 1)) // money.transform("size")
    value = ((f + m + 1) // 2).where(f > 1, 1)
    cells = pd.Series([GRID[a - 1][b - 1].value for a, b in zip(r, value, strict=True)])
    return {str(cell): int(size) for cell, size in cells.value_counts().items()}


SUBJECTS = {"lake": by_lake, "pandas": by_pandas}


def measure(name: str, path: str) -> dict[str, Any]:
    """One subject in this process."""
    began, busy = perf_counter(), process_time()
    cells = SUBJECTS[name](path)
    return {
        "subject": name,
        "cells": dict(sorted(cells.items())),
        "seconds": round(perf_counter() - began, 2),
        "cpu_seconds": round(process_time() - busy, 2),
        "peak_mb": getrusage(RUSAGE_SELF).ru_maxrss // 1024,
    }


def compare(events: int) -> list[dict[str, Any]]:
    """Both subjects over one file; raises if they disagree."""
    with TemporaryDirectory(prefix="stamgast-bench-") as folder:
        path = str(Path(folder) / "orders.parquet")
        told = {"persons": events // 10, "events": events, "moment": MOMENT_MS, "day": DAY_MS}
        duckdb.sql(ORDERS.format(**told, path=path))
        found = []
        for name in SUBJECTS:
            command = [sys.executable, __file__, "--one", name, "--path", path]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found.append(json.loads(done.stdout.strip().splitlines()[-1]))
    if found[0]["cells"] != found[1]["cells"]:
        raise SystemExit("the two disagree")
    return found


def main() -> None:
    """Prints the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--one", choices=SUBJECTS, help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.one, chosen.path)))
        return
    found = compare(chosen.events)
    if chosen.json:
        print(json.dumps(found))
        return
    print(f"{chosen.events:,} orders of {sum(found[0]['cells'].values()):,} buyers")
    for one in found:
        ratio = one["seconds"] / found[0]["seconds"]
        print(
            f"{one['subject']:<7} {one['seconds']:>7.2f} s {one['cpu_seconds']:>7.2f} s"
            f" {one['peak_mb']:>6,} MB {ratio:>6.1f} x"
        )


if __name__ == "__main__":
    main()
