"""The states of a run: what is new, each stage in data order, and a close whatever happens."""

from dataclasses import dataclass

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.blocks.function import Function
from infra.blocks.tasks import task

# The execution goes into the lease, so that the next run can see whether it came to its end.
OPENING = {"input.$": "$", "execution.$": "$$.Execution.Id"}


@dataclass(frozen=True, kw_only=True)
class RunFunctions:
    """The functions of a run in the order in which it calls them."""

    open_run: Function
    import_file: Function
    stages: tuple[Function, ...]
    close_run: Function

    @property
    def all(self) -> tuple[Function, ...]:
        """Return every function that the machine calls."""
        return (self.open_run, self.import_file, *self.stages, self.close_run)


def run_definition(
    scope: Construct, functions: RunFunctions, import_concurrency: int
) -> sfn.IChainable:
    """Return the first state, with all others behind it."""
    failure = _failure(scope, functions.close_run)
    done = sfn.Succeed(scope, "Done")
    close = task(scope, functions.close_run, "CloseRun")
    close.add_catch(sfn.Fail(scope, "CloseFailed", error="CloseFailed"), errors=["States.ALL"])
    steps = _steps(scope, functions, import_concurrency, failure)
    for step, following in zip(steps, [*steps[1:], close], strict=True):
        _go_on(scope, step, following, failure)
    close.next(done)
    begin = task(scope, functions.open_run, "OpenRun", parameters=OPENING)
    begin.add_catch(sfn.Fail(scope, "OpenFailed", error="OpenFailed"), errors=["States.ALL"])
    begin.next(_anything_new(scope, steps[0], done))
    return begin


def _anything_new(scope: Construct, first: sfn.IChainable, done: sfn.Succeed) -> sfn.Choice:
    inputs = sfn.Condition.and_(
        sfn.Condition.is_present("$.inputs"), sfn.Condition.number_greater_than("$.inputs", 0)
    )
    return sfn.Choice(scope, "AnythingNew").when(inputs, first).otherwise(done)


def _steps(
    scope: Construct, functions: RunFunctions, concurrency: int, failure: sfn.IChainable
) -> list[sfn.CustomState | sfn.Map]:
    imports = _imports(scope, functions.import_file, concurrency)
    steps: list[sfn.CustomState | sfn.Map] = [imports]
    steps += [task(scope, stage, _title(stage.name)) for stage in functions.stages]
    for step in steps:
        step.add_catch(failure, errors=["States.ALL"], result_path="$.error")
    return steps


def _imports(scope: Construct, import_file: Function, concurrency: int) -> sfn.Map:
    each = sfn.Map(
        scope,
        "ImportFiles",
        items_path="$.imports",
        max_concurrency=concurrency,
        item_selector={
            "run_id.$": "$.run_id",
            "seq.$": "$.seq",
            "moment.$": "$.moment",
            "import.$": "$$.Map.Item.Value",
        },
        result_path=sfn.JsonPath.DISCARD,
    )
    each.item_processor(task(scope, import_file, "ImportFile"))
    return each


def _go_on(
    scope: Construct,
    step: sfn.CustomState | sfn.Map,
    following: sfn.CustomState | sfn.Map,
    failure: sfn.IChainable,
) -> None:
    """A stage says in its answer what went wrong, since error names can get lost on the way.

    One that ran out of time says that there is more to do, and is called again.
    """
    check = sfn.Choice(scope, f"{step.id}Done")
    check.when(sfn.Condition.is_present("$.error"), failure)
    check.when(_more(), step)
    step.next(check.otherwise(following))


def _more() -> sfn.Condition:
    return sfn.Condition.and_(
        sfn.Condition.is_present("$.more"), sfn.Condition.boolean_equals("$.more", True)
    )


def _failure(scope: Construct, close_run: Function) -> sfn.IChainable:
    mark = sfn.Pass(
        scope, "RunFailed", result=sfn.Result.from_string("failed"), result_path="$.status"
    )
    close = task(scope, close_run, "CloseFailedRun")
    end = sfn.Fail(scope, "Failed", error="RunFailed", cause="A stage failed; see CloseFailedRun")
    close.add_catch(end, errors=["States.ALL"])
    close.next(end)
    mark.next(close)
    return mark


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
