"""Keeps what was trained, under the run's lease, and pins which version of each model scores."""

from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast_aws.leased import under_lease
from stamgast_aws.run_lease import DynamoRunLease
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.models.registry import register_run
from stamgast_lake.runs import Run


class Settings(RunSettings):
    """The function's environment."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with the shards to score; `busy` while another run holds the lease."""
    return under_lease(_lease(), event, lambda seq: {**_register(event, seq), "tries": 0})


def _register(event: dict[str, Any], seq: int) -> dict[str, Any]:
    told = register_run(_lake(), Run.of({**event, "seq": seq}))
    _logger().info("models registered", run_id=event["run_id"], figures=told)
    return told


@cache
def _lease() -> DynamoRunLease:
    return run_lease(read_settings(Settings))


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
