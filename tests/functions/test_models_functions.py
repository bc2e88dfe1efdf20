"""The functions of a run of models, called as the state machine does, over a generated shop."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from functions.prepare_models import handler as prepare_models
from functions.register_models import handler as register_models
from functions.score_profiles import handler as score_profiles
from functions.store_scores import handler as store_scores
from functions.train_model import handler as train_model
from stamgast.metrics import Metric
from stamgast_aws.run_lease import DynamoRunLease
from stamgast_lake.tables import MODELS, RUNS, SCORES
from tests.fakes.dynamodb import DynamoDB
from tests.fakes.model_world import PEOPLE, lake_of, moment, workspace

CONTEXT = SimpleNamespace(aws_request_id="11112222-3333")
LAKE = (prepare_models, register_models, store_scores)


class Stack:
    """The functions' ports over memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lake = lake_of(workspace())
        self.catalogue: Any = self.lake.catalogue
        self.dynamodb = DynamoDB("profiles", "control")
        self.lease = DynamoRunLease(client=self.dynamodb, table="control", now=lambda: 1_000.0)
        self.metrics: dict[str, float] = {}
        for module in LAKE:
            monkeypatch.setattr(module, "_lake", lambda: self.lake)
        for module in (register_models, store_scores):
            monkeypatch.setattr(module, "_lease", lambda: self.lease)
        for module in (train_model, score_profiles):
            monkeypatch.setattr(module, "_s3", lambda: self.lake.s3)
        monkeypatch.setattr(store_scores, "client", lambda _: self.dynamodb)
        monkeypatch.setattr(store_scores, "_metrics", lambda: self)
        told = {"control_table": "control", "lake_database": "d", "workspace_secret": "s"}
        for name, value in {**told, "profiles_table": "profiles", "lake_bucket": "lake"}.items():
            monkeypatch.setenv(name.upper(), value)

    def add_metric(self, *, name: str, unit: Any, value: float) -> None:
        self.metrics[name] = value

    def flush_metrics(self) -> None:
        """They are looked at here."""

    def prepare(self, days: float = 0.0, **asked: Any) -> dict[str, Any]:
        event = {"moment": moment(days).isoformat(), "run_id": f"models-{days}", **asked}
        return prepare_models.handler(event, CONTEXT)

    def train(self, told: dict[str, Any]) -> None:
        for model in told["train"]:
            train_model.handler({"run_id": told["run_id"], "model": model}, None)

    def finish(self, told: dict[str, Any]) -> dict[str, Any]:
        told = register_models.handler(told, None)
        for one in told["shards"]:
            score_profiles.handler({"run_id": told["run_id"], **one}, None)
        return store_scores.handler(told, None)

    def items(self) -> list[Any]:
        return [i for i in self.dynamodb.items("profiles") if i["SK"]["S"].startswith("S#")]


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stamgast_learn.predict.ranking.REPLICATES", 20)
        yield patch


@pytest.fixture(scope="module")
def stack(patched: pytest.MonkeyPatch) -> Stack:
    stack = Stack(patched)
    told = stack.prepare()
    stack.train(told)
    stack.finish(told)
    return stack


def test_a_run_trains_scores_and_tells_the_live_view_and_lets_the_lease_go(stack: Stack) -> None:
    assert len(stack.catalogue.rows(SCORES)) == len(stack.items()) == PEOPLE
    item = stack.items()[0]
    assert {"score", "version", "reasons", "valid_until", "ttl", "run", "schema"} <= set(item)
    [row] = [one for one in stack.catalogue.rows(RUNS) if one["run_id"] == "models-0.0"]
    assert (row["stage"], row["status"]) == ("models", "done")
    assert stack.lease.read().expires_at_s == 0  # type: ignore[union-attr]


def test_with_nothing_due_there_is_no_work_and_nothing_is_written(stack: Stack) -> None:
    told = stack.prepare(0.2)
    assert (told["has_work"], told["train"], told["models"]) == (False, [], [])


def test_registering_and_storing_say_busy_while_another_run_holds_the_lease(stack: Stack) -> None:
    told = stack.prepare(0.3, score=["buys"])
    seq = stack.lease.acquire("another")
    for handler in (register_models.handler, store_scores.handler):
        answer = handler(told, None)
        assert (answer["status"], answer["tries"]) == ("busy", 1)
    assert seq is not None
    stack.lease.release("another", seq)


def test_a_training_that_left_nothing_keeps_the_version_and_is_counted(stack: Stack) -> None:
    before = stack.catalogue.rows(MODELS)
    told = stack.finish(stack.prepare(0.4, train=["buys"]))
    assert told["failed"] == ["buys"]
    assert stack.catalogue.rows(MODELS) == before
    assert told["figures"]["store_scores"]["scored"]["buys"]["people"] == PEOPLE
    assert stack.metrics == {Metric.MODELS_NOT_TRAINED: 1}
