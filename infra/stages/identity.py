"""Identity: persons as connected components, and the changes that were parked under contention."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.dead_letters import DeadLetters
from infra.blocks.function import Function
from infra.blocks.lake_function import lake_function
from infra.blocks.lookup_api import GATEWAY_TIMEOUT
from infra.blocks.profile_view import ProfileView
from infra.blocks.schedule import Every
from infra.blocks.variables import of_view
from infra.blocks.workbench import Workbench
from infra.stages.raw import Raw


class Identity(Construct):
    """Turn identifiers into evidence, evidence into persons."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bench: Workbench,
        view: ProfileView,
        raw: Raw,
    ) -> None:
        super().__init__(scope, construct_id)
        self.resolve_identity = lake_function(
            self, "resolve_identity", bench=bench, timeout=Duration.minutes(15)
        )
        self.dead_letters = DeadLetters(self, "DrainDeadLetters").queue
        self.drain_parked = self._drain_parked(bench, view, raw)
        self.change_identity = self._change_identity(bench, view, raw)
        self.drained = Every(
            self,
            "DrainParkedEvery",
            minutes=bench.environment.drain_every_minutes,
            function=self.drain_parked.live,
            dead_letters=self.dead_letters,
        )

    def _drain_parked(self, bench: Workbench, view: ProfileView, raw: Raw) -> Function:
        data = bench.data
        return Function(
            self,
            "drain_parked",
            bench=bench,
            layers=bench.layers.api,
            variables={
                **of_view(data, view),
                "EVENT_BUS": view.bus.event_bus_name,
                "RAW_STREAM": raw.raw.name,
            },
            permissions=self._permissions(bench, view, raw),
            memory_mb=512,
            timeout=Duration.minutes(4),
            dead_letters=self.dead_letters,
        )

    def _change_identity(self, bench: Workbench, view: ProfileView, raw: Raw) -> Function:
        data = bench.data
        return Function(
            self,
            "change_identity",
            bench=bench,
            layers=bench.layers.api,
            variables={
                **of_view(data, view),
                "DISCLOSURES_STREAM": raw.disclosures.name,
                "EVENT_BUS": view.bus.event_bus_name,
                "RAW_STREAM": raw.raw.name,
            },
            permissions=[
                *self._permissions(bench, view, raw),
                permissions.put_records(raw.disclosures.arn),
            ],
            memory_mb=1024,
            timeout=GATEWAY_TIMEOUT,
        )

    @staticmethod
    def _permissions(bench: Workbench, view: ProfileView, raw: Raw) -> list[iam.PolicyStatement]:
        """Return what bringing persons to what was decided needs: both tables, archive, bus."""
        return [
            *permissions.read_workspace(bench.data),
            permissions.write_items(view.table),
            permissions.write_items(bench.data.control),
            permissions.put_records(raw.raw.arn),
            permissions.put_events(view.bus),
        ]
