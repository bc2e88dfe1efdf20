"""Profile: the live loop that folds each batch, and the stages that publish what a run computed."""

from aws_cdk import Duration
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.acknowledge import acknowledge
from infra.blocks.function import Function
from infra.blocks.lake_function import lake_function
from infra.blocks.profile_view import ProfileView
from infra.blocks.variables import of_view
from infra.blocks.workbench import Workbench
from infra.stages.ingestion import PROCESSING_SECONDS, Ingestion
from infra.stages.raw import Raw


class Profile(Construct):
    """Fold a person's events into one profile, live and from the lake."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bench: Workbench,
        view: ProfileView,
        ingestion: Ingestion,
        raw: Raw,
    ) -> None:
        super().__init__(scope, construct_id)
        self.process_events = self._process_events(bench, view, raw)
        self._subscribe(bench, ingestion)
        self.unify_profiles = lake_function(
            self, "unify_profiles", bench=bench, timeout=Duration.minutes(15)
        )
        self.publish_profiles = self._publish_profiles(bench, view, raw)

    def _subscribe(self, bench: Workbench, ingestion: Ingestion) -> None:
        live = self.process_events.live
        live.add_event_source(
            sources.SqsEventSource(
                ingestion.events.queue,
                batch_size=10,
                max_batching_window=Duration.seconds(0),
                max_concurrency=bench.environment.live_concurrency,
                report_batch_item_failures=True,
            )
        )
        acknowledge(
            live,
            "Serverless-LambdaEventSourceMappingDestination",
            "The queue's own redrive policy moves what fails five times to the dead letters.",
        )

    def _process_events(self, bench: Workbench, view: ProfileView, raw: Raw) -> Function:
        data = bench.data
        return Function(
            self,
            "process_events",
            bench=bench,
            layers=bench.layers.api,
            variables={
                **of_view(data, view),
                "DISCLOSURES_STREAM": raw.disclosures.name,
                "EVENT_BUS": view.bus.event_bus_name,
                "RAW_STREAM": raw.raw.name,
                "REJECTED_STREAM": raw.rejected.name,
                "TIMELINE_DAYS": str(bench.environment.timeline_days),
            },
            permissions=[
                *permissions.read_workspace(data),
                permissions.put_records(raw.raw.arn, raw.rejected.arn, raw.disclosures.arn),
                permissions.write_items(view.table),
                permissions.write_items(data.control),
                permissions.put_events(view.bus),
            ],
            memory_mb=1769,
            timeout=Duration.seconds(PROCESSING_SECONDS),
            is_serving=True,
        )

    def _publish_profiles(self, bench: Workbench, view: ProfileView, raw: Raw) -> Function:
        return lake_function(
            self,
            "publish_profiles",
            bench=bench,
            timeout=Duration.minutes(15),
            variables={
                "DISCLOSURES_STREAM": raw.disclosures.name,
                "EVENT_BUS": view.bus.event_bus_name,
                "PROFILES_TABLE": view.table.table_name,
                "TIMELINE_DAYS": str(bench.environment.timeline_days),
            },
            permissions=[
                permissions.update_many_items(view.table),
                permissions.put_events(view.bus),
                permissions.put_records(raw.disclosures.arn),
            ],
        )
