"""The states of a run of links: what is turned on is scored, then stored when the lease is free."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.blocks.function import Function
from infra.blocks.run_definition import TRANSIENT

MOST_TRIES = 40
WAIT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class LinkFunctions:
    """The functions of a run of links in the order in which it calls them."""

    pair_devices: Function
    train_links: Function
    link_records: Function | None
    store_links: Function

    @property
    def all(self) -> tuple[Function, ...]:
        """Return every function that the machine calls."""
        told = (self.pair_devices, self.train_links, self.link_records, self.store_links)
        return tuple(function for function in told if function)


def links_definition(scope: Construct, functions: LinkFunctions) -> sfn.IChainable:
    """Return the first state, with all others behind it."""
    failed = sfn.Fail(
        scope, "LinksFailed", error="LinksFailed", cause="A state failed; see its function's log"
    )
    done = sfn.Succeed(scope, "LinksDone")
    store = _stored(scope, _call(scope, functions.store_links, "StoreLinks", failed), failed, done)
    records = _records(scope, functions, store, failed, done)
    train = _call(scope, functions.train_links, "TrainLinks", failed)
    train.next(records)
    pair = _call(scope, functions.pair_devices, "PairDevices", failed)
    pair.next(
        sfn.Choice(scope, "AreDevicesLinked").when(_is_on("devices"), train).otherwise(records)
    )
    return pair


def _records(
    scope: Construct,
    functions: LinkFunctions,
    store: sfn.IChainable,
    failed: sfn.Fail,
    done: sfn.Succeed,
) -> sfn.Choice:
    """Records are linked, and what they score calibrated, where the workspace says so.

    With nothing turned on the run is over.
    """
    choice = sfn.Choice(scope, "AreRecordsLinked")
    if functions.link_records:
        records = _call(scope, functions.link_records, "LinkRecords", failed)
        calibrate = _call(scope, functions.train_links, "CalibrateRecords", failed)
        calibrate.next(store)
        records.next(calibrate)
        choice.when(_is_on("records"), records)
    return choice.when(_is_on("devices"), store).otherwise(done)


def _stored(
    scope: Construct, store: sfn.CustomState, failed: sfn.Fail, done: sfn.Succeed
) -> sfn.CustomState:
    """A run of the authoritative loop that holds the lease is waited for, up to forty minutes."""
    busy = sfn.Condition.string_equals("$.status", "busy")
    is_patient = sfn.Condition.number_less_than("$.tries", MOST_TRIES)
    wait = sfn.Wait(scope, "AnotherRun", time=sfn.WaitTime.duration(Duration.seconds(WAIT_SECONDS)))
    wait.next(store)
    check = sfn.Choice(scope, "AreLinksStored")
    check.when(sfn.Condition.and_(busy, is_patient), wait)
    check.when(busy, failed)
    store.next(check.otherwise(done))
    return store


def _is_on(name: str) -> sfn.Condition:
    path = f"$.{name}"
    return sfn.Condition.and_(
        sfn.Condition.is_present(path), sfn.Condition.boolean_equals(path, True)
    )


def _call(scope: Construct, function: Function, name: str, failed: sfn.Fail) -> sfn.CustomState:
    """Return a task whose result is the function's answer alone."""
    state = {"Type": "Task", "Resource": function.live.function_arn}
    task = sfn.CustomState(scope, name, state_json=state)
    task.add_retry(errors=TRANSIENT, interval=Duration.seconds(2), max_attempts=6, backoff_rate=2)
    task.add_catch(failed, errors=["States.ALL"])
    return task
