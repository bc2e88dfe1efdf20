"""States that every machine is made of: a call of a function, and a wait for the run's lease."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.blocks.function import Function

TRANSIENT = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]
MOST_TRIES = 40
WAIT_SECONDS = 60


def task(
    scope: Construct,
    function: Function,
    name: str,
    *,
    failed: sfn.IChainable | None = None,
    parameters: Mapping[str, str] | None = None,
) -> sfn.CustomState:
    """Return a task whose result is the function's answer alone; any error goes to `failed`."""
    state = {"Type": "Task", "Resource": function.live.function_arn}
    given = {"Parameters": dict(parameters)} if parameters else {}
    made = sfn.CustomState(scope, name, state_json={**state, **given})
    made.add_retry(errors=TRANSIENT, interval=Duration.seconds(2), max_attempts=6, backoff_rate=2)
    if failed is not None:
        made.add_catch(failed, errors=["States.ALL"])
    return made


def when_free(
    scope: Construct,
    storing: sfn.CustomState,
    name: str,
    *,
    failed: sfn.Fail,
    following: sfn.IChainable,
    waiting: str,
) -> None:
    """Go on once the task was not refused; a run that holds the lease is waited for, up to forty
    minutes."""
    busy = sfn.Condition.string_equals("$.status", "busy")
    is_patient = sfn.Condition.number_less_than("$.tries", MOST_TRIES)
    wait = sfn.Wait(scope, waiting, time=sfn.WaitTime.duration(Duration.seconds(WAIT_SECONDS)))
    wait.next(storing)
    check = sfn.Choice(scope, name)
    check.when(sfn.Condition.and_(busy, is_patient), wait)
    check.when(busy, failed)
    storing.next(check.otherwise(following))
