"""Takes one file of the drop zone into the archive, row by row, as a run lists it."""

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
from stamgast_lake.imports.run import import_file
from stamgast_lake.inputs import ImportInput
from stamgast_lake.lake import Lake, catalogue_of


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment."""

    control_table: str
    lake_bucket: str
    lake_database: str
    workspace_secret: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the file's figures; its objects stand in the run's documents."""
    run_id = event["run_id"]
    _lease().renew(run_id, int(event["seq"]))
    figures = import_file(_lake(), run_id, ImportInput(**event["import"]))
    _logger().info("file imported", run_id=run_id, figures=figures)
    return {"run_id": run_id, "figures": figures}


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
