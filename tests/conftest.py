"""What holds for every test: no sockets but on the emulator, no waiting for Hypothesis' clock."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Tests run side by side: what learns takes one thread, or it waits for its neighbours' cores. The
# libraries read these when they are loaded, which is later than this.
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

HERE = Path(__file__).parent
END_TO_END = HERE / "e2e"
LONG = frozenset({HERE / "schedules", HERE / "lake", HERE / "infra"})

settings.register_profile(
    "stamgast",
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
# What `make test-deep` runs the same properties with.
settings.register_profile("wide", settings.get_profile("stamgast"), max_examples=1_000)
settings.load_profile("stamgast")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the emulator, and take the network from everything else.

    Folders of long tests come first, in the random order that they have, and with them those that
    one worker takes together: what is long and begins last leaves the other worker idle.
    """
    items.sort(key=lambda item: LONG.isdisjoint(item.path.parents))
    for item in items:
        if END_TO_END in item.path.parents:
            item.add_marker(pytest.mark.e2e)
        else:
            item.add_marker(pytest.mark.disable_socket)


def pytest_unconfigure() -> None:
    """Let go of what Hypothesis hangs into the collector, and of what a handler froze in it.

    Both outlive every module: the engine's types stay alive to the very end, and their library
    lists each one.
    """
    gc.callbacks.clear()
    gc.unfreeze()
