"""How long functions take to import, above bare Python, each in a fresh process.

    python bench/imports.py [--rounds 15] [--json]

Compiled files are kept in a folder of the bench's own, warmed by one import that is not counted,
as a deployed layer carries them. Each process ends at once after its import (`os._exit`), for
taking a process down is no part of loading it: a function's process is frozen, not ended. Medians
of the CPU seconds of the child process, which other work on the machine disturbs less than the
clock on the wall; both are printed.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

ROOT = Path(__file__).parents[1]
SUBJECTS = {
    "bare Python": "pass",
    "collect_events": "import functions.collect_events.handler",
    "look_up_profile": "import functions.look_up_profile.handler",
    "boto3 alone": "import boto3",
}
END = "\nimport os\nos._exit(0)"
UNWANTED = ("boto3", "duckdb", "pyiceberg", "pyarrow", "numpy", "pandas", "splink", "sklearn")


def run(statement: str, cache: str) -> tuple[float, float]:
    """Milliseconds of CPU and of the wall's clock for one statement in a fresh process."""
    env = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "AWS_DEFAULT_REGION": "eu-central-1"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    before, began = getrusage(RUSAGE_CHILDREN), perf_counter()
    subprocess.run([sys.executable, "-c", f"{statement}{END}"], check=True, env=env, cwd=ROOT)
    after, ended = getrusage(RUSAGE_CHILDREN), perf_counter()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu * 1e3, (ended - began) * 1e3


def unwanted(statement: str) -> list[str]:
    """Which modules an import brings that no request needs."""
    check = f"{statement}\nimport sys\nprint([m for m in {UNWANTED!r} if m in sys.modules])"
    env = {**os.environ, "AWS_DEFAULT_REGION": "eu-central-1"}
    done = subprocess.run(
        [sys.executable, "-c", check], check=True, env=env, cwd=ROOT, capture_output=True, text=True
    )
    found: list[str] = json.loads(done.stdout.strip().splitlines()[-1].replace("'", '"'))
    return found


def main() -> None:
    """Prints the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    chosen = parser.parse_args()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in SUBJECTS}
    with TemporaryDirectory() as cache:
        for statement in SUBJECTS.values():
            run(statement, cache)
        for _ in range(chosen.rounds):
            for name, statement in SUBJECTS.items():
                times[name].append(run(statement, cache))
    cpu = {name: median(one[0] for one in told) for name, told in times.items()}
    wall = {name: median(one[1] for one in told) for name, told in times.items()}
    bare_cpu, bare_wall = cpu["bare Python"], wall["bare Python"]
    figures = [
        {
            "import": name,
            "cpu_ms_above_bare": round(cpu[name] - bare_cpu, 1),
            "wall_ms_above_bare": round(wall[name] - bare_wall, 1),
            "unwanted": [] if name == "boto3 alone" else unwanted(SUBJECTS[name]),
        }
        for name in SUBJECTS
    ]
    if chosen.json:
        print(json.dumps(figures))
        return
    print("import            CPU ms above bare  wall ms above bare  ratio to boto3 alone  unwanted")
    boto3 = cpu["boto3 alone"] - bare_cpu
    print(f"{'bare, whole':16}  {bare_cpu:17.1f}  {bare_wall:18.1f}")
    for row in figures:
        ratio = (cpu[row["import"]] - bare_cpu) / boto3
        print(
            f"{row['import']:16}  {row['cpu_ms_above_bare']:17}  {row['wall_ms_above_bare']:18}"
            f"  {ratio:20.2f}  {', '.join(row['unwanted']) or '-'}"
        )


if __name__ == "__main__":
    main()
