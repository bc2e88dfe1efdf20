"""Brings the local deployment up to this checkout's code and tells clients how to reach it."""

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stamgast.lookup.reader import Action
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_cli.access import access_to
from stamgast_cli.deployment import LOCAL_STACK, Deployment, read_outputs
from stamgast_cli.errors import NotRunningError
from stamgast_cli.local import cdk, emulator, lock
from stamgast_cli.local.emulator import Emulator
from stamgast_cli.local.places import Places
from stamgast_cli.local.reload import Reloaded, reload
from stamgast_cli.local.routes import http_target, rest_target, write_routes
from stamgast_cli.workspaces import compile_folder, publish

Step = Callable[[str], AbstractContextManager[Any]]
WEB, SERVER = "web", "server"
STARTING = "Starting the emulator"
STARTING_EMPTY = "Starting the emulator empty, since it did not end gracefully"


@dataclass(frozen=True)
class Connection:
    """What a client uses as it is."""

    ingest_url: str
    profile_url: str
    public_write_key: str
    server_write_key: str
    reader_token: str


def up(
    places: Places, *, workspace: Path | None = None, step: Step, is_enforcing: bool = False
) -> Connection:
    """Start what does not run, deploy what has changed, and return how to reach it.

    Raises BusyError while another process does that here, and InputError, before anything is
    started, for a workspace with faults.
    """
    compiled = compile_folder(workspace or places.root / "workspace")
    with lock.held(places):
        return _up(places, compiled, step, is_enforcing)


def _up(places: Places, compiled: dict[str, Any], step: Step, is_enforcing: bool) -> Connection:
    running = emulator.running(places)
    if running is not None and running.is_enforcing != is_enforcing:
        emulator.stop(places)
        running = None
    if running is None:
        with step(STARTING_EMPTY if places.unclean.exists() else STARTING):
            running = emulator.start(places, is_enforcing=is_enforcing)
    if not is_enforcing:  # assets cannot be uploaded while IAM is enforced: deploy first
        _deploy(running, places, step)
    return _connect(running, places, compiled, step)


def _deploy(running: Emulator, places: Places, step: Step) -> None:
    if cdk.is_current(running, places):
        return
    with step("Preparing the emulated account (cdk bootstrap)"):
        cdk.bootstrap(running, places)
    with step("Writing the templates (cdk synth)"):
        cdk.synthesise(running, places)
    with step("Deploying both stacks (cdk deploy)"):
        cdk.deploy(running, places)
    if places.reloaded.exists():  # CloudFormation left alone what it thinks it knows
        with step("Putting the code on the disk into every function"):
            reload(running, places)


def up_code(places: Places, step: Step) -> Reloaded:
    """Put changed code into what runs, without its templates."""
    with lock.held(places):
        running = emulator.running(places)
        if running is None:
            raise NotRunningError("nothing runs here", hint="Run `stamgast up` first.")
        with step("Putting changed code into the functions"):
            return reload(running, places)


def _connect(running: Emulator, places: Places, compiled: dict[str, Any], step: Step) -> Connection:
    outputs = read_outputs(LOCAL_STACK, running.endpoint_url)
    write_routes(
        places.routes,
        ingest=rest_target(outputs["RestApiId"], outputs["RestApiStage"]),
        profile=http_target(outputs["HttpApiId"]),
    )
    deployment = Deployment(LOCAL_STACK, outputs, endpoint_url=running.endpoint_url)
    with step("Publishing the workspace, sources and keys"):
        publish(deployment, compiled)
        connection = _known(places, running) or _seeded(running, deployment, workspace_of(compiled))
    _write(places, running, connection, outputs)
    return connection


def _seeded(running: Emulator, deployment: Deployment, workspace: Workspace) -> Connection:
    """Make one key of each kind and a token; the first source stands in for a missing one."""
    access = access_to(deployment)
    web, server = (
        one if one in workspace.sources else next(iter(workspace.sources)) for one in (WEB, SERVER)
    )
    return Connection(
        ingest_url=running.ingest_url,
        profile_url=running.profile_url,
        public_write_key=access.issue(web, "public"),
        server_write_key=access.issue(server, "secret"),
        reader_token=access.add_token("local", may=tuple(Action)),
    )


def _known(places: Places, running: Emulator) -> Connection | None:
    """Return the keys that were made before, at the addresses of now."""
    if not places.connection.exists():
        return None
    told = json.loads(places.connection.read_text(encoding="utf-8"))
    names = ("public_write_key", "server_write_key", "reader_token")
    return Connection(
        ingest_url=running.ingest_url,
        profile_url=running.profile_url,
        **{name: told[name] for name in names},
    )


def _write(
    places: Places, running: Emulator, connection: Connection, outputs: dict[str, str]
) -> None:
    told = {
        **vars(connection),
        "endpoint_url": running.endpoint_url,
        "pid": running.pid,
        "profiles_table": outputs["ProfilesTable"],
        "control_table": outputs["ControlTable"],
        "lake_bucket": outputs["LakeBucket"],
        "lake_database": outputs["LakeDatabase"],
        "outputs": outputs,
    }
    handle = os.open(places.connection, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(told, file, indent=2)
        file.write("\n")
