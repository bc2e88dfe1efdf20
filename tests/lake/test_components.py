"""Components of random graphs are those of a library, also where keys meet in one code."""

from collections.abc import Iterable
from random import Random

import networkx
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection

from stamgast_lake import components
from stamgast_lake.components import connect

Edge = tuple[str, str]


def graph(seed: int) -> list[Edge]:
    rng = Random(seed)
    keys = [f"k{number:03}" for number in range(rng.choice([2, 10, 60]))]
    return [(rng.choice(keys), rng.choice(keys)) for _ in range(rng.randrange(1, 60))]


def expected(edges: Iterable[Edge]) -> dict[str, str]:
    found = networkx.connected_components(networkx.Graph(edges))
    return {key: min(part) for part in found for key in part}


def found(engine: DuckDBPyConnection, edges: Iterable[Edge]) -> dict[str, str]:
    a, b = zip(*edges, strict=True)
    engine.register("random_edge", pa.table({"a": list(a), "b": list(b)}))
    connect(engine, "random_edge", into="random_component")
    rows = engine.execute("select key, component from random_component").fetchall()
    assert len(rows) == len(dict(rows))
    return dict(rows)


@pytest.mark.parametrize("seed", range(12))
def test_components_are_those_of_networkx(engine: DuckDBPyConnection, seed: int) -> None:
    edges = graph(seed)
    assert found(engine, edges) == expected(edges)


def test_keys_that_meet_in_one_code_are_told_apart(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every key of one length has one code here."""
    engine.execute("create or replace macro crowded(key) as cast(length(key) as ubigint)")
    monkeypatch.setattr(components, "CODE", "crowded")
    edges = [("a", "b"), ("c", "d"), ("d", "ee")]
    assert found(engine, edges) == {"a": "a", "b": "a", "c": "c", "d": "c", "ee": "c"}


def test_codes_that_meet_without_notice_would_be_found_out(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.execute("create or replace macro crowded(key) as cast(length(key) as ubigint)")
    monkeypatch.setattr(components, "CODE", "crowded")
    monkeypatch.setattr(components, "ONE_BY_ONE", "select 1")
    edges = [("a", "b"), ("c", "d"), ("d", "ee")]
    assert found(engine, edges) != {"a": "a", "b": "a", "c": "c", "d": "c", "ee": "c"}
