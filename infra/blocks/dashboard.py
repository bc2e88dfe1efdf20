"""One dashboard, a row for each stage in data order, within the fifty metrics that are free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.blocks.own_metrics import own_metric
from infra.environments import Environment
from stamgast.metrics import Metric

if TYPE_CHECKING:
    from infra.platform_stack import PlatformStack

WIDTH = 8
FIVE_MINUTES = Duration.minutes(5)


class Dashboard(Construct):
    """Requests, queue, archive, functions, runs and look-ups side by side."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: PlatformStack,
        environment: Environment,
    ) -> None:
        super().__init__(scope, construct_id)
        self.resource = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=f"stamgast-{environment.name}"
        )
        self.resource.add_widgets(*_ingestion(platform))
        self.resource.add_widgets(*_live_loop(platform))
        self.resource.add_widgets(*_own(environment))
        self.resource.add_widgets(*_later_stages(platform))


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, width=WIDTH, left=list(metrics))


def _ingestion(platform: PlatformStack) -> list[cloudwatch.IWidget]:
    rest = platform.ingestion.api.rest
    return [
        _graph(
            "ingestion: requests",
            rest.metric_count(period=FIVE_MINUTES),
            rest.metric_client_error(period=FIVE_MINUTES),
            rest.metric_server_error(period=FIVE_MINUTES),
        ),
        _graph("ingestion: latency", rest.metric_latency(period=FIVE_MINUTES, statistic="p95")),
        _graph("raw: age of what is not archived", *(_freshness(platform))),
    ]


def _freshness(platform: PlatformStack) -> list[cloudwatch.Metric]:
    return [
        cloudwatch.Metric(
            namespace="AWS/Firehose",
            metric_name="DeliveryToS3.DataFreshness",
            dimensions_map={"DeliveryStreamName": stream.name},
            statistic="Maximum",
        )
        for stream in (platform.raw.raw, platform.raw.rejected)
    ]


def _live_loop(platform: PlatformStack) -> list[cloudwatch.IWidget]:
    events, process = platform.ingestion.events, platform.profile.process_events.live
    return [
        _graph(
            "live loop: messages",
            events.queue.metric_approximate_number_of_messages_visible(),
            events.dead_letters.metric_approximate_number_of_messages_visible(),
        ),
        _graph(
            "live loop: oldest message", events.queue.metric_approximate_age_of_oldest_message()
        ),
        _graph("live loop: batches", process.metric_invocations(), process.metric_errors()),
    ]


def _own(environment: Environment) -> list[cloudwatch.IWidget]:
    def shown(*names: Metric, statistic: str = "Sum") -> list[cloudwatch.Metric]:
        return [
            own_metric(environment, name, service="process_events", statistic=statistic)
            for name in names
        ]

    lag = Metric.LIVE_LAG_SECONDS
    identity = [name for name in Metric if name.value.startswith(("Ident", "Links", "Changes"))]
    health = [name for name in Metric if name.value.startswith("Health")]
    models = [name for name in Metric if name.value.startswith("Models")]
    rest = [name for name in Metric if name not in (lag, *identity, *health, *models)]
    return [
        _graph("live loop: events", *shown(*rest)),
        _graph("live loop: lag", *shown(lag, statistic="Maximum")),
        _graph("identity: changes", *shown(*identity)),
        _graph(
            "identity: health",
            *(
                own_metric(environment, name, service="close_run", statistic="Maximum")
                for name in health
            ),
        ),
        _graph(
            "models: shifted, or not trained",
            *(own_metric(environment, name, service="store_scores") for name in models),
        ),
    ]


def _later_stages(platform: PlatformStack) -> list[cloudwatch.IWidget]:
    machine, http = platform.authoritative.machine, platform.lookup.api.http
    return [
        _graph("runs", machine.metric_succeeded(), machine.metric_failed()),
        _graph("lookup: requests", http.metric_count(), http.metric_server_error()),
        _graph("lookup: latency", http.metric_latency(statistic="p95")),
    ]
