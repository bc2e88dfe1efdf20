"""The workspace in force: a pointer in the control table, the compiled document in the lake."""

import json
from collections.abc import Callable
from typing import Any

from stamgast.workspace.model import Workspace, workspace_of

FRESH_SECONDS = 60.0
POINTER = {"PK": {"S": "WORKSPACE"}, "SK": {"S": "@"}}


class S3WorkspaceStore:
    """Publishes workspaces and reads the one in force, at most 60 seconds old."""

    def __init__(
        self, *, s3: Any, dynamodb: Any, bucket: str, table: str, now: Callable[[], float]
    ) -> None:
        self._s3, self._dynamodb = s3, dynamodb
        self._bucket, self._table, self._now = bucket, table, now
        self._read_at = float("-inf")
        self._workspace: Workspace | None = None

    def current(self) -> Workspace:
        """The workspace that the pointer names; raises LookupError when none was ever published."""
        if self._workspace is not None and self._now() - self._read_at < FRESH_SECONDS:
            return self._workspace
        version = self.version()
        if version is None:
            raise LookupError("no workspace is published: run `stamgast workspace publish`")
        if self._workspace is None or self._workspace.version != version:
            self._workspace = workspace_of(self._document(version))
        self._read_at = self._now()
        return self._workspace

    def version(self) -> str | None:
        """The version that the pointer names, or None."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=POINTER, ConsistentRead=True)
        return answer["Item"]["version"]["S"] if "Item" in answer else None

    def publish(self, compiled: dict[str, Any]) -> None:
        """Stores a compiled workspace and points to it; documents of older versions stay."""
        body = json.dumps(compiled, ensure_ascii=False).encode()
        key = _key(compiled["version"])
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")
        self.point_to(compiled["version"])

    def point_to(self, version: str) -> None:
        """Puts a stored version in force: forward after a publish, or back."""
        self._s3.head_object(Bucket=self._bucket, Key=_key(version))
        item = {**POINTER, "version": {"S": version}}
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def _document(self, version: str) -> dict[str, Any]:
        answer = self._s3.get_object(Bucket=self._bucket, Key=_key(version))
        document: dict[str, Any] = json.loads(answer["Body"].read())
        return document


def _key(version: str) -> str:
    return f"workspace/{version}.json"
