"""Whoever waits for a model is told how much is done of how much."""

import json
from contextlib import contextmanager
from typing import Any

import pytest

from stamgast.models.declaration import models_of
from stamgast.moments import ms_of
from stamgast_cli.commands.model_runs import LISTS
from stamgast_cli.commands.running import Shown, follow
from stamgast_cli.modelling.card import card_of
from stamgast_cli.output import Output
from stamgast_learn.progress import counted, followed
from tests.fakes.model_world import lake_of, moment, workspace


def entered(kind: str, name: str, **told: Any) -> dict[str, Any]:
    """An event of an execution's history that enters a state."""
    details = {"name": name, "input": json.dumps(told)}
    return {"type": f"{kind}StateEntered", "stateEnteredEventDetails": details}


def history() -> list[dict[str, Any]]:
    """Two models are trained, one of them fails; three shards are scored, and stored."""
    done, left = {"type": "TaskSucceeded"}, {"type": "MapStateExited"}
    shards = [{"model": "buys", "shard": place} for place in range(3)]
    events = [
        entered("Task", "PrepareModels"),
        done,
        entered("Map", "TrainModels", train=["buys", "leaves"]),
        entered("Task", "TrainModel", model="buys"),
        done,
        {"type": "TaskFailed"},
        left,
        entered("Map", "ScoreProfiles", shards=shards),
        *(done, done, done),
        left,
        entered("Task", "StoreScores"),
        done,
    ]
    return [{**event, "id": place} for place, event in enumerate(events)]


class Execution:
    """The part of Step Functions that tells of one execution, which has come to its end."""

    def client(self, _: str) -> "Execution":
        return self

    def describe_execution(self, **_: str) -> dict[str, str]:
        return {"status": "SUCCEEDED", "output": "{}"}

    def get_paginator(self, _: str) -> "Execution":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"events": history()}]


def test_a_run_of_models_says_how_many_models_and_shards_are_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    machine: Any = Execution()
    follow(machine, "arn", Output(), LISTS)
    said = [line.split(" s ", 1)[1].strip() for line in capsys.readouterr().err.splitlines()]
    assert said == [
        "PrepareModels",
        *("TrainModels: 0 of 2", "TrainModel: buys", "TrainModels: 1 of 2"),
        *(f"ScoreProfiles: {done} of 3" for done in range(4)),
        "StoreScores",
    ]


def test_of_a_state_whose_list_nobody_names_its_name_is_said_once() -> None:
    shown = Shown({})
    said = [one for one in map(shown.says, history()) if one is not None]
    assert said == [
        *("PrepareModels", "TrainModels", "TrainModel: buys", "ScoreProfiles", "StoreScores")
    ]


def test_an_evaluation_tells_of_cut_offs_measured_and_foretold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A whole model is judged, for its steps are those of the real way."""
    monkeypatch.setattr("stamgast_learn.predict.ranking.REPLICATES", 20)
    told: dict[str, list[tuple[str, int, int]]] = {}

    @contextmanager
    def step(label: str) -> Any:
        yield lambda *passed: told.setdefault(label, []).append(passed)

    (model,) = models_of(workspace().models)
    card_of(lake_of(workspace()), model, ms_of(moment()), step)
    measured, learnt = told.values()
    assert measured == [("cut-offs measured", done, 5) for done in range(1, 6)]
    assert ("past cut-offs foretold", 2, 2) in learnt
    assert ("parts of the newest cut-off foretold", 10, 10) in learnt


def test_steps_are_told_at_the_end_with_their_counts(capsys: pytest.CaptureFixture[str]) -> None:
    with Output().steps("judging") as told, followed(told):
        assert list(counted("cut-offs", "ab")) == ["a", "b"]
    assert "judging, 2 of 2 cut-offs" in capsys.readouterr().err
    assert list(counted("cut-offs", "ab")) == ["a", "b"]
