"""Models: trained, judged and scored every day and on demand."""

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.dead_letters import DeadLetters
from infra.blocks.function import Function
from infra.blocks.lake_function import lake_function
from infra.blocks.machine import state_machine
from infra.blocks.models_definition import ModelFunctions, models_definition
from infra.blocks.profile_view import ProfileView
from infra.blocks.run_functions import TIMEOUT, learning_function, storing_function
from infra.blocks.schedule import Every
from infra.blocks.workbench import Workbench
from infra.stages.authoritative import describe_executions

ARTEFACTS = "models/artefacts/"


class Models(Construct):
    """Prepare, train, register, score and store; lake functions alone commit."""

    def __init__(
        self, scope: Construct, construct_id: str, *, bench: Workbench, view: ProfileView
    ) -> None:
        super().__init__(scope, construct_id)
        self.functions = ModelFunctions(
            prepare_models=lake_function(self, "prepare_models", bench=bench, timeout=TIMEOUT),
            train_model=learning_function(self, "train_model", bench, ARTEFACTS),
            register_models=self._register_models(bench),
            score_profiles=learning_function(self, "score_profiles", bench, ARTEFACTS),
            store_scores=storing_function(
                self, "store_scores", bench, view, describe_executions(bench)
            ),
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

    def _machine(self, bench: Workbench) -> stepfunctions.StateMachine:
        name = f"stamgast-{bench.environment.name}-models"
        return state_machine(
            self,
            bench=bench,
            name=name,
            log_name=name,
            functions=self.functions.all,
            definition=lambda states: models_definition(states, self.functions),
            timeout=Duration.hours(3),
        )
