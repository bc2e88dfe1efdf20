"""The lake as a run sees it: its buckets, its tables, its workspace, and the documents of runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from os import environ
from typing import Any

from stamgast.erasure.tombstones import NoTombstones, TombstoneLog
from stamgast.identity.keys import Keyring
from stamgast.workspace.model import Workspace
from stamgast_lake.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Lake:
    """What every stage works with; `workspace` and `keyring` are read when they are needed."""

    s3: Any
    bucket: str
    catalogue: Catalogue
    workspace: Callable[[], Workspace]
    keyring: Callable[[], Keyring]
    tombstones: TombstoneLog = field(default_factory=NoTombstones)
    audit_bucket: str | None = None

    def put_document(self, run_id: str, name: str, text: bytes) -> None:
        """Keeps a document of a run under `runs/<run_id>/`."""
        self.s3.put_object(Bucket=self.bucket, Key=document_key(run_id, name), Body=text)

    def document(self, run_id: str, name: str) -> bytes:
        """A document of a run; botocore's NoSuchKey error without one."""
        answer = self.s3.get_object(Bucket=self.bucket, Key=document_key(run_id, name))
        text: bytes = answer["Body"].read()
        return text


def deployed_lake(
    *,
    s3: Any,
    glue: Any,
    bucket: str,
    database: str,
    workspace: Callable[[], Workspace],
    keyring: Callable[[], Keyring],
    tombstones: TombstoneLog | None = None,
    audit_bucket: str | None = None,
) -> Lake:
    """The lake of a deployed stack."""
    catalogue = catalogue_of(glue=glue, bucket=bucket, database=database)
    told = tombstones or NoTombstones()
    return Lake(s3, bucket, catalogue, workspace, keyring, told, audit_bucket)


def document_key(run_id: str, name: str) -> str:
    """Where a run keeps a document."""
    return f"runs/{run_id}/{name}"


def catalogue_of(*, glue: Any, bucket: str, database: str) -> Catalogue:
    """The tables of a deployed lake, with the endpoint and region of the environment."""
    return Catalogue(
        glue=glue,
        database=database,
        warehouse=f"s3://{bucket}/warehouse",
        file_properties=file_properties(),
    )


def file_properties() -> dict[str, str]:
    """How data files are reached: an emulator's endpoint where one is set, and the region."""
    told = {
        "s3.endpoint": environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL"),
        "s3.region": environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"),
    }
    return {name: value for name, value in told.items() if value}
