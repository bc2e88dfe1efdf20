"""The workspace in force: a pointer in the control table, the compiled document in the lake."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from stamgast.workspace.model import Workspace, workspace_of

FRESH_SECONDS = 60.0
# Who may not list a bucket is told that a missing object is denied.
MISSING = frozenset({"NoSuchKey", "AccessDenied"})
POINTER = {"PK": {"S": "WORKSPACE"}, "SK": {"S": "@"}}


class UnsoundWorkspaceError(ValueError):
    """A stored workspace that is not there, or that this version of the platform cannot read."""

    def __init__(self, version: str) -> None:
        super().__init__(f"no workspace that can be read is stored as version {version}")


class S3WorkspaceStore:
    """Publishes workspaces and reads the one in force, at most 60 seconds old.

    The last good version stays in force: a version that cannot be read takes the place of none
    that was, neither in a process that read one before nor in a new one, for the pointer also
    names the version before it.
    """

    def __init__(
        self, *, s3: Any, dynamodb: Any, bucket: str, table: str, now: Callable[[], float]
    ) -> None:
        self._s3, self._dynamodb = s3, dynamodb
        self._bucket, self._table, self._now = bucket, table, now
        self._read_at = float("-inf")
        self._workspace: Workspace | None = None
        self._pointed_to: str | None = None

    def current(self) -> Workspace:
        """The workspace that the pointer names, or the last that could be read.

        Raises LookupError when none was ever published, UnsoundWorkspaceError when neither the
        version pointed to nor the one before it can be read.
        """
        if self._workspace is not None and self._now() - self._read_at < FRESH_SECONDS:
            return self._workspace
        versions = self._versions()
        if not versions:
            raise LookupError("no workspace is published: run `stamgast workspace publish`")
        self._pointed_to = versions[0]
        if self._workspace is None or self._workspace.version != versions[0]:
            self._workspace = self._newest(versions)
        self._read_at = self._now()
        return self._workspace

    @property
    def is_behind(self) -> bool:
        """Whether the workspace last given is an older one, for that in force cannot be read."""
        return self._workspace is not None and self._workspace.version != self._pointed_to

    def _newest(self, versions: list[str]) -> Workspace:
        """The first that can be read: the one pointed to, the one held, the one before."""
        try:
            return self._loaded(versions[0])
        except UnsoundWorkspaceError:
            if self._workspace is not None:
                return self._workspace
            if len(versions) < 2:
                raise
            return self._loaded(versions[1])

    def version(self) -> str | None:
        """The version that the pointer names, or None."""
        return next(iter(self._versions()), None)

    def _versions(self) -> list[str]:
        """The version pointed to, and the one before it where there is one."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=POINTER, ConsistentRead=True)
        item = answer.get("Item", {})
        return [item[name]["S"] for name in ("version", "previous") if name in item]

    def publish(self, compiled: dict[str, Any]) -> None:
        """Stores a compiled workspace and points to it; documents of older versions stay."""
        body = json.dumps(compiled, ensure_ascii=False).encode()
        key = _key(compiled["version"])
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")
        self._point(compiled["version"])

    def point_to(self, version: str) -> None:
        """Puts a stored version in force; raises UnsoundWorkspaceError for one that cannot be."""
        # Most functions never decode rules.
        from stamgast.segments.definitions import computed_traits_of, segments_of

        workspace = self._loaded(version)
        try:
            segments_of(workspace.segments)
            computed_traits_of(workspace.traits)
        except (KeyError, TypeError, ValueError) as error:
            raise UnsoundWorkspaceError(version) from error
        self._point(version)

    def _point(self, version: str) -> None:
        item = {**POINTER, "version": {"S": version}}
        before = self.version()
        if before is not None and before != version:
            item["previous"] = {"S": before}
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def _loaded(self, version: str) -> Workspace:
        try:
            return workspace_of(self._document(version))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnsoundWorkspaceError(version) from error

    def _document(self, version: str) -> dict[str, Any]:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=_key(version))
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING:
                raise
            raise UnsoundWorkspaceError(version) from error
        document: dict[str, Any] = json.loads(answer["Body"].read())
        return document


def _key(version: str) -> str:
    return f"workspace/{version}.json"
