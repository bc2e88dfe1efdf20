"""Segments: every rule over the whole lake."""

from aws_cdk import Duration
from constructs import Construct

from infra.blocks.lake_function import lake_function
from infra.blocks.workbench import Workbench


class Segments(Construct):
    """Who belongs where, since when, and why."""

    def __init__(self, scope: Construct, construct_id: str, *, bench: Workbench) -> None:
        super().__init__(scope, construct_id)
        self.evaluate_segments = lake_function(
            self, "evaluate_segments", bench=bench, timeout=Duration.minutes(15)
        )
