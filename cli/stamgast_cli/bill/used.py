"""What a deployed stack used in the last thirty days, read from CloudWatch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from stamgast_cli.bill.model import Line
from stamgast_cli.deployment import Deployment

DAYS = 30


@dataclass(frozen=True)
class Meter:
    """Sums of metrics over the last thirty days."""

    client: Any
    until: datetime

    def total(self, namespace: str, metric: str, dimensions: Mapping[str, str]) -> float:
        """Return the sum of a metric."""
        answer = self.client.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=self.until - timedelta(days=DAYS),
            EndTime=self.until,
            Period=86_400,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in answer["Datapoints"]))


def used_lines(deployment: Deployment) -> list[Line]:
    """Return the month's metered use; storage and small requests are not in it."""
    meter = Meter(deployment.client("cloudwatch"), datetime.now(UTC))
    return [
        *_apis(meter, deployment),
        *_functions(meter, deployment),
        *_tables(meter, deployment),
        *_queue(meter, deployment),
    ]


def resource_types(deployment: Deployment) -> list[str]:
    """Return the type of every resource of both stacks."""
    client = deployment.client("cloudformation")
    data = deployment.stack.replace("-Platform", "-Data")
    pages = client.get_paginator("list_stack_resources")
    return [
        resource["ResourceType"]
        for stack in (data, deployment.stack)
        for page in pages.paginate(StackName=stack)
        for resource in page["StackResourceSummaries"]
    ]


def _apis(meter: Meter, deployment: Deployment) -> Iterator[Line]:
    names = {"ApiName": f"stamgast-{deployment.environment}-ingest"}
    yield Line("ingestion", "REST API request", meter.total("AWS/ApiGateway", "Count", names))
    ids = {"ApiId": deployment.output("HttpApiId")}
    yield Line("lookup", "HTTP API request", meter.total("AWS/ApiGateway", "Count", ids))


def _functions(meter: Meter, deployment: Deployment) -> Iterator[Line]:
    client = deployment.client("lambda")
    prefix = f"stamgast-{deployment.environment}-"
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = function["FunctionName"]
            if name.startswith(prefix):
                stage = name.removeprefix(prefix).replace("-", "_")
                yield from _function(meter, name, stage, function["MemorySize"])


def _function(meter: Meter, name: str, stage: str, memory_mb: int) -> Iterator[Line]:
    dimensions = {"FunctionName": name}
    calls = meter.total("AWS/Lambda", "Invocations", dimensions)
    seconds = meter.total("AWS/Lambda", "Duration", dimensions) / 1000
    yield Line(stage, "Lambda request", calls)
    yield Line(stage, "Lambda GB-second, arm64", seconds * memory_mb / 1024)


def _tables(meter: Meter, deployment: Deployment) -> Iterator[Line]:
    for stage, output in (("profile", "ProfilesTable"), ("ingestion", "ControlTable")):
        names = {"TableName": deployment.output(output)}
        writes = meter.total("AWS/DynamoDB", "ConsumedWriteCapacityUnits", names)
        reads = meter.total("AWS/DynamoDB", "ConsumedReadCapacityUnits", names)
        yield Line(stage, "DynamoDB write unit", writes)
        yield Line(stage, "DynamoDB read unit", reads)


def _queue(meter: Meter, deployment: Deployment) -> Iterator[Line]:
    names = {"QueueName": deployment.output("EventQueueUrl").rsplit("/", 1)[-1]}
    sent = meter.total("AWS/SQS", "NumberOfMessagesSent", names)
    yield Line("ingestion", "SQS request of 64 KB", sent * 1.2)
