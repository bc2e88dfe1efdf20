"""Both stacks, deployed by the real CDK command line onto emulators of these tests' own."""

import os
import signal
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from stamgast_cli.local import emulator
from stamgast_cli.local.places import ROOT, Places
from stamgast_cli.local.up import up
from tests.e2e.house import House

OPEN, ENFORCED = "iam-open", "iam-enforced"
WITH_THE_ENFORCED = "/test_models_and_erasure.py::"


class Shares(LoadScopeScheduling):  # type: ignore[misc]  # comes without types
    """Two shares of about equal length for two processes, each with a deployment of its own.

    The open one's process deploys the enforced one, too: what takes longest but one is with it.
    """

    def _split_scope(self, nodeid: str) -> str:
        is_enforced = nodeid.endswith(f"[{ENFORCED}]") or WITH_THE_ENFORCED in nodeid
        return ENFORCED if is_enforced else OPEN


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Shares:
    """Give each process its share, where several run these tests."""
    return Shares(config, log)


@pytest.fixture(scope="session", autouse=True)
def _leave_nothing_running() -> None:
    """Turn a request to end into an interrupt, after which fixtures still stop what they began."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def built() -> Path:
    """Where the templates are written, kept between sessions while the sources stay the same."""
    told = os.environ.get("STAMGAST_E2E_HOME")
    return Path(told) if told else ROOT / ".stamgast" / "e2e"


@pytest.fixture(scope="session")
def stack(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A fresh deployment without enforced permissions."""
    yield from _deployed(Places(ROOT, tmp_path_factory.mktemp(OPEN), built))


@pytest.fixture(scope="session")
def enforced_stack(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A fresh deployment, started again with every role's permissions enforced."""
    yield from _deployed(Places(ROOT, tmp_path_factory.mktemp(ENFORCED), built), enforced=True)


@pytest.fixture(params=[pytest.param(OPEN, marks=pytest.mark.deep), ENFORCED])
def house(request: pytest.FixtureRequest) -> House:
    """The deployment whose permissions are enforced; deep tests ask the open one the same."""
    name = "stack" if request.param == OPEN else "enforced_stack"
    found: House = request.getfixturevalue(name)
    return found


def _deployed(places: Places, *, enforced: bool = False) -> Iterator[House]:
    try:
        connection = up(places, step=nullcontext)
        if enforced:
            connection = up(places, step=nullcontext, is_enforcing=True)
        yield House(places, connection)
    finally:
        emulator.stop(places)
