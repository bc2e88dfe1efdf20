"""One verb at a time changes a local deployment: a lock on its folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stamgast_cli.errors import BusyError
from stamgast_cli.local.places import Places


@contextmanager
def held(places: Places) -> Iterator[None]:
    """Hold the folder; raises BusyError naming the process that does.

    The kernel ends the lock with the process, so none is ever left behind.
    """
    places.home.mkdir(parents=True, exist_ok=True)
    handle = os.open(places.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(handle, places)
        yield
    finally:
        os.close(handle)


def _take(handle: int, places: Places) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = os.pread(handle, 20, 0).decode().strip() or "unknown"
        raise BusyError(
            f"process {pid} is changing {places.home} already",
            hint=f"Wait until it is done, or stop it (kill {pid}) and try again.",
        ) from error
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)


@contextmanager
def waited(path: Path) -> Iterator[None]:
    """Hold a file, waiting for whoever does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
