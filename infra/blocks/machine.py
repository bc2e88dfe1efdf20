"""A state machine over functions of ours: its role calls these alone, its log tells no payload."""

from collections.abc import Callable, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.blocks.function import Function
from infra.blocks.retention import kept
from infra.blocks.wildcards import acknowledge_tracing
from infra.blocks.workbench import Workbench


def state_machine(
    scope: Construct,
    *,
    bench: Workbench,
    name: str,
    log_name: str,
    functions: Sequence[Function],
    definition: Callable[[Construct], sfn.IChainable],
    timeout: Duration,
) -> sfn.StateMachine:
    """Return the machine of a stage, below the stage's own construct.

    `definition` makes the states in the scope that it is given, and returns the first.
    """
    role = _role(scope, functions)
    machine = sfn.StateMachine(
        scope,
        "Machine",
        state_machine_name=name,
        definition_body=sfn.DefinitionBody.from_chainable(definition(Construct(scope, "States"))),
        role=role,
        timeout=timeout,
        tracing_enabled=True,
        logs=sfn.LogOptions(
            destination=_log(scope, log_name, bench),
            level=sfn.LogLevel.ALL,
            include_execution_data=False,
        ),
    )
    acknowledge_tracing(role)
    return machine


def _role(scope: Construct, functions: Sequence[Function]) -> iam.Role:
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
    arns = [function.live.function_arn for function in functions]
    role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=arns))
    return role


def _log(scope: Construct, name: str, bench: Workbench) -> logs.LogGroup:
    return logs.LogGroup(
        scope,
        "Logs",
        log_group_name=f"/aws/vendedlogs/states/{name}",
        retention=kept(bench.environment.log_days),
        removal_policy=RemovalPolicy.DESTROY,
    )
