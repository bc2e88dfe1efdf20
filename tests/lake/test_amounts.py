"""Amounts among features are of one currency: nothing is added up or set beside what is another."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from stamgast.models.declaration import model_of, models_of
from stamgast_lake.engine import session
from stamgast_lake.features import measured
from stamgast_lake.features import panel as panels
from stamgast_lake.features.amounts import Amounts
from stamgast_lake.features.measured import CutOff
from stamgast_lake.features.panel import fill
from stamgast_lake.models.panels import bench_of
from stamgast_lake.models.prepare import _planned
from tests.fakes.model_runs import ModelRuns
from tests.fakes.model_world import MODELS, events, lake_of, moment, person, workspace
from tests.lake.test_features import (
    ASKED,
    CUT,
    MODEL,
    ZONE,
    Happened,
    feature,
    given_events,
    panel,
)

FEATURES = {
    "orders": "orders.count",
    "revenue": "orders.revenue",
    "revenue_90d": "orders.total_90d",
    "largest": "max(order.revenue, event = 'Order Completed')",
    "above_50": "count(order.revenue > 50)",
    "rank": "rfm.m",
    "spends": "orders.revenue > 10",
}
MONEY = ("revenue", "revenue_90d", "largest", "above_50", "spends")
PAID = replace(MODEL, features=tuple(feature(name, text) for name, text in FEATURES.items()))


def order(person: int, minor: int, currency: str = "EUR", hours: int = 24) -> Happened:
    """An order of somebody."""
    return Happened(person, hours, "Order Completed", minor, currency=currency)


SHOP = [order(0, 10_000), order(1, 2_000), order(2, 6_000, "JPY"), order(2, 9_000, "JPY", 48)]


def told(events: Sequence[Happened], model: Any = PAID) -> dict[str, dict[str, Any]]:
    """Each person's features by their names."""
    names = {f"f{place}": one.name for place, one in enumerate(model.features)}
    return {
        str(row["person_id"]): {names[key]: row[key] for key in names}
        for row in panel(events, model)
    }


def test_of_who_pays_in_another_currency_orders_are_counted_and_amounts_are_unknown() -> None:
    of = told(SHOP)
    assert {name: of["p2"][name] for name in MONEY} == dict.fromkeys(MONEY)
    assert (of["p2"]["orders"], of["p2"]["rank"]) == (2.0, 1.0)
    assert (of["p0"]["revenue"], of["p0"]["largest"], of["p1"]["above_50"]) == (100.0, 100.0, 0.0)


def test_of_one_currency_nothing_is_unknown() -> None:
    assert None not in [one for row in told(SHOP[:2]).values() for one in row.values()]


def test_a_variant_that_does_not_part_currencies_puts_yen_beside_euros(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(panels, "in_one_currency", lambda *_: None)
    assert told(SHOP)["p2"]["revenue"] == 15_000.0


BOTH = [order(0, 10_000), order(0, 2_000, hours=30), order(0, 90_000, "JPY", 48), order(1, 1)]


def test_of_who_pays_in_two_currencies_the_principal_one_alone_is_measured() -> None:
    of = told(BOTH)["p0"]
    assert (of["orders"], of["revenue"], of["largest"], of["above_50"]) == (3.0, 120.0, 100.0, 1.0)


def test_a_variant_that_leaves_aggregates_as_written_compares_yen_with_euros(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measured, "in_own_currency", lambda tree: tree)
    of = told(BOTH)["p0"]
    assert (of["largest"], of["above_50"]) == (90_000.0, 2.0)


def amounts(events: Sequence[Happened], model: Any = PAID) -> Amounts | None:
    """What a panel says of its amounts, learnt of one cut-off and scored at a later one."""
    with session() as engine:
        given_events(engine, [one.row(place) for place, one in enumerate(events)])
        told = fill(engine, model, ASKED, [CutOff(date(2026, 2, 1), ZONE)], CUT)
        columns = {name for (name, *_) in engine.execute("describe panel").fetchall()}
        assert "principal" not in columns
    return told


def test_the_panel_says_which_currency_and_how_many_pay_in_another() -> None:
    assert amounts(SHOP) == Amounts("EUR", {"EUR": 2, "JPY": 1}, MONEY)
    assert amounts(SHOP, replace(PAID, features=PAID.features[:1])) is None


def test_a_version_keeps_its_currency_when_most_people_pay_in_another() -> None:
    in_yen = model_of(replace(PAID, currency="JPY").document)
    assert amounts(SHOP, in_yen) == Amounts("JPY", {"EUR": 2, "JPY": 1}, MONEY)
    of = told(SHOP, in_yen)
    assert (of["p0"]["revenue"], of["p2"]["revenue"]) == (None, 15_000.0)


IN_YEN = tuple(f"u:1:{person(number)}" for number in range(30))
"""Of forty customers, thirty pay in yen."""


def planned(in_use: str | None = None, definition: str | None = None) -> Any:
    """What a run writes down of a model that it trains, beside a version with this currency."""
    kept = workspace(MODELS.replace("orders: orders.count\n", "revenue: orders.revenue\n"))
    (model,) = models_of(kept.models)
    lake = lake_of(kept, people=40, happened=paid_in_yen(events(40)))
    work: dict[str, Any] = {"is_training": True, "champion": None, "chosen": None}
    if in_use is not None:
        declaration = replace(model, currency=in_use).document
        told = {"version": "1", "definition": definition or model.version}
        work["champion"] = {**told, "declaration": declaration}
    with session() as engine:
        return _planned(bench_of(engine, lake, ModelRuns(lake).begin(moment())), model, work)


def paid_in_yen(happened: pa.Table) -> pa.Table:
    """The same events, the orders of most customers in yen."""
    of_them = pc.is_in(happened["anchor_key"], pa.array(IN_YEN, happened["anchor_key"].type))
    is_yen = pc.and_(of_them, pc.is_valid(happened["currency"]))
    paid = pc.if_else(is_yen, "JPY", happened["currency"])
    return happened.set_column(happened.column_names.index("currency"), "currency", paid)


def test_a_run_pins_the_currency_with_the_version_and_keeps_that_of_the_one_in_use() -> None:
    first = planned()
    assert (first.declaration["currency"], first.about["amounts"]["people"]["JPY"]) == ("JPY", 30)
    assert planned(in_use="EUR").declaration["currency"] == "EUR"
    assert planned(in_use="EUR", definition="another").declaration["currency"] == "JPY"
