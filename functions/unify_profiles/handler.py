"""Folds the events of touched anchors into facts, and those into profiles."""

from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast_aws.run_lease import DynamoRunLease
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.profiles import unify_run
from stamgast_lake.runs import Run, displaced


class Settings(RunSettings):
    """The function's environment."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with the figures of the stage."""
    run = Run.of(event)
    _lease().renew(run.run_id, run.seq)
    figures = unify_run(_lake(), run, displaced(event))
    _logger().info("profiles unified", run_id=run.run_id, figures=figures)
    return {**event, "figures": {**event.get("figures", {}), "unify_profiles": figures}}


@cache
def _lease() -> DynamoRunLease:
    return run_lease(read_settings(Settings))


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
