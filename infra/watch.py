"""The watch: one alarm for each thing an operator must hear of, a dashboard, and a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.blocks.alarms import Alarms
from infra.blocks.budget import Budget
from infra.blocks.dashboard import Dashboard
from infra.blocks.own_metrics import own_metric
from infra.data_stack import DataStack
from infra.environments import Environment
from stamgast.metrics import Metric

if TYPE_CHECKING:
    from infra.platform_stack import PlatformStack

FIVE_MINUTES = Duration.minutes(5)
WAITING_SECONDS = 300
UNARCHIVED_SECONDS = 900
SLOW_MS = 1000
OWN = (
    ("messages-poisoned", Metric.MESSAGES_POISONED, "process_events", 1),
    ("changes-untold", Metric.CHANGES_NOT_PUBLISHED, "process_events", 1),
    ("parked-stuck", Metric.IDENTITY_PARKED, "drain_parked", 6),
)


class Watch(Construct):
    """What is watched, in data order."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: PlatformStack,
        environment: Environment,
        data: DataStack,
    ) -> None:
        super().__init__(scope, construct_id)
        self.alarms = Alarms(self, "Alarms", data=data, email=environment.alarm_email)
        self._ingestion(platform)
        self._live_loop(platform)
        self._own_metrics(environment)
        self._health(environment)
        self._archive(platform)
        self._authoritative_loop(platform)
        self._lookup(platform)
        if environment.has_dashboard:
            Dashboard(self, "Dashboard", platform=platform, environment=environment)
        if environment.monthly_budget_usd:
            Budget(self, "Budget", environment=environment)

    def _ingestion(self, platform: PlatformStack) -> None:
        rest = platform.ingestion.api.rest
        self.alarms.on("ingest-refused", rest.metric_server_error(period=FIVE_MINUTES), at_least=5)

    def _live_loop(self, platform: PlatformStack) -> None:
        events = platform.ingestion.events
        self.alarms.on(
            "events-waiting",
            events.queue.metric_approximate_age_of_oldest_message(period=FIVE_MINUTES),
            at_least=WAITING_SECONDS,
            periods=2,
        )
        self.alarms.on(
            "dead-letters",
            events.dead_letters.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES),
            at_least=1,
        )
        self.alarms.on(
            "batches-failing",
            platform.profile.process_events.live.metric_errors(period=FIVE_MINUTES),
            at_least=1,
            periods=3,
        )
        self.alarms.on(
            "drain-failing",
            platform.identity.drain_parked.live.metric_errors(period=FIVE_MINUTES),
            at_least=1,
            periods=3,
        )

    def _own_metrics(self, environment: Environment) -> None:
        for name, metric, service, periods in OWN:
            self.alarms.on(
                name,
                own_metric(environment, metric, service=service),
                at_least=1,
                periods=periods,
            )

    def _health(self, environment: Environment) -> None:
        findings = own_metric(
            environment, Metric.HEALTH_FINDINGS, service="close_run", statistic="Maximum"
        )
        self.alarms.on("identity-unhealthy", findings, at_least=1)

    def _archive(self, platform: PlatformStack) -> None:
        for name, stream in (("raw", platform.raw.raw), ("rejected", platform.raw.rejected)):
            self.alarms.on(
                f"{name}-unarchived",
                cloudwatch.Metric(
                    namespace="AWS/Firehose",
                    metric_name="DeliveryToS3.DataFreshness",
                    dimensions_map={"DeliveryStreamName": stream.name},
                    statistic="Maximum",
                    period=FIVE_MINUTES,
                ),
                at_least=UNARCHIVED_SECONDS,
                periods=2,
            )

    def _authoritative_loop(self, platform: PlatformStack) -> None:
        loop = platform.authoritative
        self.alarms.on("run-failed", loop.machine.metric_failed(period=FIVE_MINUTES), at_least=1)
        if loop.every:
            self.alarms.below(
                "runs-overdue",
                loop.machine.metric_succeeded(period=Duration.hours(1)),
                at_least=1,
                periods=6,
            )

    def _lookup(self, platform: PlatformStack) -> None:
        http = platform.lookup.api.http
        self.alarms.on("lookup-failing", http.metric_server_error(period=FIVE_MINUTES), at_least=5)
        self.alarms.on(
            "lookup-slow",
            http.metric_latency(period=FIVE_MINUTES, statistic="p95"),
            at_least=SLOW_MS,
            periods=3,
        )
        self.alarms.on(
            "functions-throttled",
            cloudwatch.Metric(
                namespace="AWS/Lambda",
                metric_name="Throttles",
                statistic="Sum",
                period=FIVE_MINUTES,
            ),
            at_least=1,
            periods=3,
        )
