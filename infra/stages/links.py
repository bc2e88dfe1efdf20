"""Links: what models believe of devices and records, every night and on demand, never a merge."""

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.dead_letters import DeadLetters
from infra.blocks.function import Function
from infra.blocks.lake_function import lake_function
from infra.blocks.links_definition import LinkFunctions, links_definition
from infra.blocks.machine import state_machine
from infra.blocks.profile_view import ProfileView
from infra.blocks.run_functions import TIMEOUT, learning_function, storing_function
from infra.blocks.schedule import Every
from infra.blocks.workbench import Workbench
from infra.stages.authoritative import describe_executions


class Links(Construct):
    """Pair, train, score and store; only the last function commits, and holds the run's lease."""

    def __init__(
        self, scope: Construct, construct_id: str, *, bench: Workbench, view: ProfileView
    ) -> None:
        super().__init__(scope, construct_id)
        self.functions = LinkFunctions(
            pair_devices=lake_function(self, "pair_devices", bench=bench, timeout=TIMEOUT),
            train_links=learning_function(self, "train_links", bench),
            link_records=self._link_records(bench),
            store_links=storing_function(
                self, "store_links", bench, view, describe_executions(bench)
            ),
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

    def _machine(self, bench: Workbench) -> stepfunctions.StateMachine:
        name = f"stamgast-{bench.environment.name}-links"
        return state_machine(
            self,
            bench=bench,
            name=name,
            log_name=name,
            functions=self.functions.all,
            definition=lambda states: links_definition(states, self.functions),
            timeout=Duration.hours(2),
        )
