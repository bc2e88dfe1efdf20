"""A Lambda function with its own role, log group, tracing and alias."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.blocks.acknowledge import acknowledge
from infra.blocks.canary import Canary
from infra.blocks.own_metrics import namespace
from infra.blocks.retention import kept
from infra.blocks.wildcards import acknowledge_tracing, acknowledge_wildcards
from infra.blocks.workbench import Workbench
from infra.environments import Release


class Function(Construct):
    """One of `functions/<name>`, with exactly these variables and permissions."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        bench: Workbench,
        variables: Mapping[str, str],
        permissions: Sequence[iam.PolicyStatement],
        layers: Sequence[lambda_.ILayerVersion],
        memory_mb: int = 1024,
        storage_mb: int = 512,
        timeout: Duration,
        is_serving: bool = False,
        dead_letters: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, "".join(part.capitalize() for part in name.split("_")))
        self.name = name
        self.resource = lambda_.Function(
            self,
            "Function",
            function_name=f"stamgast-{bench.environment.name}-{name.replace('_', '-')}",
            code=lambda_.Code.from_asset(
                bench.sources.function(name), exclude=["**/__pycache__", "**/*.pyc"]
            ),
            handler="handler.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            layers=list(layers),
            environment={**_common(bench, name), **variables},
            role=self._role(permissions),
            log_group=self._log_group(bench, name),
            memory_size=memory_mb,
            ephemeral_storage_size=Size.mebibytes(storage_mb),
            timeout=timeout,
            tracing=lambda_.Tracing.ACTIVE,
            dead_letter_queue=dead_letters,
        )
        self.live = self._live(bench.environment.release, is_serving)
        acknowledge_tracing(self.role)
        acknowledge_wildcards(self.role, permissions, bench.data)
        self._acknowledge(dead_letters)

    def _role(self, permissions: Sequence[iam.PolicyStatement]) -> iam.Role:
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        for statement in permissions:
            self.role.add_to_policy(statement)
        return self.role

    def _log_group(self, bench: Workbench, name: str) -> logs.LogGroup:
        group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/stamgast/{bench.environment.name}/{name}",
            retention=kept(bench.environment.log_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[group.log_group_arn],
            )
        )
        return group

    def _live(self, release: Release, is_serving: bool) -> lambda_.IFunction:
        """Return what callers call: the alias `live`, or the function where there is none."""
        if release is Release.DIRECT:
            return self.resource
        alias = lambda_.Alias(
            self, "Live", alias_name="live", version=self.resource.current_version
        )
        if release is Release.CANARY and is_serving:
            Canary(self, "Canary", alias=alias)
        return alias

    def _acknowledge(self, dead_letters: sqs.IQueue | None) -> None:
        for rule in ("AwsSolutions-L1", "Serverless-LambdaLatestVersion"):
            acknowledge(
                self.resource,
                rule,
                "Python 3.13 is what the engine's wheels are pinned, built and tested for.",
            )
        if dead_letters is None:
            acknowledge(
                self.resource,
                "Serverless-LambdaDLQ",
                "Called by an API, a queue with dead letters or the state machine, all of which "
                "see the failure themselves.",
            )


def _common(bench: Workbench, name: str) -> dict[str, str]:
    """Return the variables that every function has."""
    return {
        "ENVIRONMENT": bench.environment.name,
        "LOG_LEVEL": bench.environment.log_level,
        "POWERTOOLS_METRICS_NAMESPACE": namespace(bench.environment),
        "POWERTOOLS_SERVICE_NAME": name,
    }
