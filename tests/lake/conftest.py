"""An engine for a whole session of tests, and loads over fresh in-memory tables."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection

from stamgast_lake.engine import EngineSettings, session
from tests.fakes.lake_bench import LoadBench


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(memory_mb=512, threads=1, folder=folder)) as connection:
        yield connection


@pytest.fixture
def new_bench(engine: DuckDBPyConnection, tmp_path: Path) -> Callable[[], LoadBench]:
    return lambda: LoadBench(engine, tmp_path)


@pytest.fixture
def bench(new_bench: Callable[[], LoadBench]) -> LoadBench:
    return new_bench()
