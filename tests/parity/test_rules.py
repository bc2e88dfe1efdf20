"""The two readings of a rule agree for every rule and every person."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stamgast.segments.language.check import checked
from stamgast.segments.language.columns import Schema
from stamgast.segments.language.rules import Rule, rules_of
from stamgast_lake.engine import EngineSettings, session
from tests.parity.rule_cases import conditions, nows, people
from tests.parity.rule_world import by_python, by_sql

SCHEMA = Schema(frozenset(f"s{place}" for place in range(12)))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with session(EngineSettings(512, 1, folder)) as connection:
        yield connection


def compiled(texts: list[str]) -> tuple[Rule, ...]:
    trees = {}
    for place, text in enumerate(texts):
        tree, faults = checked(text, SCHEMA)
        assert not faults, (text, [str(fault) for fault in faults])
        trees[f"s{place}"] = tree
    return rules_of(trees)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_both_readings_agree(engine: DuckDBPyConnection, data: st.DataObject) -> None:
    now = data.draw(nows())
    texts = data.draw(st.lists(conditions(), min_size=1, max_size=8))
    crowd = data.draw(people(now))
    rules = compiled(texts)
    assert by_sql(engine, rules, crowd, now) == by_python(rules, crowd, now)
