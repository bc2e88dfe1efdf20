"""Links: what models believe of devices and records, every night and on demand, never a merge."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.dead_letters import DeadLetters
from infra.blocks.function import Function
from infra.blocks.lake_function import lake_function
from infra.blocks.links_definition import LinkFunctions, links_definition
from infra.blocks.profile_view import ProfileView
from infra.blocks.retention import kept
from infra.blocks.schedule import Every
from infra.blocks.wildcards import acknowledge_tracing
from infra.blocks.workbench import Workbench
from infra.stages.authoritative import describe_executions

TIMEOUT = Duration.minutes(15)


class Links(Construct):
    """Pair, train, score and store; only the last function commits, and holds the run's lease."""

    def __init__(
        self, scope: Construct, construct_id: str, *, bench: Workbench, view: ProfileView
    ) -> None:
        super().__init__(scope, construct_id)
        self.functions = LinkFunctions(
            pair_devices=lake_function(self, "pair_devices", bench=bench, timeout=TIMEOUT),
            train_links=self._train_links(bench),
            link_records=self._link_records(bench),
            store_links=self._store_links(bench, view),
        )
        self.machine = self._machine(bench)
        if bench.environment.links_every_minutes:
            Every(
                self,
                "LinksEvery",
                minutes=bench.environment.links_every_minutes,
                machine=self.machine,
                dead_letters=DeadLetters(self, "LinksDeadLetters").queue,
            )

    def _train_links(self, bench: Workbench) -> Function:
        data = bench.data
        return Function(
            self,
            "train_links",
            bench=bench,
            layers=bench.layers.learn,
            variables={"LAKE_BUCKET": data.bucket.bucket_name},
            permissions=[
                permissions.use_key(data),
                permissions.read_objects(data, "runs/"),
                permissions.write_objects(data, "runs/"),
            ],
            memory_mb=bench.environment.lake_memory_mb,
            storage_mb=bench.environment.lake_storage_mb,
            timeout=TIMEOUT,
        )

    def _link_records(self, bench: Workbench) -> Function:
        """It keeps its models, and what each has compared, beside the tables."""
        data = bench.data
        return lake_function(
            self,
            "link_records",
            bench=bench,
            timeout=TIMEOUT,
            permissions=[
                permissions.read_objects(data, "models/records/"),
                permissions.write_objects(data, "models/records/"),
            ],
        )

    def _store_links(self, bench: Workbench, view: ProfileView) -> Function:
        return lake_function(
            self,
            "store_links",
            bench=bench,
            timeout=TIMEOUT,
            permissions=[permissions.write_items(view.table), describe_executions(bench)],
            variables={"PROFILES_TABLE": view.table.table_name},
        )

    def _machine(self, bench: Workbench) -> stepfunctions.StateMachine:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        arns = [function.live.function_arn for function in self.functions.all]
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=arns))
        machine = stepfunctions.StateMachine(
            self,
            "Machine",
            state_machine_name=f"stamgast-{bench.environment.name}-links",
            definition_body=stepfunctions.DefinitionBody.from_chainable(
                links_definition(Construct(self, "States"), self.functions)
            ),
            role=role,
            timeout=Duration.hours(2),
            tracing_enabled=True,
            logs=stepfunctions.LogOptions(
                destination=self._logs(bench),
                level=stepfunctions.LogLevel.ALL,
                include_execution_data=False,
            ),
        )
        acknowledge_tracing(role)
        return machine

    def _logs(self, bench: Workbench) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/vendedlogs/states/stamgast-{bench.environment.name}-links",
            retention=kept(bench.environment.log_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
