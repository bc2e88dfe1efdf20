"""RFM of many orders: the lake's SQL against raw SQL and pandas by hand, each in a fresh process.

    python bench/rfm.py [--events 10000000] [--json]

From a Parquet file of orders (person, currency, minor units, time) to every buyer's scores and
cell. All must agree on every cell's size. Peak memory is that of the whole process.
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
RAW = """
    with paid as (
        select person_id, currency, count(*) as orders, sum(minor) as money, max(ms) as last_ms
        from read_parquet('{path}') group by all
    ), placed as (
        select *, row_number() over
            (partition by person_id order by orders desc, last_ms desc, currency) as place
        from paid
    ), buyers as (
        select person_id, sum(orders) as orders, {moment} // {day} - max(last_ms) // {day} as days,
            max(currency) filter (place = 1) as currency, max(money) filter (place = 1) as money
        from placed group by person_id
    ), scored as (
        select 5 - (5 * (rank() over (order by days) - 1)) // count(*) over () as r,
            case orders when 1 then 1 else 2 + (4 * (rank() over
                (partition by orders > 1 order by orders) - 1))
                // count(*) over (partition by orders > 1) end as f,
            1 + (5 * (rank() over (partition by currency order by money) - 1))
                // count(*) over (partition by currency) as m
        from buyers
    )
    select {grid}[r][case f when 1 then 1 else (f + m + 1) // 2 end] as cell, count(*)
    from scored group by cell
"""


def engine_of_two() -> duckdb.DuckDBPyConnection:
    """DuckDB, two threads, bounded memory."""
    engine = duckdb.connect()
    engine.execute("set timezone = 'UTC'; set threads = 2; set memory_limit = '2500MB'")
    return engine


def by_lake(path: str) -> dict[str, int]:
    """The product's statement."""
    engine = engine_of_two()
    engine.execute(f"create temp table spendings as {SPENDINGS.format(path=path)}")
    scored = rfm_sql("spendings", MOMENT_MS)
    return dict(engine.execute(f"select cell, count(*) from ({scored}) group by cell").fetchall())


def by_hand(path: str) -> dict[str, int]:
    """The same rules as one raw statement with windows."""
    grid = [[cell.value for cell in row] for row in GRID]
    told = RAW.format(path=path, moment=MOMENT_MS, day=DAY_MS, grid=grid)
    return dict(engine_of_two().execute(told).fetchall())


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


SUBJECTS = {"lake": by_lake, "raw": by_hand, "pandas": by_pandas}


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
    """All subjects over one file; raises if they disagree."""
    with TemporaryDirectory(prefix="stamgast-bench-") as folder:
        path = str(Path(folder) / "orders.parquet")
        told = {"persons": events // 10, "events": events, "moment": MOMENT_MS, "day": DAY_MS}
        duckdb.sql(ORDERS.format(**told, path=path))
        found = []
        for name in SUBJECTS:
            command = [sys.executable, __file__, "--one", name, "--path", path]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found.append(json.loads(done.stdout.strip().splitlines()[-1]))
    if any(one["cells"] != found[0]["cells"] for one in found):
        raise SystemExit("they disagree")
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
