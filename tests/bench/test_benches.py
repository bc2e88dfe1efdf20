"""Every bench runs against the code as it is today, in small, and prints figures."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Parts of benches: worlds, rules and what Splink's documentation shows.
PARTS = {
    *("timing_http", "generated_records", "record_sets", "segment_rules", "splink_examples"),
    *("coverage_clusters", "coverage_offers", "joined_worlds", "leak_seeds", "record_towns"),
}
SMALL = {
    "calibration": "--worlds 3 --people 1000 --rates 0.05",
    "components": "--rows 20000",
    "coverage": "--worlds 1 --people 600 --of propensity shares recommendation clusters",
    "devices": "--persons 1500 --days 120",
    "erasure": "--persons 2000 --days 5",
    "identity": "--rows 20000",
    "imports": "--rounds 2",
    "ingestion": "",
    "joined": "--worlds 1 --people 600 --of uplift lifetime_value --cost 500",
    "lake": "20000",
    "leaks": "--worlds 1 --people 400",
    "lifetime": "--customers 5000",
    "live_rules": "",
    "lookup": "",
    "models": "--train 4000 --score 4000",
    "publish": "50",
    "purchases": "",
    "recommendations": "--people 1000 --products 300",
    "record_bands": "--size 3000 --splink-size 2000",
    "records": "--size 4000 --splink-size 2000",
    "rfm": "--events 50000",
    "segment_export": "2000 10000",
    "segment_live": "",
    "segments": "2000 20000",
    "timing": "--calls 5",
    "write_units": "",
}


def test_every_bench_is_run_in_small() -> None:
    """A bench that nobody runs rots: its name stands in the list, or it is a part of one."""
    found = {path.stem for path in (ROOT / "bench").glob("*.py")} - {"__init__"}
    assert found == set(SMALL) | PARTS


@pytest.mark.deep
@pytest.mark.parametrize("name", sorted(SMALL))
def test_a_bench_runs_to_its_figures(name: str, tmp_path: Path) -> None:
    """It ends with 0 and prints a number."""
    more = ["--folder", str(tmp_path)] if name == "erasure" else []
    command = [sys.executable, "-m", f"bench.{name}", *SMALL[name].split(), *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-2000:]
    assert any(letter.isdigit() for letter in done.stdout)
