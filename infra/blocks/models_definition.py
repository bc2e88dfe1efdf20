"""The states of a run of models: trained, registered, scored by shards, stored when it may be."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.blocks.function import Function
from infra.blocks.tasks import task, when_free

AT_ONCE = 4


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
    store = task(scope, functions.store_scores, "StoreScores", failed=failed)
    trained = _all_trained(scope, failed, done)
    when_free(
        scope,
        store,
        "AreScoresStored",
        failed=failed,
        following=trained,
        waiting=f"{store.id}Later",
    )
    score = _each(scope, functions.score_profiles, "ScoreProfiles", "$.shards", SHARD)
    score.add_catch(failed, errors=["States.ALL"])
    score.next(store)
    register = task(scope, functions.register_models, "RegisterModels", failed=failed)
    when_free(
        scope,
        register,
        "AreModelsRegistered",
        failed=failed,
        following=score,
        waiting=f"{register.id}Later",
    )
    train = _train(scope, functions.train_model)
    train.add_catch(failed, errors=["States.ALL"])
    train.next(register)
    prepare = task(scope, functions.prepare_models, "PrepareModels", failed=failed)
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
    not_trained = sfn.Pass(scope, "NotTrained")
    return each.item_processor(task(scope, function, "TrainModel", failed=not_trained))


def _each(
    scope: Construct, function: Function, name: str, items: str, selector: Mapping[str, str]
) -> sfn.Map:
    each = _map(scope, name, items, selector)
    return each.item_processor(task(scope, function, f"{name}Shard"))


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
