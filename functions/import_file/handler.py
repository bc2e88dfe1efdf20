"""Takes one file of the drop zone into the archive, row by row, as a run lists it."""

from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast_aws.run_lease import DynamoRunLease
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_lake.imports.run import import_file, import_of
from stamgast_lake.lake import Lake, deployed_lake


class Settings(RunSettings):
    """The function's environment."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the file's figures; its objects stand in the run's documents."""
    run_id = event["run_id"]
    _lease().renew(run_id, int(event["seq"]))
    figures = import_file(_lake(), run_id, import_of(_lake(), run_id, event["import"]))
    _logger().info("file imported", run_id=run_id, figures=figures)
    return {"run_id": run_id, "figures": figures}


@cache
def _lease() -> DynamoRunLease:
    return run_lease(read_settings(Settings))


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
