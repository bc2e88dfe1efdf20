"""DuckDB sessions with bounded memory, in UTC, that download nothing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir, mkdtemp

import duckdb

BUSY_SHARE = 0.45
SMALLEST_MB = 256
WITHOUT_LIMIT_MB = 3008


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How much of the machine a session may take; `memory_mb` is DuckDB's own limit."""

    memory_mb: int
    threads: int
    folder: Path


def settings_of_machine() -> EngineSettings:
    """Under half of the function's memory, for Arrow and Python share the rest; /tmp to spill."""
    told = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", WITHOUT_LIMIT_MB))
    return EngineSettings(
        memory_mb=max(SMALLEST_MB, int(told * BUSY_SHARE)),
        threads=os.cpu_count() or 1,
        folder=Path(gettempdir()),
    )


def connect(settings: EngineSettings) -> duckdb.DuckDBPyConnection:
    """A session in UTC that spills into the settings' folder; insertion order is not kept."""
    connection = duckdb.connect(":memory:")
    for name, value in (
        ("TimeZone", "UTC"),
        ("memory_limit", f"{settings.memory_mb}MB"),
        ("threads", settings.threads),
        ("temp_directory", str(settings.folder)),
        ("preserve_insertion_order", False),
        ("autoinstall_known_extensions", False),
        ("autoload_known_extensions", False),
    ):
        connection.execute(f"set {name} = {_literal(value)}")
    return connection


def _literal(value: object) -> str:
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


@contextmanager
def session(settings: EngineSettings | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session whose folder for spilling is its own and is gone at the end."""
    settings = settings or settings_of_machine()
    folder = Path(mkdtemp(prefix="stamgast-", dir=settings.folder))
    connection = connect(EngineSettings(settings.memory_mb, settings.threads, folder))
    try:
        yield connection
    finally:
        connection.close()
        rmtree(folder, ignore_errors=True)
