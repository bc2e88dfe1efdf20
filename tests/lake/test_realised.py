"""What was stated of people, set beside what came, for each kind that says what will come."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from unittest import mock

import pytest
from threadpoolctl import threadpool_limits

from stamgast.models.declaration import Kind
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.models.came import FIGURES, KNOWN
from stamgast_lake.tables import EVENTS
from tests.fakes.kind_world import MODELS, PEOPLE, happened
from tests.fakes.model_runs import ModelRuns
from tests.fakes.model_world import lake_of, moment, workspace

NAMES = ("next_products", "leaves", "on_offer")
BEFORE = -31


@pytest.fixture(scope="module", autouse=True)
def one_engine() -> Iterator[None]:
    """One database for all sessions: to open one takes as long as a small stage."""
    with (
        session(EngineSettings(512, 1, Path(gettempdir()))) as engine,
        mock.patch("stamgast_lake.engine.connect", side_effect=lambda _: engine.cursor()),
        mock.patch("stamgast_learn.predict.ranking.REPLICATES", 20),
        threadpool_limits(limits=1),
    ):
        yield


@cache
def realised() -> dict[str, dict[str, Any]]:
    """What came of each model, a month after everybody was scored."""
    told = workspace(MODELS, "segments: {}")
    runs = ModelRuns(lake_of(told, moment(BEFORE), PEOPLE, happened()))
    scored = runs.run(moment(BEFORE), train=list(NAMES))["scored"]
    assert set(scored) == set(NAMES)
    runs.lake = _later(runs, told)
    later = runs.run(moment(), score=["on_offer"])  # no model but this is touched
    return {one["model"]: one for one in later["realised"]}


def _later(runs: ModelRuns, told: Any) -> Any:
    """The same lake with everything that has happened since."""
    whole: Any = lake_of(told, people=PEOPLE, happened=happened()).catalogue
    kept: Any = runs.lake.catalogue
    kept.tables[EVENTS.name] = whole.tables[EVENTS.name]
    return replace(runs.lake, catalogue=kept)


def test_offers_are_set_beside_what_was_bought() -> None:
    told = realised()["next_products"]
    assert told["people"] == PEOPLE
    assert told["came"] == pytest.approx(told["stated"], abs=0.05)
    assert told["bands"]["very_high"]["came"] > told["bands"]["low"]["came"]


def test_the_end_of_contracts_is_set_beside_what_was_stated() -> None:
    told = realised()["leaves"]
    assert 0 < told["people"] < PEOPLE
    assert told["came"] == pytest.approx(told["stated"], abs=0.06)
    assert told["brier"] < told["came"] * (1 - told["came"]) + 0.01


def test_shares_on_discount_are_set_beside_those_that_came() -> None:
    told = realised()["on_offer"]
    assert told["came"] == pytest.approx(told["stated"], abs=0.04)
    assert told["mean_absolute_error"] < 0.2
    assert told["mean_absolute_error_low"] < told["mean_absolute_error"]


def test_figures_of_what_came_have_intervals_in_which_a_person_counts_once() -> None:
    told = []
    for person in ("n", "n // 4"):
        with session() as engine:
            engine.execute(f"""
                create or replace temp table came as
                select {person} as person_id, 0.4 as value, true as is_known,
                    cast(n // 4 % 10 < 4 as integer) as label
                from range(4000) t(n)
            """)
            asked = engine.execute(FIGURES[Kind.RECOMMENDATION].format(which=""))
            names = [one[0] for one in asked.description]
            told.append(dict(zip(names, asked.fetchall()[0], strict=True)))
    each, once = ((one["came_high"] - one["came_low"]) / 2 for one in told)
    assert each == pytest.approx(1.96 * (0.4 * 0.6 / 4_000) ** 0.5)
    assert once == pytest.approx(1.96 * (0.4 * 0.6 / 1_000) ** 0.5), "rows of one are no people"
    assert [one["brier"] for one in told] == pytest.approx([0.24, 0.24])
    assert [one["people"] for one in told] == [4_000, 1_000]


def test_who_may_not_be_scored_any_more_is_in_no_figure_of_what_came() -> None:
    with session() as engine:
        for name, who in (("stated", "abcd"), ("allowed", "abd"), ("objecting", "b")):
            people = ", ".join(f"('{one}')" for one in who)
            engine.execute(
                f"create temp table {name} as select * from (values {people}) t(person_id)"
            )
        engine.execute("create temp table person_now as select *, 'active' as state from stated")
        engine.execute("update person_now set state = 'merged' where person_id = 'd'")
        engine.execute(KNOWN)
        known = engine.execute("select person_id from stated_now where is_known").fetchall()
    assert known == [("a",)]


def test_an_effect_is_set_beside_the_difference_between_the_arms_since() -> None:
    with session() as engine:
        engine.execute("""
            create or replace temp table came as
            select 0.1 as value, 'low' as band, true as is_known, n % 2 as arm,
                cast(n % 10 < 4 + 2 * (n % 2) as integer) as label
            from range(2000) t(n)
        """)
        asked = engine.execute(FIGURES[Kind.UPLIFT].format(which=""))
        names = [one[0] for one in asked.description]
        told = dict(zip(names, asked.fetchall()[0], strict=True))
    odd, even = 3 / 5, 2 / 5
    assert told["came"] == pytest.approx(odd - even)
    assert told["low"] < odd - even < told["high"]
    assert (told["treated"], told["held_out"]) == (1_000, 1_000)
