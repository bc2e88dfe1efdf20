"""Scores every buyer by recency, frequency and money as at the run's moment."""

from dataclasses import dataclass
from functools import cache
from time import time
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast_aws.clients import client
from stamgast_aws.run_lease import DynamoRunLease
from stamgast_aws.secrets import SecretsManagerKeyring
from stamgast_aws.settings import read_settings
from stamgast_aws.workspaces import S3WorkspaceStore
from stamgast_lake.lake import Lake, catalogue_of
from stamgast_lake.runs import Run
from stamgast_lake.segments import evaluate_run


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment."""

    control_table: str
    lake_bucket: str
    lake_database: str
    workspace_secret: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with the figures of the stage."""
    run = Run.of(event)
    _lease().renew(run.run_id, run.seq)
    figures = evaluate_run(_lake(), run)
    _logger().info("segments evaluated", run_id=run.run_id, figures=figures)
    return {**event, "figures": {**event.get("figures", {}), "evaluate_segments": figures}}


@cache
def _lease() -> DynamoRunLease:
    table = read_settings(Settings).control_table
    return DynamoRunLease(client=client("dynamodb"), table=table, now=time)


@cache
def _lake() -> Lake:
    told = read_settings(Settings)
    s3 = client("s3")
    workspaces = S3WorkspaceStore(
        s3=s3,
        dynamodb=client("dynamodb"),
        bucket=told.lake_bucket,
        table=told.control_table,
        now=time,
    )
    return Lake(
        s3=s3,
        bucket=told.lake_bucket,
        catalogue=catalogue_of(
            glue=client("glue"), bucket=told.lake_bucket, database=told.lake_database
        ),
        workspace=workspaces.current,
        keyring=SecretsManagerKeyring(client("secretsmanager"), told.workspace_secret).get,
    )


@cache
def _logger() -> Logger:
    return Logger()
