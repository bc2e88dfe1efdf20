"""Scores of models in rules: both readings agree, and null is what nobody said."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from stamgast.segments.language.check import checked
from stamgast.segments.language.columns import OF_SCORE, Schema
from stamgast.segments.language.rules import Rule, rules_of
from stamgast.segments.language.windows import Now
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.rules.sources import place_in
from tests.parity.rule_world import Someone, by_python, by_sql

SCHEMA = Schema(scores=frozenset({"buys", "leaves"}))
NOW = Now(1_774_746_000_000, ZoneInfo("Europe/Amsterdam"))
RULES = (
    "scores.buys >= 0.25",
    "not (scores.buys < 0.25)",
    "scores.buys.percentile > 50 and scores.leaves.band = 'high'",
    "scores.leaves.value is null or scores.buys.low <= scores.leaves.high",
    "coalesce(scores.buys, 0) * 2 < scores.leaves",
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    with session(EngineSettings(512, 1, tmp_path_factory.mktemp("engine"))) as connection:
        yield connection


def compiled() -> tuple[Rule, ...]:
    trees = {}
    for place, text in enumerate(RULES):
        tree, faults = checked(text, SCHEMA)
        assert not faults, [str(fault) for fault in faults]
        trees[f"s{place}"] = tree
    return rules_of(trees)


numbers = st.none() | st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]) | st.floats(0, 1)
scores = st.fixed_dictionaries(
    {name: st.sampled_from(["high", "low"]) if name == "band" else numbers for name in OF_SCORE}
)
crowds = st.lists(
    st.dictionaries(st.sampled_from(["buys", "leaves", "gone"]), scores), min_size=1, max_size=8
)


@settings(max_examples=15)
@given(crowds)
def test_rules_on_scores_mean_the_same_in_both_readings(
    engine: DuckDBPyConnection, told: list[dict[str, dict[str, Any]]]
) -> None:
    crowd = [Someone(f"p{place}", scores=one) for place, one in enumerate(told)]
    assert by_sql(engine, compiled(), crowd, NOW) == by_python(compiled(), crowd, NOW)


def test_a_reading_that_takes_another_part_of_the_score_is_found(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(path: tuple[str, ...]) -> tuple[str, str]:
        return place_in((*path[:2], "percentile"))

    crowd = [Someone("p1", scores={"buys": {"value": 0.1, "percentile": 99.0}})]
    monkeypatch.setattr("stamgast_lake.rules.extractions.place_in", other)
    assert by_sql(engine, compiled(), crowd, NOW) != by_python(compiled(), crowd, NOW)


def test_a_model_that_is_not_there_and_a_part_that_no_score_has_are_faults() -> None:
    _, faults = checked("scores.bys > 0.5", SCHEMA)
    assert "did you mean `buys`?" in str(faults[0])
    _, faults = checked("scores.buys.percent > 50", SCHEMA)
    assert "did you mean `percentile`?" in str(faults[0])
    _, faults = checked("scores.buys > 0.5", Schema())
    assert "the rules of segments know those of models.yaml" in str(faults[0])


def test_rules_on_scores_wait_for_runs() -> None:
    from stamgast.segments.live.freshness import rules_that_wait

    told = rules_that_wait(compiled(), {})
    assert told["s0"] == "scores are made by runs of models"
