"""Ingestion: the API at the root of a host, the function behind it, and the queue it fills."""

from aws_cdk import Duration
from constructs import Construct

from infra.blocks import permissions
from infra.blocks.function import Function
from infra.blocks.ingest_api import IngestApi
from infra.blocks.queue import QueueWithDeadLetters
from infra.blocks.workbench import Workbench

# One message may bring 2,500 people whom nobody knew, each a transaction of its own.
PROCESSING_SECONDS = 120


class Ingestion(Construct):
    """Authenticate, validate, stamp, and acknowledge only what the queue holds."""

    def __init__(self, scope: Construct, construct_id: str, *, bench: Workbench) -> None:
        super().__init__(scope, construct_id)
        self.events = QueueWithDeadLetters(
            self, "Events", visibility=Duration.seconds(3 * PROCESSING_SECONDS)
        )
        control = bench.data.control
        self.collect = Function(
            self,
            "collect_events",
            bench=bench,
            layers=bench.layers.api,
            variables={
                "CONTROL_TABLE": control.table_name,
                "EVENT_QUEUE_URL": self.events.queue.queue_url,
                "LAKE_BUCKET": bench.data.bucket.bucket_name,
            },
            permissions=[
                permissions.take_rate(control),
                permissions.send_messages(self.events.queue),
                permissions.read_objects(bench.data, "workspace/"),
                permissions.use_key(bench.data),
            ],
            memory_mb=1769,
            timeout=Duration.seconds(20),
            is_serving=True,
        )
        self.api = IngestApi(self, "Api", environment=bench.environment, function=self.collect.live)
