"""Models: trained, judged and scored every day and on demand."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.dead_letters import DeadLetters
from infra.blocks.function import Function
from infra.blocks.lake_function import lake_function
from infra.blocks.models_definition import ModelFunctions, models_definition
from infra.blocks.profile_view import ProfileView
from infra.blocks.retention import kept
from infra.blocks.schedule import Every
from infra.blocks.wildcards import acknowledge_tracing
from infra.blocks.workbench import Workbench
from infra.stages.authoritative import describe_executions

TIMEOUT = Duration.minutes(15)
ARTEFACTS = "models/artefacts/"


class Models(Construct):
    """Prepare, train, register, score and store; lake functions alone commit."""

    def __init__(
        self, scope: Construct, construct_id: str, *, bench: Workbench, view: ProfileView
    ) -> None:
        super().__init__(scope, construct_id)
        self.functions = ModelFunctions(
            prepare_models=lake_function(self, "prepare_models", bench=bench, timeout=TIMEOUT),
            train_model=self._learning("train_model", bench),
            register_models=self._register_models(bench),
            score_profiles=self._learning("score_profiles", bench),
            store_scores=self._store_scores(bench, view),
        )
        self.machine = self._machine(bench)
        if bench.environment.models_every_minutes:
            Every(
                self,
                "ModelsEvery",
                minutes=bench.environment.models_every_minutes,
                machine=self.machine,
                dead_letters=DeadLetters(self, "ModelsDeadLetters").queue,
            )

    def _learning(self, name: str, bench: Workbench) -> Function:
        """Works on documents of the run, and reads the artefacts of registered versions."""
        data = bench.data
        return Function(
            self,
            name,
            bench=bench,
            layers=bench.layers.learn,
            variables={"LAKE_BUCKET": data.bucket.bucket_name},
            permissions=[
                permissions.use_key(data),
                permissions.read_objects(data, "runs/", ARTEFACTS),
                permissions.write_objects(data, "runs/"),
            ],
            memory_mb=bench.environment.lake_memory_mb,
            storage_mb=bench.environment.lake_storage_mb,
            timeout=TIMEOUT,
        )

    def _register_models(self, bench: Workbench) -> Function:
        return lake_function(
            self,
            "register_models",
            bench=bench,
            timeout=TIMEOUT,
            permissions=[
                permissions.write_objects(bench.data, ARTEFACTS),
                describe_executions(bench),
            ],
        )

    def _store_scores(self, bench: Workbench, view: ProfileView) -> Function:
        return lake_function(
            self,
            "store_scores",
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
            state_machine_name=f"stamgast-{bench.environment.name}-models",
            definition_body=stepfunctions.DefinitionBody.from_chainable(
                models_definition(Construct(self, "States"), self.functions)
            ),
            role=role,
            timeout=Duration.hours(3),
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
            log_group_name=f"/aws/vendedlogs/states/stamgast-{bench.environment.name}-models",
            retention=kept(bench.environment.log_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
