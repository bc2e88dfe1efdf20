"""What every function of a run is wired from: its settings, the lease, and access to the lake."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from time import sleep, time
from typing import Any, TypedDict

from stamgast.erasure.tombstones import TombstoneLog
from stamgast.identity.keys import Keyring
from stamgast.workspace.model import Workspace
from stamgast_aws.clients import client
from stamgast_aws.executions import StepFunctionsExecutions
from stamgast_aws.run_lease import DynamoRunLease
from stamgast_aws.secrets import SecretsManagerKeyring
from stamgast_aws.tombstone_store import DynamoTombstones
from stamgast_aws.workspaces import S3WorkspaceStore


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The environment of a function of a run."""

    control_table: str
    lake_bucket: str
    lake_database: str
    workspace_secret: str


class LakeAccess(TypedDict):
    """The arguments of `stamgast_lake.lake.deployed_lake`."""

    s3: Any
    glue: Any
    bucket: str
    database: str
    workspace: Callable[[], Workspace]
    keyring: Callable[[], Keyring]
    tombstones: TombstoneLog


@cache
def run_lease(settings: RunSettings) -> DynamoRunLease:
    """The lease of the authoritative loop."""
    return DynamoRunLease(
        client=client("dynamodb"),
        table=settings.control_table,
        now=time,
        is_at_rest=lambda execution: StepFunctionsExecutions(client("stepfunctions")).is_at_rest(
            execution
        ),
    )


def lake_access(settings: RunSettings) -> LakeAccess:
    """Clients and readers of the lake; secret and workspace are read when they are needed."""
    workspaces = S3WorkspaceStore(
        s3=client("s3"),
        dynamodb=client("dynamodb"),
        bucket=settings.lake_bucket,
        table=settings.control_table,
        now=time,
    )
    keyring = SecretsManagerKeyring(client("secretsmanager"), settings.workspace_secret)
    return {
        "s3": client("s3"),
        "glue": client("glue"),
        "bucket": settings.lake_bucket,
        "database": settings.lake_database,
        "workspace": workspaces.current,
        "keyring": keyring.get,
        "tombstones": DynamoTombstones(client("dynamodb"), settings.control_table, sleep),
    }
