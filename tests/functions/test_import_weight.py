"""What the functions on the path of a request import: nothing that a request does not need."""

import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("functions", "stamgast", "stamgast_aws")
# What talks to AWS with what that brings along, JSON, and the compression of a message.
CLIENT = ("botocore", "certifi", "dateutil", "jmespath", "six", "urllib3")
OF_OTHERS = {
    "collect_events": (*CLIENT, "isal", "orjson"),
    "look_up_profile": (*CLIENT, "orjson"),
}
STAGES = {
    "collect_events": ("stamgast.ingestion", "stamgast.identity.assurance"),
    "look_up_profile": (
        "stamgast.consent",
        "stamgast.egress",
        "stamgast.ingestion.opt_outs",
        "stamgast.lookup",
        "stamgast.identity",
        "stamgast.profile",
        "stamgast.segments",
        "stamgast.workspace.model",
    ),
}
WITHOUT_STAGE = (
    "stamgast.metrics",
    "stamgast.moments",
    "stamgast.retention",
    "stamgast.store_error",
)
# A look-up reads persons and facts: it knows no event, changes no identity, and makes no link.
# A stage's rules are loaded by the requests that ask them.
WRITING = (
    "stamgast.identity.decision",
    "stamgast.identity.edge",
    "stamgast.identity.event",
    "stamgast.identity.explain",
    "stamgast.identity.link_settings",
    "stamgast.identity.records",
    "stamgast.identity.star",
    "stamgast.identity.store",
    "stamgast.lookup.cut_api",
    "stamgast.lookup.explain_api",
    "stamgast.lookup.schema",
    "stamgast.profile.live",
    "stamgast.profile.steps",
    "stamgast.segments.language",
    "stamgast.segments.live.plan",
    "stamgast.segments.live.rules",
)


@cache
def brought(function: str) -> tuple[str, ...]:
    """The modules that a function brings into a fresh process."""
    code = f"""
import sys
before = set(sys.modules)
import functions.{function}.handler
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return tuple(done.stdout.split())


def within(name: str, packages: Iterable[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in packages)


@pytest.mark.parametrize("function", OF_OTHERS)
def test_what_answers_a_request_imports_of_others_what_every_request_needs(function: str) -> None:
    known = {*sys.stdlib_module_names, *OURS, *OF_OTHERS[function]}
    assert {name.partition(".")[0].removeprefix("_") for name in brought(function)} <= {
        one.removeprefix("_") for one in known
    }


@pytest.mark.parametrize("function", STAGES)
def test_what_answers_a_request_imports_its_own_stages_alone(function: str) -> None:
    packages = {name.rpartition(".")[0] for name in brought(function)}
    told = [name for name in brought(function) if within(name, ("stamgast",))]
    allowed = (*STAGES[function], *WITHOUT_STAGE)
    assert [one for one in told if not within(one, allowed) and one not in packages] == []


def test_a_look_up_imports_nothing_that_writes_explains_or_links() -> None:
    assert [name for name in brought("look_up_profile") if within(name, WRITING)] == []


def test_importing_collect_events_reads_no_environment_and_makes_no_client() -> None:
    code = """
import functions.collect_events.handler as module
from stamgast_aws import clients
assert module._collector.cache_info().currsize == 0
assert clients.client.cache_info().currsize == 0
"""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=env)
