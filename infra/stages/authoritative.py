"""The authoritative loop: a state machine over the stages, on a schedule and on demand."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.dead_letters import DeadLetters
from infra.blocks.function import Function
from infra.blocks.lake_function import lake_function
from infra.blocks.machine import state_machine
from infra.blocks.profile_view import ProfileView
from infra.blocks.run_definition import RunFunctions, run_definition
from infra.blocks.schedule import Every
from infra.blocks.workbench import Workbench
from infra.stages.identity import Identity
from infra.stages.profile import Profile
from infra.stages.raw import Raw
from infra.stages.segments import Segments


def machine_name(bench: Workbench) -> str:
    """Return the state machine's name in an environment."""
    return f"stamgast-{bench.environment.name}-authoritative"


def _opening(bench: Workbench) -> list[iam.PolicyStatement]:
    """A run's opening asks who runs, and renames dropped files whose names tell of the erased."""
    return [
        describe_executions(bench),
        permissions.write_objects(bench.data, "imports/"),
        permissions.use_versions(bench.data, "imports/"),
        permissions.list_versions(bench.data),
    ]


def describe_executions(bench: Workbench) -> iam.PolicyStatement:
    """Allow to ask what became of an execution of this machine."""
    executions = bench.data.format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine_name(bench)}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    return iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[executions])


class Authoritative(Construct):
    """Recompute from the lake, publish what differs; a tick while a run is open does nothing."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bench: Workbench,
        view: ProfileView,
        raw: Raw,
        identity: Identity,
        profile: Profile,
        segments: Segments,
    ) -> None:
        super().__init__(scope, construct_id)
        functions = RunFunctions(
            open_run=self._ledger("open_run", bench, _opening(bench)),
            import_file=raw.import_file,
            stages=(
                raw.load_events,
                identity.resolve_identity,
                profile.unify_profiles,
                segments.evaluate_segments,
                profile.publish_profiles,
            ),
            close_run=self._close_run(bench, view),
        )
        self.functions = functions
        self.machine = self._machine(bench, functions)
        self.every: Every | None = None
        if bench.environment.run_every_minutes:
            self.every = Every(
                self,
                "RunEvery",
                minutes=bench.environment.run_every_minutes,
                machine=self.machine,
                dead_letters=DeadLetters(self, "RunDeadLetters").queue,
            )

    def _ledger(
        self, name: str, bench: Workbench, permissions: Sequence[iam.PolicyStatement] = ()
    ) -> Function:
        timeout = Duration.minutes(5)
        return lake_function(self, name, bench=bench, timeout=timeout, permissions=permissions)

    def _close_run(self, bench: Workbench, view: ProfileView) -> Function:
        """It compares a sample of the live view with the lake, and so may read the view."""
        return lake_function(
            self,
            "close_run",
            bench=bench,
            timeout=Duration.minutes(5),
            variables={"PROFILES_TABLE": view.table.table_name},
            permissions=[permissions.read_items(view.table)],
        )

    def _machine(self, bench: Workbench, functions: RunFunctions) -> stepfunctions.StateMachine:
        at_once = bench.environment.import_concurrency
        return state_machine(
            self,
            bench=bench,
            name=machine_name(bench),
            log_name=f"stamgast-{bench.environment.name}",
            functions=functions.all,
            definition=lambda states: run_definition(states, functions, at_once),
            timeout=Duration.hours(6),
        )
