"""Closes a run: writes its rows, and lets the next one begin."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from time import time
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast_aws.clients import client
from stamgast_aws.run_lease import DynamoRunLease, LeaseLostError
from stamgast_aws.secrets import SecretsManagerKeyring
from stamgast_aws.settings import read_settings
from stamgast_aws.workspaces import S3WorkspaceStore
from stamgast_lake.lake import Lake, catalogue_of
from stamgast_lake.runs import Run, close_run


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment."""

    control_table: str
    lake_bucket: str
    lake_database: str
    workspace_secret: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with the run's status; a failed run leaves what was committed."""
    run = Run.of(event)
    status = close_run(
        _lake(),
        run,
        figures=event.get("figures", {}),
        error=_error_of(event),
        closed_at=datetime.now(UTC),
    )
    try:
        _lease().release(run.run_id, run.seq)
    except LeaseLostError:
        _logger().warning("lease lost before the close", run_id=run.run_id, seq=run.seq)
    _logger().info("run closed", run_id=run.run_id, seq=run.seq, run_status=status)
    return {**event, "status": status}


def _error_of(event: dict[str, Any]) -> str | None:
    """The name of what went wrong; causes stay in the logs, for they may quote data."""
    if event.get("status") != "failed":
        return None
    told = event.get("error")
    name = told.get("Error") or told.get("code") if isinstance(told, dict) else told
    return str(name or "unknown")[:200]


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
