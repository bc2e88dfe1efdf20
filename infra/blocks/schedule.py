"""A function that runs every so many minutes, its failed calls kept."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

RETRIES = 2


class Every(Construct):
    """An EventBridge schedule with a role that may start this one target and nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        minutes: int,
        dead_letters: sqs.IQueue,
        function: lambda_.IFunction | None = None,
        machine: stepfunctions.IStateMachine | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._dead_letters = dead_letters
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com"))
        role.add_to_policy(_start(function, machine))
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["sqs:SendMessage"], resources=[self._dead_letters.queue_arn]
            )
        )
        schedule = self._schedule(minutes, _arn(function, machine), role)
        schedule.node.add_dependency(role)

    def _schedule(self, minutes: int, arn: str, role: iam.Role) -> scheduler.CfnSchedule:
        unit = "minute" if minutes == 1 else "minutes"
        return scheduler.CfnSchedule(
            self,
            "Schedule",
            schedule_expression=f"rate({minutes} {unit})",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=arn,
                role_arn=role.role_arn,
                input="{}",
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self._dead_letters.queue_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=RETRIES
                ),
            ),
        )


def _start(
    function: lambda_.IFunction | None, machine: stepfunctions.IStateMachine | None
) -> iam.PolicyStatement:
    action = "lambda:InvokeFunction" if function else "states:StartExecution"
    return iam.PolicyStatement(actions=[action], resources=[_arn(function, machine)])


def _arn(function: lambda_.IFunction | None, machine: stepfunctions.IStateMachine | None) -> str:
    if function:
        return function.function_arn
    if machine:
        return machine.state_machine_arn
    raise ValueError("a schedule needs a function or a state machine")
