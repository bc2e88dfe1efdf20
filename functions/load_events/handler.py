"""Loads the archive objects of a run into the tables, each exactly once."""

from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast_aws.run_lease import DynamoRunLease
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.loading.run import load_run


class Settings(RunSettings):
    """The function's environment."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with the figures of the load."""
    run_id = event["run_id"]
    _lease().renew(run_id, int(event["seq"]))
    figures = load_run(_lake(), run_id)
    _logger().info("events loaded", run_id=run_id, figures=figures)
    return {**event, "figures": {**event.get("figures", {}), "load_events": figures}}


@cache
def _lease() -> DynamoRunLease:
    return run_lease(read_settings(Settings))


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
