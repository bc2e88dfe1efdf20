"""What is stated of links between records, and how much of it is right, by band of probability.

    python -m bench.record_bands [--town homes] [--size 40000] [--seed 11] [--splink-size 20000]
        [--landlines 0.5] [--undated 0.6] [--json]

A generated town (nobody real is meant). Members of `homes` (bench/generated_records.py) share
surname and address, a share of them the telephone, and many have no birth date; `families` and
`firms` (bench/record_towns.py) are harder. Nobody has logged in, so nothing is calibrated. Beside
the defaults the model of Splink's documentation for Febrl 3 (bench/splink_examples.py), in the
same run.
"""

import argparse
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.generated_records import records
from bench.record_towns import KINDS, town
from bench.splink_examples import splinks

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BANDS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)
BY_BAND = """
    select coalesce(sum(probability), 0), coalesce(sum((l.truth = r.truth)::int), 0), count(*)
    from stated join town l on l.record_id = a join town r on r.record_id = b
    where probability >= {least} and (probability < {most} or {is_last})
"""


def bands(engine: "DuckDBPyConnection", links: pa.Table, people: pa.Table) -> list[dict[str, Any]]:
    """Per band: pairs, the mean of what is stated of them, and the share that is right."""
    from stamgast_lake.logs import keep

    keep(engine, "stated", links)
    keep(engine, "town", people)
    told = []
    for least, most in pairwise(BANDS):
        statement = BY_BAND.format(least=least, most=most, is_last=most == BANDS[-1])
        ((stated, right, pairs),) = engine.execute(statement).fetchall()
        of = max(1, pairs)
        told.append({"from": least, "pairs": pairs, "stated": stated / of, "right": right / of})
    return told


def town_of(options: argparse.Namespace, size: int) -> pa.Table:
    """The records that were asked for."""
    if options.town in KINDS:
        return town(options.town, size, options.seed)
    return records(size, seed=options.seed, landlines=options.landlines, undated=options.undated)


def sides(options: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """The bands of each side, over its town."""
    from bench.records import MEMORY_MB, ours
    from stamgast_lake.engine import EngineSettings, session

    told = {}
    for side, size in (("ours", options.size), ("Splink's example", options.splink_size)):
        people = town_of(options, size)
        given = people.drop_columns(["truth"])
        with session(EngineSettings(MEMORY_MB, 2, Path("/tmp"))) as engine:
            links = (
                ours(engine, given)[0]
                if side == "ours"
                else splinks(engine, given, is_linking=False, is_extended=False)[0]
            )
            told[f"{side}, {size:,}"] = bands(engine, links, people)
    return told


def main() -> None:
    """Prints the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--town", choices=("homes", *KINDS), default="homes")
    parser.add_argument("--size", type=int, default=40_000)
    parser.add_argument("--splink-size", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--landlines", type=float, default=0.5)
    parser.add_argument("--undated", type=float, default=0.6)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    told = sides(options)
    if options.json:
        print(json.dumps(told))
        return
    print("| side, records | probability from | pairs | stated | right |\n|---|---|---|---|---|")
    for side, found in told.items():
        for one in found:
            shown = f"{one['pairs']:,} | {one['stated']:.3f} | {one['right']:.3f}"
            print(f"| {side} | {one['from']} | {shown} |")


if __name__ == "__main__":
    main()
