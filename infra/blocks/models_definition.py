"""The states of a run of models: trained, registered, scored by shards, stored when it may be."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.blocks.function import Function
from infra.blocks.run_definition import TRANSIENT

MOST_TRIES = 40
WAIT_SECONDS = 60
AT_ONCE = 4
BUSY = sfn.Condition.string_equals("$.status", "busy")
PATIENT = sfn.Condition.number_less_than("$.tries", MOST_TRIES)


@dataclass(frozen=True, kw_only=True)
class ModelFunctions:
    """The functions of a run of models in the order in which it calls them."""

    prepare_models: Function
    train_model: Function
    register_models: Function
    score_profiles: Function
    store_scores: Function

    @property
    def all(self) -> tuple[Function, ...]:
        """Return every function that the machine calls."""
        return (
            self.prepare_models,
            self.train_model,
            self.register_models,
            self.score_profiles,
            self.store_scores,
        )


def models_definition(scope: Construct, functions: ModelFunctions) -> sfn.IChainable:
    """Return the first state, with all others behind it; with nothing due it is the last, too."""
    failed = sfn.Fail(
        scope, "ModelsFailed", error="ModelsFailed", cause="A state failed; see its function's log"
    )
    done = sfn.Succeed(scope, "ModelsDone")
    store = _call(scope, functions.store_scores, "StoreScores", failed)
    _when_free(scope, store, "AreScoresStored", failed, _all_trained(scope, failed, done))
    score = _each(scope, functions.score_profiles, "ScoreProfiles", "$.shards", SHARD)
    score.add_catch(failed, errors=["States.ALL"])
    score.next(store)
    register = _call(scope, functions.register_models, "RegisterModels", failed)
    _when_free(scope, register, "AreModelsRegistered", failed, score)
    train = _train(scope, functions.train_model)
    train.add_catch(failed, errors=["States.ALL"])
    train.next(register)
    prepare = _call(scope, functions.prepare_models, "PrepareModels", failed)
    has_work = sfn.Condition.boolean_equals("$.has_work", True)
    prepare.next(sfn.Choice(scope, "AnyModelDue").when(has_work, train).otherwise(done))
    return prepare


SHARD = {
    "run_id.$": "$.run_id",
    "model.$": "$$.Map.Item.Value.model",
    "shard.$": "$$.Map.Item.Value.shard",
}
MODEL = {"run_id.$": "$.run_id", "model.$": "$$.Map.Item.Value"}


def _train(scope: Construct, function: Function) -> sfn.Map:
    """A model whose training fails keeps its version in use; the run goes on, and fails at its end.

    A failed one leaves no outcome, by which the registry knows it.
    """
    each = _map(scope, "TrainModels", "$.train", MODEL)
    task = _task(scope, function, "TrainModel")
    task.add_catch(sfn.Pass(scope, "NotTrained"), errors=["States.ALL"])
    return each.item_processor(task)


def _each(
    scope: Construct, function: Function, name: str, items: str, selector: Mapping[str, str]
) -> sfn.Map:
    each = _map(scope, name, items, selector)
    return each.item_processor(_task(scope, function, f"{name}Shard"))


def _map(scope: Construct, name: str, items: str, selector: Mapping[str, str]) -> sfn.Map:
    return sfn.Map(
        scope,
        name,
        items_path=items,
        max_concurrency=AT_ONCE,
        item_selector=dict(selector),
        result_path=sfn.JsonPath.DISCARD,
    )


def _all_trained(scope: Construct, failed: sfn.Fail, done: sfn.Succeed) -> sfn.Choice:
    """Whether every training came to its end; what did is in use all the same."""
    lost = sfn.Condition.is_present("$.failed[0]")
    return sfn.Choice(scope, "AreAllTrained").when(lost, failed).otherwise(done)


def _when_free(
    scope: Construct,
    task: sfn.CustomState,
    name: str,
    failed: sfn.Fail,
    following: sfn.IChainable,
) -> None:
    """A run that holds the lease is waited for, up to forty minutes."""
    wait = sfn.Wait(
        scope, f"{task.id}Later", time=sfn.WaitTime.duration(Duration.seconds(WAIT_SECONDS))
    )
    wait.next(task)
    check = sfn.Choice(scope, name)
    check.when(sfn.Condition.and_(BUSY, PATIENT), wait)
    check.when(BUSY, failed)
    task.next(check.otherwise(following))


def _call(scope: Construct, function: Function, name: str, failed: sfn.Fail) -> sfn.CustomState:
    task = _task(scope, function, name)
    task.add_catch(failed, errors=["States.ALL"])
    return task


def _task(scope: Construct, function: Function, name: str) -> sfn.CustomState:
    """Return a task whose result is the function's answer alone."""
    state = {"Type": "Task", "Resource": function.live.function_arn}
    task = sfn.CustomState(scope, name, state_json=state)
    task.add_retry(errors=TRANSIENT, interval=Duration.seconds(2), max_attempts=6, backoff_rate=2)
    return task
