"""Devices in a generated world whose truth is known: what is measured, learnt, stated and told."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from duckdb import DuckDBPyConnection

import stamgast_lake.links.pairs as pairs_module
from stamgast.identity.device_features import FEATURES
from stamgast.identity.link_settings import DeviceSettings
from stamgast.identity.links import LinkKind
from stamgast.identity.settings import DEFAULT
from stamgast.workspace.model import Workspace
from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.links.devices import gather_devices
from stamgast_lake.links.pairs import Panel, measure, panels
from stamgast_lake.links.run import ORDER, OUTCOME, PAIRS, SCORES, pair_run, store_run
from stamgast_lake.publishing.work import PersonRow
from stamgast_lake.runs import Run
from stamgast_lake.tables import EVENTS, IDENTITY, LINK_MODELS, LINKS
from stamgast_learn.reliability import wilson
from stamgast_learn.run import Order, learn_run
from tests.fakes.device_world import DeviceWorld, generate
from tests.fakes.lake_catalogue import MemoryCatalogue
from tests.fakes.linking import linking_of
from tests.lake.world import MemoryObjects

PERSONS, DAYS, SEED = 900, 96, 11
SETTINGS = DeviceSettings(is_on=True, history_days=63, least_probability=0.05)
DEVICE = LinkKind.DEVICE


@cache
def world() -> DeviceWorld:
    return generate(PERSONS, DAYS, SEED)


@dataclass
class Bench:
    """A lake with a generated world, and runs of links over it."""

    told: DeviceWorld
    settings: DeviceSettings = SETTINGS
    put: list[PersonRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.catalogue = MemoryCatalogue()
        for table, rows in ((EVENTS, self.told.events), (IDENTITY, self.told.identity)):
            self.catalogue.append(table, rows.to_reader(), Commit("r1", "load"))
        told = {"purposes": {"frequency_capping": 0.8}, "linking": linking_of(self.settings)}
        workspace = Workspace("1", "UTC", {}, DEFAULT, **told)
        self.lake = Lake(MemoryObjects(), "bucket", self.catalogue, lambda: workspace, None)  # type: ignore[arg-type]

    def run(self, folder: Path, moment: datetime, **told: Any) -> dict[str, Any]:
        """All functions of a run, in process."""
        run = Run(f"links-{moment:%Y%m%dT%H%M%S}", 1, moment)
        figures: dict[str, Any] = {"paired": pair_run(self.lake, run, **told)}
        self._learn(run, folder)
        days = {DEVICE: self.settings.expiry_days}
        figures |= store_run(self.lake, run, days, self._put, moment)
        figures["outcome"] = json.loads(self.lake.document(run.run_id, OUTCOME.format(kind=DEVICE)))
        return figures

    def _learn(self, run: Run, folder: Path) -> None:
        pairs, scores = folder / "pairs.parquet", folder / "scores.parquet"
        pairs.write_bytes(self.lake.document(run.run_id, PAIRS.format(kind=DEVICE)))
        order = Order.of(json.loads(self.lake.document(run.run_id, ORDER.format(kind=DEVICE))))
        outcome = learn_run(order, pairs, scores)
        self.lake.put_document(run.run_id, SCORES.format(kind=DEVICE), scores.read_bytes())
        self.lake.put_document(run.run_id, OUTCOME.format(kind=DEVICE), outcome.to_json())

    def _put(self, rows: Any) -> int:
        told = list(rows)
        self.put += told
        return len(told)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, dict[str, Any]]:
    bench = Bench(world())
    return bench, bench.run(tmp_path_factory.mktemp("links"), world().ends_at)


def test_a_model_is_trained_on_log_ins_and_beats_the_base_rate(
    told: tuple[Bench, dict[str, Any]],
) -> None:
    _, figures = told
    held_out = figures["outcome"]["report"]["held_out"]
    assert figures["outcome"]["is_used"]
    assert held_out["brier"] < held_out["base_rate_brier"] / 1.5
    assert held_out["gain_low"] > 0


def test_stated_probabilities_are_right_within_their_interval_by_the_worlds_truth(
    told: tuple[Bench, dict[str, Any]],
) -> None:
    """Of devices of which one has not logged in yet, which no label told the model of."""
    bench, _ = told
    links = bench.catalogue.rows(LINKS)
    stated = np.array([row["probability"] for row in links])
    is_right = np.array([bench.told.owner[row["a"]] == bench.told.owner[row["b"]] for row in links])
    assert len(links) > 300
    for low, high in ((0.05, 0.3), (0.3, 0.7), (0.7, 0.9), (0.9, 1.0)):
        among = (stated >= low) & (stated < high)
        least, most = wilson(int(is_right[among].sum()), int(among.sum()))
        # The calibrator is itself an estimate, from a few hundred labels: a tenth is its share.
        assert least - 0.1 <= stated[among].mean() <= most + 0.1, (low, high)


def test_a_link_says_which_features_spoke_for_it_and_names_its_model(
    told: tuple[Bench, dict[str, Any]],
) -> None:
    bench, figures = told
    for row in bench.catalogue.rows(LINKS)[:20]:
        assert set(json.loads(row["reasons"])) <= set(FEATURES)
        assert row["rule"] == f"device:{figures['outcome']['version']}"
        assert row["expires_at"] == world().ends_at + timedelta(days=30)
    [model] = bench.catalogue.rows(LINK_MODELS)
    assert json.loads(model["model"])["features"] == list(FEATURES)


def test_only_what_a_purpose_may_be_told_goes_to_the_live_view_once_a_side(
    told: tuple[Bench, dict[str, Any]],
) -> None:
    bench, _ = told
    shown = [row for row in bench.put if row.attributes]
    sure = [row for row in bench.catalogue.rows(LINKS) if row["probability"] >= 0.8]
    assert len(shown) == 2 * len(sure)
    for row in shown:
        assert row.sort_key.startswith(f"K#device#{row.attributes['mine']}#")
        assert row.attributes["ttl"] == int((world().ends_at + timedelta(days=30)).timestamp())


def test_the_next_night_the_same_model_states_the_same_and_nothing_is_written(
    told: tuple[Bench, dict[str, Any]], tmp_path: Path
) -> None:
    bench, first = told
    figures = bench.run(tmp_path, world().ends_at + timedelta(minutes=10))
    assert not figures["outcome"]["is_new"]
    assert figures["outcome"]["scored_by"] == first["outcome"]["version"]
    assert (figures["device"]["written"], figures["device"]["withdrawn"]) == (0, 0)
    assert figures["published"] == 0


def test_too_few_labels_abstain_with_the_reason_and_state_nothing(tmp_path: Path) -> None:
    bench = Bench(world(), replace(SETTINGS, least_labels=50_000))
    figures = bench.run(tmp_path, world().ends_at)
    assert "needs 50000 of each" in figures["outcome"]["why"]
    assert figures["device"] == {"stated": 0, "written": 0, "withdrawn": 0}
    [model] = bench.catalogue.rows(LINK_MODELS)
    assert (model["is_used"], model["model"]) == (False, None)


def measured(engine: DuckDBPyConnection, events: pa.Table, panel: Panel) -> list[tuple[Any, ...]]:
    bench = Bench(replace(world(), events=events))
    gather_devices(engine, bench.lake, SETTINGS, world().ends_at, ("user_id",))
    measure(engine, SETTINGS, panel, "measured")
    names = ", ".join(FEATURES)
    rows: list[tuple[Any, ...]] = engine.execute(
        f"select a, b, label, {names} from measured order by a, b"
    ).fetchall()
    return rows


def moved_afterwards(panel: Panel) -> pa.Table:
    """The same events, but after the cut-off everybody sits in one office and sees one page."""
    events = world().events
    is_later = pc.greater_equal(events["event_at"], pa.scalar(panel.cut_at))
    for name, value in (("ip", "2001:db8:ffff::"), ("page", '{"path":"/same"}'), ("locale", "x")):
        place = events.schema.get_field_index(name)
        column = pc.if_else(is_later, pa.scalar(value), events[name])
        events = events.set_column(place, name, column)
    return events


@pytest.mark.failure_line(34)
def test_no_feature_knows_anything_from_after_the_cut_off(engine: DuckDBPyConnection) -> None:
    """Line 34: addresses, pages and locales of later events change no feature and no pair."""
    panel = panels(world().ends_at, SETTINGS, is_training=True)[2]
    rows = measured(engine, world().events, panel)
    assert len(rows) > 50
    assert measured(engine, moved_afterwards(panel), panel) == rows


@pytest.mark.deep
def test_a_feature_that_looks_past_the_cut_off_is_found_out(
    engine: DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: addresses are taken from all of the history."""
    leaking = pairs_module.PLACES.replace("and hour < {cut}", "")
    assert leaking != pairs_module.PLACES
    steps = tuple(leaking if step == pairs_module.PLACES else step for step in pairs_module.STEPS)
    monkeypatch.setattr(pairs_module, "STEPS", steps)
    panel = panels(world().ends_at, SETTINGS, is_training=True)[2]
    assert measured(engine, world().events, panel) != measured(
        engine, moved_afterwards(panel), panel
    )


@pytest.mark.failure_line(25)
def test_pairs_are_bounded_whatever_share_of_the_devices_meets_at_an_office(
    engine: DuckDBPyConnection,
) -> None:
    """Line 25: an office's address, which everybody shares, begins no pair of devices."""
    events = world().events
    place = events.schema.get_field_index("ip")
    office = pa.array(["2001:db8:1::"] * events.num_rows)
    panel = panels(world().ends_at, SETTINGS, is_training=False)[0]
    assert measured(engine, events.set_column(place, "ip", office), panel) == []
    rows = measured(engine, events, panel)
    most = pairs_module.RAREST_ADDRESSES * (SETTINGS.address_devices - 1) / 2
    assert 0 < len(rows) <= most * len(world().owner)


def test_a_rare_address_weighs_more_than_one_that_many_share(
    told: tuple[Bench, dict[str, Any]], engine: DuckDBPyConnection
) -> None:
    panel = panels(world().ends_at, SETTINGS, is_training=False)[0]
    rows = measured(engine, world().events, panel)
    weight, rarest = (3 + list(FEATURES).index(n) for n in ("address_weight", "rarest_address"))
    possible = {round(1 / np.log(devices), 3) for devices in range(2, SETTINGS.address_devices + 1)}
    assert {round(row[rarest], 3) for row in rows} <= possible
    _, figures = told
    model = figures["outcome"]["model"]
    weights = dict(zip(model["features"], model["weights"], strict=True))
    assert weights["address_weight"] > 0
    assert all(row[weight] >= 0 for row in rows)
