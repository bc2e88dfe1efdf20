"""Record linkage: our defaults beside Splink's documented example, each in a fresh process.

    python bench/records.py [--sets "febrl 3" …] [--json]
    python bench/records.py --size 1000000 [--splink-size 20000]

Pairs with a probability of at least 0.95 against the known truth: F1, precision, recall; the share
of true pairs that was compared at all; seconds and CPU seconds from the table of records to the
table of links, training in them; peak memory of the whole process. No side sees the truth, and
neither has `soc_sec_id`. Splink's example is that of its documentation for Febrl, without that
column. Generated records are seeded (bench/generated_records.py); nobody real is meant.
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

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SURE = 0.95
MEMORY_MB = 1_800
SPLINK_FEBRL_RULES = ("given_name", "surname", "birth_date", "postcode")
SPLINK_CERTAIN = (
    "l.given_name = r.given_name and l.surname = r.surname and l.birth_date = r.birth_date",
    "l.given_name = r.surname and l.surname = r.given_name and l.birth_date = r.birth_date",
)


def ours(engine: "DuckDBPyConnection", rows: pa.Table) -> tuple[pa.Table, float]:
    """The defaults; its links, and the share of true pairs that it estimates to reach."""
    from stamgast.identity.records import RecordSettings
    from stamgast_lake.records.link import learn_and_link

    model, links = learn_and_link(engine, rows, RecordSettings(), 0.5)
    return links, model.reach.recall


def splinks(engine: "DuckDBPyConnection", rows: pa.Table) -> tuple[pa.Table, float]:
    """Splink's documented example for Febrl, without `soc_sec_id`, with what columns there are."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    columns = set(rows.column_names)
    engine.register("rows_in", rows)
    engine.execute(
        "create temp table example as select row_number() over () as unique_id, * from rows_in"
    )
    told = {
        "given_name": lambda: cl.NameComparison("given_name").configure(
            term_frequency_adjustments=True
        ),
        "surname": lambda: cl.NameComparison("surname").configure(term_frequency_adjustments=True),
        "birth_date": lambda: cl.DamerauLevenshteinAtThresholds("birth_date", [1, 2]),
        "house": lambda: cl.ExactMatch("house").configure(term_frequency_adjustments=True),
        "postcode": lambda: cl.DamerauLevenshteinAtThresholds("postcode").configure(
            term_frequency_adjustments=True
        ),
    }
    settings = SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on(one) for one in SPLINK_FEBRL_RULES if one in columns
        ],
        comparisons=[make() for name, make in told.items() if name in columns],
        retain_matching_columns=False,
    )
    database = DuckDBAPI(connection=engine)
    linker = Linker(database.register("example"), settings, log_level=None)
    if "birth_date" in columns:
        linker.training.estimate_probability_two_random_records_match(SPLINK_CERTAIN, recall=0.9)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    for one in ("birth_date", "postcode") if "birth_date" in columns else ("surname", "postcode"):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(one))
    scored = linker.inference.predict(threshold_match_probability=0.5).physical_name
    return engine.sql(
        f"select l.record_id as a, r.record_id as b, match_probability as probability"
        f" from {scored} join example l on l.unique_id = unique_id_l"
        f" join example r on r.unique_id = unique_id_r"
    ).to_arrow_table(), float("nan")


def one(side: str, name: str, size: int) -> dict[str, Any]:
    """One side over one set, in this process."""
    from stamgast_lake.engine import EngineSettings, session
    from stamgast_lake.logs import count
    from stamgast_lake.records.truth import REACHED, judge

    rows = records(size) if size else sets()[name]()
    given = rows.drop_columns(["truth"])
    with session(EngineSettings(MEMORY_MB, 2, Path("/tmp"))) as engine:
        wall, cpu = perf_counter(), process_time()
        links, estimated = (ours if side == "ours" else splinks)(engine, given)
        told: dict[str, Any] = {"seconds": perf_counter() - wall, "cpu": process_time() - cpu}
        told["peak_mb"] = getrusage(RUSAGE_SELF).ru_maxrss / 1024
        if side != "ours":
            _as_ours(engine, given)
        judged = judge(engine, links, rows.select(["record_id", "truth"]), [SURE])
        assert count(engine, REACHED) >= 0
    best = judged.quality[0]
    told |= {"f1": best.f1, "precision": best.precision, "recall": best.recall}
    return {**told, "reached": judged.blocking_recall, "estimated": estimated, "side": side}


def _as_ours(engine: "DuckDBPyConnection", rows: pa.Table) -> None:
    """The pairs that Splink's rules reach, under the names by which they are judged."""
    engine.execute("create or replace temp view record as select * from example")
    rules = [one for one in SPLINK_FEBRL_RULES if one in rows.column_names]
    pairs = " union ".join(
        f"select l.unique_id as a, r.unique_id as b from example l"
        f" join example r on l.{one} = r.{one} and l.unique_id < r.unique_id"
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
    told = [(name, 0, side) for name in options.sets for side in ("ours", "splink")]
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
