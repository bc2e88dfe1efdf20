"""What the functions on the path of a request import: nothing that a request does not need."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("boto3", "duckdb", "numpy", "pandas", "phonenumbers", "pyarrow", "pyiceberg", "pydantic")


def test_collect_events_imports_nothing_heavy() -> None:
    code = f"""
import sys
import functions.collect_events.handler
print(*(name for name in {HEAVY!r} if name in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.split() == []


def test_importing_collect_events_reads_no_environment_and_makes_no_client() -> None:
    code = """
import functions.collect_events.handler as module
from stamgast_aws import clients
assert module._collector.cache_info().currsize == 0
assert clients.client.cache_info().currsize == 0
"""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=env)
