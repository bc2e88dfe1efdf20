"""Record linkage: our defaults beside Splink's documented example, each in a fresh process.

    python bench/records.py [--sets "febrl 3" …] [--json]
    python bench/records.py --size 1000000 [--splink-size 20000]

Pairs with a probability of at least 0.95 against the known truth: F1, precision, recall; the share
of true pairs that was compared at all; seconds and CPU seconds from the table of records to the
table of links, training in them; peak memory of the whole process. No side sees the truth, and
neither has `soc_sec_id`. Splink's are the examples of its documentation (bench/splink_examples.py):
that for Febrl 4 links two files, where ours is not told of them. Generated records are seeded
(bench/generated_records.py); nobody real is meant.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.generated_records import records
from bench.record_sets import sets
from bench.splink_examples import splinks

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SURE = 0.95
MEMORY_MB = 1_800
SIDES = ("ours", "splink", "splink, extended")


def ours(engine: "DuckDBPyConnection", rows: pa.Table) -> tuple[pa.Table, float]:
    """The defaults; its links, and the share of true pairs that it estimates to reach."""
    from stamgast.identity.records import RecordSettings
    from stamgast_lake.records.link import learn_and_link

    model, links = learn_and_link(engine, rows, RecordSettings(), 0.5)
    return links, model.reach.recall


def one(side: str, name: str, size: int) -> dict[str, Any]:
    """One side over one set, in this process."""
    from stamgast_lake.engine import EngineSettings, session
    from stamgast_lake.logs import count
    from stamgast_lake.records.truth import REACHED, judge

    rows = records(size) if size else sets()[name]()
    given = rows.drop_columns(["truth"])
    with session(EngineSettings(MEMORY_MB, 2, Path("/tmp"))) as engine:
        wall, cpu = perf_counter(), process_time()
        links, estimated = _linked(engine, given, side, name)
        told: dict[str, Any] = {"seconds": perf_counter() - wall, "cpu": process_time() - cpu}
        told["peak_mb"] = getrusage(RUSAGE_SELF).ru_maxrss / 1024
        judged = judge(engine, links, rows.select(["record_id", "truth"]), [SURE])
        assert count(engine, REACHED) >= 0
    best = judged.quality[0]
    told |= {"f1": best.f1, "precision": best.precision, "recall": best.recall}
    return {**told, "reached": judged.blocking_recall, "estimated": estimated, "side": side}


def _linked(
    engine: "DuckDBPyConnection", rows: pa.Table, side: str, name: str
) -> tuple[pa.Table, float]:
    if side == "ours":
        return ours(engine, rows)
    links, rules = splinks(
        engine,
        rows,
        is_linking=name.startswith("febrl 4"),
        is_extended=side == "splink, extended",
    )
    _as_ours(engine, rows, rules)
    return links, float("nan")


def _as_ours(engine: "DuckDBPyConnection", rows: pa.Table, rules: list[str]) -> None:
    """The pairs that Splink's rules reach, under the names by which they are judged."""
    engine.register("every_row", rows)
    engine.execute(
        "create temp table record as"
        " select cast(row_number() over (order by record_id) as integer) as unique_id, *"
        " from every_row"
    )
    pairs = " union ".join(
        f"select l.unique_id as a, r.unique_id as b from record l"
        f" join record r on l.unique_id < r.unique_id and {one}"
        for one in rules
    )
    engine.execute(f"create or replace temp view pair as {pairs}")


def fresh(side: str, name: str, size: int) -> dict[str, Any]:
    """One side over one set, in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--set", name, "--records", str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"side": side, "fault": done.stderr.strip().splitlines()[-1][:100]}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _sides(name: str) -> tuple[str, ...]:
    """Splink's documentation refines its example for Febrl 4 once more."""
    return SIDES if name.startswith("febrl 4") else SIDES[:2]


def row(name: str, told: dict[str, Any]) -> str:
    """A line of the table."""
    if "fault" in told:
        return f"| {name} | {told['side']} | {told['fault']} |"
    shown = [f"{told[one]:.4f}" for one in ("f1", "precision", "recall", "reached")]
    estimated = told["estimated"]
    shown.append("–" if estimated != estimated else f"{estimated:.4f}")
    shown += [f"{told['seconds']:.0f}", f"{told['cpu']:.0f}", f"{told['peak_mb']:,.0f}"]
    return f"| {name} | {told['side']} | {' | '.join(shown)} |"


def main() -> None:
    """Prints the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="*", default=list(sets()))
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--splink-size", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--set", default="", help=argparse.SUPPRESS)
    parser.add_argument("--records", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(one(options.side, options.set, options.records)))
        return
    told = [(name, 0, side) for name in options.sets for side in _sides(name)]
    if options.size:
        told = [("generated", options.size, "ours")]
        told += [("generated", options.splink_size, side) for side in ("ours", "splink")]
    print(
        "| records | side | F1 | precision | recall | reached | estimated | s | CPU s | peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, size, side in told:
        label = f"{name}, {size:,}" if size else name
        answer = fresh(side, name, size)
        print(
            json.dumps({"set": label, **answer}) if options.json else row(label, answer), flush=True
        )


if __name__ == "__main__":
    main()
