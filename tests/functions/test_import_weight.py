"""What the functions on the path of a request import: nothing that a request does not need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "aws_lambda_powertools",
    "boto3",
    "duckdb",
    "numpy",
    "pandas",
    "phonenumbers",
    "pyarrow",
    "pyiceberg",
    "pydantic",
)
# A look-up reads persons and facts: it knows no event, and changes no identity.
WRITING = ("stamgast.identity.event", "stamgast.identity.star", "stamgast.identity.store")


@pytest.mark.parametrize(
    ("function", "unwanted"),
    [("collect_events", HEAVY), ("look_up_profile", (*HEAVY, *WRITING))],
)
def test_what_answers_a_request_imports_nothing_that_it_does_not_need(
    function: str, unwanted: tuple[str, ...]
) -> None:
    code = f"""
import sys
import functions.{function}.handler
print(*(name for name in {unwanted!r} if name in sys.modules))
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
