"""`stamgast model`: what it starts, what it refuses and says to do instead, what it shows."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from stamgast_cli.commands import model_cards, model_runs, models, running
from stamgast_cli.commands.running import RunFailedError
from stamgast_cli.errors import InputError
from stamgast_cli.reports.model_facts import verdict_of
from stamgast_lake.engine import session
from stamgast_lake.query import LakeSession
from tests.fakes.model_runs import ModelRuns
from tests.fakes.model_world import MODELS, lake_of, moment, workspace

LATER = MODELS.replace("buys:", "buys_later:")


class Machine:
    """The part of Step Functions that starts executions, and the deployment around it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def client(self, service: str) -> "Machine":
        assert service == "stepfunctions"
        return self

    def output(self, name: str) -> str:
        return name

    def start_execution(self, **told: Any) -> dict[str, str]:
        assert told["stateMachineArn"] == "ModelsMachineArn"
        self.asked.append(json.loads(told["input"]))
        return {"executionArn": "arn"}

    def current(self) -> Any:
        return workspace()


@pytest.fixture(scope="module")
def lake() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stamgast_learn.predict.ranking.REPLICATES", 20)
        runs = ModelRuns(lake_of(workspace()))
        runs.run(moment())
    return runs.lake


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, lake: Any) -> Machine:
    machine = Machine()

    def asking(_: Any) -> Callable[[str], Any]:
        def ask(sql: str) -> Any:
            with session() as engine:
                return LakeSession(engine, lake.catalogue, None, "").rows(sql)

        return ask

    for module in (model_runs, model_cards, models):
        monkeypatch.setattr(module, "find", lambda _: machine)
        monkeypatch.setattr(module, "store", lambda _: machine)
    monkeypatch.setattr("stamgast_cli.modelling.asked.asking", asking)
    return machine


def ask(*words: str) -> Any:
    app = typer.Typer()
    app.add_typer(models.group(), name="model")
    return CliRunner().invoke(app, ["model", *words])


def test_training_and_scoring_start_the_machine_with_the_models_that_are_meant(
    machine: Machine,
) -> None:
    assert ask("train", "buys", "--no-wait").exit_code == 0
    assert ask("score", "--no-wait").exit_code == 0
    assert machine.asked == [{"train": ["buys"]}, {"score": ["buys"]}]


def test_a_model_that_is_not_declared_is_refused_and_the_others_are_named(machine: Machine) -> None:
    error = ask("train", "bys", "--no-wait").exception
    assert isinstance(error, InputError)
    assert (str(error), error.hint) == ("no model is named 'bys'", "There are: buys.")
    assert machine.asked == []


def test_a_version_is_chosen_only_if_it_can_score(machine: Machine) -> None:
    version = json.loads(ask("compare", "buys", "--json").stdout)[0]["version"]
    assert ask("promote", "buys", version, "--no-wait").exit_code == 0
    assert machine.asked == [{"choose": {"buys": version}}]
    error = ask("promote", "buys", "nothing", "--no-wait").exception
    assert isinstance(error, InputError)
    assert "no version nothing" in str(error)
    error = ask("rollback", "buys", "--no-wait").exception
    assert isinstance(error, InputError)
    assert "no version before the one in use" in str(error)
    assert "stamgast model compare buys" in error.hint


def test_a_run_that_failed_says_which_version_to_look_for_and_how_to_score(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any) -> dict[str, Any]:
        raise RunFailedError("the run ended as FAILED in ScoreProfiles: it died", hint="other")

    monkeypatch.setattr(model_runs, "follow", failing)
    error = ask("score", "buys").exception
    assert isinstance(error, RunFailedError)
    assert "`stamgast model compare NAME`" in error.hint
    assert "`stamgast model score NAME` scores everybody" in error.hint


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ('{"errorMessage": "it died", "errorType": "E", "stackTrace": ["x"]}', "it died"),
        ("it died", "it died"),
        ('["it died"]', '["it died"]'),
    ],
)
def test_of_a_functions_error_its_message_is_told(cause: str, told: str) -> None:
    assert running._plain(cause) == told


def test_what_became_of_each_trained_version_is_told_at_the_end(
    machine: Machine, lake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session() as engine:
        sql = "select model, version, state, why from models"
        held = LakeSession(engine, lake.catalogue, None, "").rows(sql)
    ended = {"execution": "SUCCEEDED", "seconds": 1.0, "run_id": f"models-{held[0]['version']}"}
    monkeypatch.setattr(model_runs, "follow", lambda *_: ended)
    told = json.loads(ask("train", "--json").stdout)["tried"]
    assert told == [{name: one[name] for name in ("model", "state", "why")} for one in held]
    shown = ask("train").stdout
    assert all(one["model"] in shown and one["state"] in shown for one in held)
    assert json.loads(ask("score", "--json").stdout)["tried"] == []


class History:
    """An execution's history, as the service pages it; the newest first if asked."""

    def __init__(self, last: dict[str, Any]) -> None:
        failed = {"error": "E", "cause": '{"errorMessage": "it died"}'}
        self.events: list[dict[str, Any]] = [
            _entered("TrainModels", {"train": ["buys", "stays"]}),
            {"id": 2, "type": "TaskFailed", "taskFailedEventDetails": failed},
            _entered("ModelsFailed", last),
        ]

    def get_paginator(self, _: str) -> "History":
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        return [{"events": self.events[:: -1 if asked.get("reverseOrder") else 1]}]


def _entered(name: str, told: dict[str, Any]) -> dict[str, Any]:
    details = {"name": name, "input": json.dumps(told)}
    return {"id": 1, "type": "MapStateEntered", "stateEnteredEventDetails": details}


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ({"failed": ["buys"]}, "in TrainModels (buys): E: it died"),
        ({"failed": []}, "in TrainModels: E: it died"),
        ({}, "in TrainModels: E: it died"),
    ],
)
def test_a_run_of_models_that_failed_names_those_that_were_not_trained(
    last: dict[str, Any], told: str
) -> None:
    with pytest.raises(RunFailedError, match=re.escape(told)):
        running._result(History(last), {"status": "FAILED", "executionArn": "arn"}, 1.0)


def test_versions_and_cards_are_shown_with_how_good_they_are(
    machine: Machine, tmp_path: Path
) -> None:
    (one,) = json.loads(ask("compare", "buys", "--json").stdout)
    assert (one["state"], one["why"]) == ("champion", None)
    assert one["metrics"]["better_than"]["base_rate"] > 0.1
    assert "champion" in ask("compare", "buys").stdout
    told = ask("card", "buys", "--out", str(tmp_path / "card.html"), "--json")
    card = json.loads(told.stdout)
    assert card["sha256"]
    assert card["drift"][0]["score"] == 0
    page = (tmp_path / "card.html").read_text("utf-8")
    assert "Reach against precision" in page
    assert "Since it was trained (PSI)" in page


def test_an_evaluation_tells_its_verdict_beside_the_card_that_it_writes(
    machine: Machine, lake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of today its world tells nothing to learn of."""
    monkeypatch.setattr("stamgast_cli.previews.lake_of", lambda _: lake)
    shown = ask("evaluate", "buys", "--out", str(tmp_path / "card.html")).stdout
    card = json.loads((tmp_path / "card.json").read_text("utf-8"))
    assert f"verdict {verdict_of(card)}" in " ".join(shown.split())


def test_a_model_that_was_never_trained_says_what_to_do(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "current", lambda: workspace(LATER, "segments: {}"))
    error = ask("card", "buys_later").exception
    assert isinstance(error, InputError)
    assert "stamgast model train buys_later" in error.hint
    for verb in ("card", "compare"):
        error = ask(verb, "buys_sooner").exception
        assert isinstance(error, InputError)
        told = (str(error), error.hint)
        assert told == ("no model is named 'buys_sooner'", "models.yaml has buys_later.")
    error = ask("card", "buys_later", "--version", "v9").exception
    assert isinstance(error, InputError)
    assert "stamgast model compare buys_later" in error.hint
    error = ask("card", "x'; drop").exception
    assert isinstance(error, InputError)
    assert "is no name of a model" in str(error)
