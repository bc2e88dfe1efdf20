"""Every kind of model runs over the lake's own tables, finds what is there, and tells a card."""

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from threadpoolctl import threadpool_limits

from stamgast.models.declaration import models_of
from stamgast.moments import ms_of
from stamgast_cli.modelling.card import card_of
from stamgast_cli.reports.model_facts import facts_of
from stamgast_cli.reports.model_page import page_of
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.models.report import versions
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import EVENTS
from tests.fakes.kind_world import MODELS, PEOPLE, event_of, happened
from tests.fakes.model_world import ENDS_AT, lake_of, moment, workspace

JUDGED = ("next_products", "on_offer", "leaves", "what_brings_orders", "groups")


@pytest.fixture(scope="module", autouse=True)
def one_engine() -> Iterator[None]:
    """One database for all sessions: to open one takes as long as a small stage."""
    with (
        session(EngineSettings(512, 1, Path(gettempdir()))) as engine,
        mock.patch("stamgast_lake.engine.connect", side_effect=lambda _: engine.cursor()),
        mock.patch("stamgast_learn.predict.ranking.REPLICATES", 40),
        threadpool_limits(limits=1),
    ):
        yield


def _step(_: str) -> AbstractContextManager[None]:
    return nullcontext()


@cache
def card(name: str) -> dict[str, Any]:
    """The card of a model over the world."""
    told = workspace(MODELS, "segments: {}")
    model = next(one for one in models_of(told.models) if one.name == name)
    lake = lake_of(told, people=PEOPLE, happened=happened())
    return card_of(lake, model, ms_of(moment()), _step)


def judged(name: str) -> dict[str, Any]:
    """The judgement of a model that may be used."""
    told = card(name)
    assert told["is_used"], told["why"]
    judgement: dict[str, Any] = told["report"]["judgement"]
    return judgement


def test_recommendations_beat_popularity_and_repurchase() -> None:
    told = judged("next_products")
    assert all(gain["low"] > 0 for gain in told["gains"].values())
    assert card("next_products")["now"]["scored"] == PEOPLE


def test_shares_on_discount_are_told_as_observed() -> None:
    told = judged("on_offer")
    assert told["is_causal"] is False
    assert told["coverage"]["value"] > 0.88
    assert told["elasticity"]["elasticity"]["high"] < -0.5


def test_contracts_that_end_are_foretold_by_what_comes_before() -> None:
    told = card("leaves")
    assert told["is_contractual"]
    assert told["report"]["judgement"]["ranking"]["auc"]["low"] > 0.6
    assert "that something comes" in facts_of(told)["predicts"]
    active = told["now"]["scored"] if told["now"] else told["report"]["people"]
    assert active < PEOPLE


def test_too_few_outcomes_of_an_experiment_are_counted_by_arm() -> None:
    told = card("helped_by_offer")
    found = re.match(r"of those treated, (\d+) with the outcome and (\d+) without it", told["why"])
    assert found is not None
    seen = happened().filter(pc.match_substring(happened()["properties"], '"offer"'))
    assert sum(map(int, found.groups())) == seen.num_rows


def test_versions_of_an_uplift_are_compared_by_the_order_that_scores() -> None:
    """The log holds orders by the alphabet, in which the one to treat the likeliest is first."""
    orders = {
        name: {"qini": {"value": value}}
        for name, value in (("likeliest_to_buy", 0.001), ("t_learner", 0.02), ("x_learner", 0.03))
    }
    judged = json.dumps({"orders": orders, "effect": {"value": 0.1}}, sort_keys=True)
    (told,) = versions(lambda _: [{"metrics": judged}], "helped")
    assert told["metrics"] == {"effect": 0.1, "qini": 0.03}
    assert next(iter(json.loads(judged)["orders"])) == "likeliest_to_buy"


def test_drivers_say_what_goes_with_orders() -> None:
    first = judged("what_brings_orders")["drivers"][0]
    assert (first["feature"], first["stands"]) == ("orders", True)


def test_clusters_are_the_tastes() -> None:
    told = judged("groups")
    assert len(told["personas"]) == 3
    assert all(one["share"]["low"] < 1 / 3 < one["share"]["high"] for one in told["personas"])
    assert len({one["name"] for one in told["personas"]}) == 3
    beside = told["beside_rfm"]
    assert beside["people"] > 400
    assert beside["clusters"]["low"] <= beside["clusters"]["value"] < 0.1  # tastes tell no money
    assert "beside RFM cells" in page_of(card("groups"))


@pytest.mark.parametrize("name", JUDGED)
def test_a_card_is_a_page_of_every_kind(name: str) -> None:
    assert "<svg role=" in page_of(card(name))


VISITORS = 700
ANONYMOUS = """
models:
  first_order:
    kind: propensity
    target: event = 'Order Completed'
    within_days: 7
    population: orders.count = 0 and days_since(last_at) <= 14
    cutoffs: {number: 6, every_days: 7}
    defaults: false
    features:
      looked: count(event = 'Product Viewed', last 14 days)
      days_known: days_since(first_at)
"""


@cache
def visitors() -> pa.Table:
    """Visitors of a few weeks who never say who they are; most of those who look a lot buy."""
    random, rows = np.random.default_rng(4), []
    for number in range(VISITORS):
        for came in np.cumsum(random.uniform(8, 24, 16)):
            looks = int(random.integers(1, 9))
            days = came + np.sort(random.uniform(0, 6, looks))
            rows += [event_of(number, day, "Product Viewed") for day in days]
            if random.random() < (0.6 if looks > 6 else 0.0):
                rows.append(bought(number, days[-1] + random.uniform(0.5, 6)))
                break
    shifted = [row for row in rows if row["event_at"] < ENDS_AT]
    return pa.Table.from_pylist(shifted, schema=arrow_schema(EVENTS))


def bought(number: int, day: float) -> dict[str, Any]:
    """An order without lines."""
    order = event_of(number, day, "Order Completed")
    return {**order, "revenue_minor": 1_000, "currency": "EUR"}


def test_visitors_who_never_say_who_they_are_are_foretold_by_a_fortnight_of_looking() -> None:
    told = workspace(ANONYMOUS, "segments: {}")
    lake = lake_of(told, people=VISITORS, happened=visitors())
    found = card_of(lake, models_of(told.models)[0], ms_of(moment(-210)), _step)
    assert found["is_used"], found["why"]
    assert found["report"]["judgement"]["ranking"]["auc"]["low"] > 0.6
    assert found["now"]["scored"] > 0
