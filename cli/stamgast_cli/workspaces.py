"""The workspace's folder of YAML, compiled as a whole and put in force in a deployment."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stamgast.workspace.compiler import WorkspaceError, compile_files
from stamgast.workspace.model import Source, Workspace, workspace_of
from stamgast_aws.workspaces import S3WorkspaceStore
from stamgast_cli.access import access_to
from stamgast_cli.deployment import Deployment
from stamgast_cli.errors import InputError

STRAY = (".yml", ".json", ".toml")


def compile_folder(folder: Path) -> dict[str, Any]:
    """Return the compiled workspace; every fault of every file is told at once."""
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder",
            hint="Name the folder of the workspace's YAML; `stamgast workspace init` makes one.",
        )
    stray = sorted(path.name for path in folder.iterdir() if path.suffix in STRAY)
    if stray:
        raise InputError(f"{folder} holds {', '.join(stray)}", hint="Its files end in .yaml.")
    try:
        return compile_files({path.name: _text(path) for path in sorted(folder.glob("*.yaml"))})
    except WorkspaceError as error:
        faults = "\n".join(f"{folder}/{fault}" for fault in error.faults)
        raise InputError(f"the workspace has faults:\n{faults}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise InputError(f"{path}:{line}: this is no text in UTF-8") from error


def store(deployment: Deployment) -> S3WorkspaceStore:
    """Return the store of a deployment's workspaces."""
    return S3WorkspaceStore(
        s3=deployment.client("s3"),
        dynamodb=deployment.client("dynamodb"),
        bucket=deployment.output("LakeBucket"),
        table=deployment.output("ControlTable"),
        now=time.monotonic,
    )


def sources_of(deployment: Deployment) -> Mapping[str, Source]:
    """Return the sources of the workspace in force; none where none was ever published."""
    workspace = _in_force(deployment)
    return workspace.sources if workspace else {}


def namespaces_of(deployment: Deployment) -> tuple[str, ...]:
    """Return the names of its namespaces, by their priority."""
    workspace = _in_force(deployment)
    return tuple(one.name for one in workspace.identity.namespaces) if workspace else ()


def _in_force(deployment: Deployment) -> Workspace | None:
    try:
        return store(deployment).current()
    except LookupError:
        return None


def publish(deployment: Deployment, compiled: dict[str, Any]) -> str:
    """Put a compiled workspace in force unless it is so already; return its version.

    Its sources get their names and limits; keys are no part of it.
    """
    workspaces = store(deployment)
    version = str(compiled["version"])
    if workspaces.version() != version:
        workspaces.publish(compiled)
    registry = access_to(deployment).sources
    for source in workspace_of(compiled).sources.values():
        registry.declare(source.id, source.name, source.events_per_second)
    return version
