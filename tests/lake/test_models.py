"""Models in the lake: from people measured to scores told, in one process."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

from stamgast.models.live import answers_of, columns_of
from stamgast.models.states import champions
from stamgast.moments import ms_of
from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import EngineSettings, session
from stamgast_lake.features.measured import CutOff
from stamgast_lake.models.plan import Asked, UnknownModelError
from stamgast_lake.models.prepare import prepare_run
from stamgast_lake.models.publish import publish_scores
from stamgast_lake.models.registry import register_run
from stamgast_lake.models.store import store_run
from stamgast_lake.rules.scores import see_scores
from stamgast_lake.runs import DONE, WHOLE, Run, is_owed
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import ICEBERG, IDENTITY, MODELS, RUNS, SCORES
from stamgast_learn.stages import TamperedError, score, train
from tests.fakes.model_runs import Documents, ModelRuns
from tests.fakes.model_world import PEOPLE, events, iso, lake_of, moment, person, workspace

WITH_PURPOSE = """
models:
  buys:
    kind: propensity
    target: event = 'Order Completed'
    within_days: 20
    cutoffs: {number: 8, every_days: 20}
    defaults: false
    purpose: scoring
    features: {since: days_since(orders.last_at)}
"""


@pytest.fixture(scope="module", autouse=True)
def one_engine() -> Iterator[None]:
    """One database for all sessions: to open one takes as long as a small stage."""
    with (
        session(EngineSettings(512, 1, Path(gettempdir()))) as engine,
        mock.patch("stamgast_lake.engine.connect", side_effect=lambda _: engine.cursor()),
        mock.patch("stamgast_learn.predict.ranking.REPLICATES", 20),
    ):
        yield


@pytest.fixture(scope="module")
def trained() -> ModelRuns:
    """A lake after one run; not to be changed."""
    runs = ModelRuns(lake_of(workspace()))
    runs.run(moment())
    return runs


@pytest.fixture
def runs(trained: ModelRuns) -> Iterator[ModelRuns]:
    """The same, to go on with; what is done to it is undone."""
    catalogue: Any = trained.lake.catalogue
    tables = {name: (list(t.files), list(t.commits)) for name, t in catalogue.tables.items()}
    bodies = dict(trained.lake.s3.bodies)
    yield ModelRuns(trained.lake, dict(trained.items), seq=trained.seq)
    for name in list(catalogue.tables):
        if name not in tables:
            del catalogue.tables[name]
            continue
        catalogue.tables[name].files, catalogue.tables[name].commits = tables[name]
    trained.lake.s3.bodies = bodies


def rows(runs: ModelRuns, table: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = runs.lake.catalogue.rows(table)  # type: ignore[attr-defined]
    return told


def in_use(runs: ModelRuns, name: str = "buys") -> str:
    return str(champions(rows(runs, MODELS))[name]["version"])


def test_everybody_is_scored_logged_and_told_with_version_time_and_reasons(
    trained: ModelRuns,
) -> None:
    told = {row["person_id"]: row for row in rows(trained, SCORES)}
    assert len(told) == len(trained.items) == PEOPLE
    for (person_id, key), item in trained.items.items():
        row = told[person_id]
        assert key == "S#buys"
        assert row["valid_until"] == moment() + timedelta(days=7)
        assert item["version"] == row["version"] == in_use(trained)
        (answer,) = answers_of(
            {"buys": item}, ms_of(moment()), verbose=True, with_values=True
        ).values()
        assert (answer["value"], answer["band"]) == (row["value"], row["band"])
        assert answer["reasons"] == json.loads(row["reasons"])
    assert {row["band"] for row in told.values()} == {"very_high", "high", "medium", "low"}


def test_a_score_past_its_time_is_told_to_nobody(trained: ModelRuns) -> None:
    item = next(iter(trained.items.values()))
    late = ms_of(moment(7))
    assert columns_of({"buys": item}, late - 1) != {}
    assert columns_of({"buys": item}, late) == {}
    assert answers_of({"buys": item}, late, verbose=False, with_values=True) == {}


def test_percentiles_order_people_as_values_do_and_ties_alike(trained: ModelRuns) -> None:
    told = sorted(rows(trained, SCORES), key=lambda row: row["value"])
    assert [row["percentile"] for row in told] == sorted(row["percentile"] for row in told)
    by_value: dict[float, set[float]] = {}
    for row in told:
        by_value.setdefault(row["value"], set()).add(row["percentile"])
    assert all(len(percentiles) == 1 for percentiles in by_value.values())


def test_the_same_data_in_any_order_make_the_same_model_byte_for_byte(trained: ModelRuns) -> None:
    happened = events()
    shuffled = happened.take(np.random.default_rng(2).permutation(len(happened)))
    other = ModelRuns(lake_of(workspace(), happened=shuffled))
    other.run(moment())
    hashes = [champions(rows(one, MODELS))["buys"]["sha256"] for one in (trained, other)]
    assert hashes[0] == hashes[1]


def test_a_day_on_people_are_scored_anew_and_only_what_differs_is_written(runs: ModelRuns) -> None:
    assert runs.run(moment(0.1)) == {"train": [], "models": [], "has_work": False}
    told = runs.run(moment(1))
    assert 0 < told["written"] < PEOPLE / 2
    assert told["scored"]["buys"]["version"] == in_use(runs)
    assert all(item["reasons"] != "[]" for item in runs.items.values())


def test_of_whom_nothing_new_is_said_the_reasons_stand_as_they_were_told(runs: ModelRuns) -> None:
    before = dict(runs.items)
    runs.run(moment(4), score=["buys"])  # half its time is over: every score is written anew
    after = {key: item["reasons"] for key, item in runs.items.items()}
    assert {runs.items[key]["valid_until"] for key in before} == {iso(11)}
    same = [key for key in before if after[key] == before[key]["reasons"]]
    assert 0 < len(same) < PEOPLE
    assert "[]" not in after.values()


def test_a_run_that_is_repeated_writes_nothing_more(runs: ModelRuns) -> None:
    run = runs.begin(moment(1))
    prepare_run(runs.lake, run, Asked(score=("buys",)))
    runs.finish(run)
    before = len(rows(runs, SCORES)), len(rows(runs, MODELS))
    runs.finish(run)
    assert (len(rows(runs, SCORES)), len(rows(runs, MODELS))) == before


def test_a_challenger_that_is_not_better_is_kept_out_and_the_reason_kept(runs: ModelRuns) -> None:
    champion = in_use(runs)
    with_margin = {**workspace().models[0], "margin": 0.5}
    runs.lake = _declaring(runs, with_margin)
    told = runs.run(moment(1), train=["buys"])
    newest = max(rows(runs, MODELS), key=lambda row: row["recorded_at"])
    assert newest["state"] == "kept_out"
    assert "needs" in newest["why"]
    assert in_use(runs) == told["scored"]["buys"]["version"] == champion


@pytest.mark.failure_line(34)
def test_a_target_with_too_few_positives_abstains_and_the_reason_is_kept() -> None:
    """Line 34: a model below its stated minima scores nobody, and its row says what is missing."""
    rare = """
models:
  rare:
    kind: propensity
    target: event = 'Order Completed' and order.revenue > 1000
    within_days: 20
    cutoffs: {number: 3, every_days: 20}
    defaults: false
    features: {since: days_since(orders.last_at)}
"""
    runs = ModelRuns(lake_of(workspace(rare, "{}")))
    told = runs.run(moment())
    (row,) = rows(runs, MODELS)
    assert (row["state"], row["artefact"]) == ("abstained", None)
    assert "0 people with the outcome" in row["why"]
    assert json.loads(row["card"])["why"] == row["why"]
    assert (told["scored"], rows(runs, SCORES), runs.items) == ({}, [], {})


@pytest.mark.failure_line(34)
def test_a_feature_that_knows_the_outcome_keeps_the_model_out_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Line 34: features asked after the cut-off are caught when the model is trained."""
    late = CutOff.before.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(CutOff, "before", property(lambda cut: cut.after(20)))
    runs = ModelRuns(lake_of(workspace()))
    runs.run(moment())
    monkeypatch.setattr(CutOff, "before", property(late))
    (row,) = rows(runs, MODELS)
    assert row["state"] == "abstained"
    assert "feature since alone" in row["why"]


def test_rolling_back_puts_the_version_before_in_use_and_scores_by_it(runs: ModelRuns) -> None:
    first = in_use(runs)
    lake = runs.lake
    runs.lake = _declaring(runs, {**workspace().models[0], "version": "other"})
    runs.run(moment(1), train=["buys"])
    second = in_use(runs)
    runs.lake = lake
    assert second != first
    told = runs.run(moment(1.1), choose={"buys": None})
    assert in_use(runs) == told["scored"]["buys"]["version"] == first
    assert {item["version"] for item in runs.items.values()} == {first}
    told = runs.run(moment(1.2), choose={"buys": second})
    assert in_use(runs) == told["scored"]["buys"]["version"] == second
    states = [(row["version"], row["state"]) for row in rows(runs, MODELS)]
    assert states.count((first, "retired")) == 2


@pytest.mark.deep
@pytest.mark.failure_line(35)
def test_a_roll_back_whose_scoring_died_is_ended_by_the_next_scoring(runs: ModelRuns) -> None:
    """Line 35: until then everybody's score is of one version, and after it, too, each once."""
    first, lake = in_use(runs), runs.lake
    runs.lake = _declaring(runs, {**workspace().models[0], "version": "other"})
    runs.run(moment(1), train=["buys"])
    second, runs.lake = in_use(runs), lake
    run = runs.begin(moment(1.1))
    prepare_run(runs.lake, run, Asked(choose={"buys": None}))
    register_run(runs.lake, run)
    assert {item["version"] for item in runs.items.values()} == {second}
    assert in_use(runs) == first
    told = runs.run(moment(1.2), score=["buys"])["scored"]["buys"]
    assert (told["version"], told["people"]) == (first, len(runs.items))
    assert {item["version"] for item in runs.items.values()} == {first}
    written = [row["person_id"] for row in rows(runs, SCORES) if row["run_id"] > run.run_id]
    assert len(written) == len(set(written)) == len(runs.items)


@pytest.mark.failure_line(35)
def test_a_shard_that_is_retried_after_a_newer_version_scores_by_the_pinned_one(
    runs: ModelRuns,
) -> None:
    """Line 35: another version comes into use during a run; the run's shards keep theirs."""
    first = in_use(runs)
    run = runs.begin(moment(1))
    prepare_run(runs.lake, run, Asked(score=("buys",)))
    register_run(runs.lake, run)
    lake = runs.lake
    runs.lake = _declaring(runs, {**workspace().models[0], "version": "other"})
    runs.run(moment(1.1), train=["buys"])
    assert in_use(runs) != first
    runs.lake = lake
    assert score(Documents(runs.lake, run.run_id), "buys", 0)["version"] == first
    assert score(Documents(runs.lake, run.run_id), "buys", 0)["version"] == first


def test_an_artefact_that_was_exchanged_is_not_loaded(runs: ModelRuns) -> None:
    run = runs.begin(moment(1))
    prepare_run(runs.lake, run, Asked(score=("buys",)))
    register_run(runs.lake, run)
    key = champions(rows(runs, MODELS))["buys"]["artefact"]
    runs.lake.s3.bodies[key] += b"x"
    with pytest.raises(TamperedError):
        score(Documents(runs.lake, run.run_id), "buys", 0)


def test_a_run_that_fails_in_a_shard_leaves_what_was_there(runs: ModelRuns) -> None:
    before, items = rows(runs, SCORES), dict(runs.items)
    run = runs.begin(moment(1))
    prepare_run(runs.lake, run, Asked(score=("buys",)))
    register_run(runs.lake, run)
    with pytest.raises(ClientError):
        store_run(runs.lake, run, runs.put, runs.cuts, run.moment)
    assert (rows(runs, SCORES), runs.items) == (before, items)
    assert runs.run(moment(1.1))["scored"]["buys"]["people"] == PEOPLE


@pytest.mark.deep
def test_a_version_that_came_into_use_meanwhile_is_not_pushed_aside(runs: ModelRuns) -> None:
    run = runs.begin(moment(1))
    prepare_run(runs.lake, run, Asked(train=("buys",)))
    other = _declaring(runs, {**workspace().models[0], "version": "other"})
    lake, runs.lake = runs.lake, other
    runs.run(moment(1.1), train=["buys"])
    meanwhile = in_use(runs)
    runs.lake = lake
    train(Documents(runs.lake, run.run_id), "buys")
    register_run(runs.lake, run)
    assert in_use(runs) == meanwhile


def test_only_who_allows_the_purpose_is_scored() -> None:
    runs = ModelRuns(lake_of(workspace(WITH_PURPOSE, "{}")))
    runs.run(moment())
    agreed = {person(number) for number in range(PEOPLE) if number % 2 == 0}
    assert {row["person_id"] for row in rows(runs, SCORES)} == agreed


@pytest.mark.deep
def test_a_model_that_is_declared_no_more_says_nothing_more(runs: ModelRuns) -> None:
    other = WITH_PURPOSE.replace("buys:", "buys_now:").replace("    purpose: scoring\n", "")
    runs.lake = _of(runs, workspace(other, "{}"))
    told = runs.run(moment(1))
    assert told["withdrawn"] == PEOPLE
    assert {key for _, key in runs.items} == {"S#buys_now"}


def test_what_came_true_is_told_once_the_window_has_passed() -> None:
    runs = ModelRuns(lake_of(workspace(), moment(20.5)))
    runs.run(moment())
    told = runs.run(moment(20.5))
    (one,) = told["realised"]
    assert (one["scored_on"], one["people"], one["lost"]) == ("2026-11-20", PEOPLE, 0)
    assert abs(one["stated"] - one["came"]) < 0.1
    assert one["bands"]["very_high"]["came"] > one["bands"]["low"]["came"]
    assert sum(band["people"] for band in one["bands"].values()) == PEOPLE
    assert all(one["run_id"] != past["run_id"] for past in runs.run(moment(21))["realised"])


@pytest.mark.deep
def test_people_who_differ_from_those_before_are_told_as_drift(runs: ModelRuns) -> None:
    told = runs.run(moment(60))
    drift = told["scored"]["buys"]["drift"]
    assert drift["since"] > 0.25
    assert told["shifted"] == 1


@pytest.mark.deep
def test_a_version_that_takes_over_while_people_change_tells_it_by_the_one_before(
    runs: ModelRuns,
) -> None:
    first = in_use(runs)
    told = runs.run(moment(15), train=["buys"])
    scored = told["scored"]["buys"]
    assert scored["version"] != first
    assert scored["drift"]["since"] == 0
    assert scored["since_before"]["since"] > 0.25
    assert told["shifted"] == int(scored["since_before"]["the score"] > 0.25)


def test_segments_read_the_scores_that_hold(trained: ModelRuns) -> None:
    with session() as engine:
        see_scores(engine, trained.lake, ms_of(moment(1)))
        told = engine.execute("select scores from rule_score limit 1").fetchall()
        assert set(json.loads(told[0][0])["buys"]) == {"value", "percentile", "band", "low", "high"}
        see_scores(engine, trained.lake, ms_of(moment(8)))
        assert engine.execute("select count(*) from rule_score").fetchall() == [(0,)]


def test_a_view_that_was_lost_gets_back_every_score_that_holds(runs: ModelRuns) -> None:
    told, runs.items = runs.items, {}
    with session() as engine:
        run = runs.begin(moment(6))
        publish_scores(engine, runs.lake, run, runs.put, lambda _: (), is_whole=True)
    assert runs.items == told
    with session() as engine:
        run = runs.begin(moment(7))
        publish_scores(engine, runs.lake, run, runs.put, lambda _: (), is_whole=True)
    assert runs.items == {}


def test_whoever_was_another_person_meanwhile_is_told_anew(runs: ModelRuns) -> None:
    key = (person(3), "S#buys")
    told = runs.items.pop(key)
    stamp = {"recorded_at": moment(0.5), "run_id": "cut", "cause": "split", "namespace": "u"}
    row = {"identifier": f"u:1:{person(3)}", "person_id": person(3), "shard": 0, **stamp}
    rows = pa.Table.from_pylist([row], schema=arrow_schema(IDENTITY))
    runs.lake.catalogue.append(IDENTITY, rows.to_reader(), Commit("cut", "identity"))
    runs.run(moment(0.6), score=["buys"])
    assert runs.items[key] == told


def test_no_table_is_partitioned_by_more_than_the_one_column_that_files_are_cut_by() -> None:
    assert [table.name for table in ICEBERG if len(table.partition) > 1] == []


def test_a_run_of_the_lake_is_owed_once_people_were_scored(runs: ModelRuns) -> None:
    later = Run("r9", 9, moment(0.1))
    _close(runs, moment(-0.04))
    assert is_owed(runs.lake, later)
    _close(runs, moment(0.04))
    assert not is_owed(runs.lake, later)


def _close(runs: ModelRuns, at: datetime) -> None:
    """A whole run of the lake at this moment."""
    row = {
        "run_id": f"r-{at.isoformat()}",
        "seq": int(at.timestamp()),
        "moment": at,
        "stage": WHOLE,
        "status": DONE,
        "inputs": 1,
        "figures": "{}",
        "workspace_version": runs.lake.workspace().version,
        "closed_at": at,
    }
    told = pa.Table.from_pylist([row], schema=arrow_schema(RUNS))
    runs.lake.catalogue.append(RUNS, told.to_reader(), Commit(str(row["run_id"]), "close"))


def test_a_model_that_is_not_there_is_named(runs: ModelRuns) -> None:
    with pytest.raises(UnknownModelError, match="no model is named nobody"):
        runs.run(moment(1), train=["nobody"])
    with pytest.raises(UnknownModelError, match="no version before the one in use"):
        runs.run(moment(1), choose={"buys": None})


def _declaring(runs: ModelRuns, model: Any) -> Any:
    """The lake with a workspace that declares the model otherwise."""
    return _of(runs, replace(workspace(), models=(model,)))


def _of(runs: ModelRuns, told: Any) -> Any:
    return replace(runs.lake, workspace=lambda: told)
