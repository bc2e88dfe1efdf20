"""The states of a run of links: what is turned on is scored, then stored when the lease is free."""

from dataclasses import dataclass

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.blocks.function import Function
from infra.blocks.tasks import task, when_free


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
    store = task(scope, functions.store_links, "StoreLinks", failed=failed)
    when_free(scope, store, "AreLinksStored", failed=failed, following=done, waiting="AnotherRun")
    records = _records(scope, functions, store, failed, done)
    train = task(scope, functions.train_links, "TrainLinks", failed=failed)
    train.next(records)
    pair = task(scope, functions.pair_devices, "PairDevices", failed=failed)
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
        records = task(scope, functions.link_records, "LinkRecords", failed=failed)
        calibrate = task(scope, functions.train_links, "CalibrateRecords", failed=failed)
        calibrate.next(store)
        records.next(calibrate)
        choice.when(_is_on("records"), records)
    return choice.when(_is_on("devices"), store).otherwise(done)


def _is_on(name: str) -> sfn.Condition:
    path = f"$.{name}"
    return sfn.Condition.and_(
        sfn.Condition.is_present(path), sfn.Condition.boolean_equals(path, True)
    )
