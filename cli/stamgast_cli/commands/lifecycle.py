"""`stamgast up`, `down` and `status`."""

from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from stamgast_cli.deployment import Deployment, find
from stamgast_cli.local import cdk, emulator, lock
from stamgast_cli.local.places import Places, default_places
from stamgast_cli.local.up import up as bring_up
from stamgast_cli.local.up import up_code
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output

Workspace = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        help="The folder of the workspace's YAML; left out: the one before, else workspace/.",
    ),
]
Enforced = Annotated[
    bool, typer.Option("--enforce-iam", help="Restart with every role's permissions enforced.")
]
Code = Annotated[
    bool,
    typer.Option("--code", help="Only put changed code into what runs: seconds, no templates."),
]
Wipe = Annotated[bool, typer.Option("--wipe", help="Also forget everything that it stored.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(up)
    app.command()(down)
    app.command()(status)


def up(
    workspace: Workspace = None,
    enforce_iam: Enforced = False,
    code: Code = False,
    json: Json = False,
) -> None:
    """Start the whole product on this machine, or bring it up to this checkout's code.

    Leaves it running and writes `.stamgast/local.json` with addresses and keys.

    Example: stamgast up && stamgast send events.ndjson
    """
    output = Output(is_json=json)
    places = default_places()
    if code:
        output.facts(vars(up_code(places, output.step)))
        return
    folder = (workspace or places.workspace).resolve()
    made = bring_up(places, workspace=folder, step=output.step)
    if enforce_iam:
        made = bring_up(places, workspace=folder, step=output.step, is_enforcing=True)
    if workspace is not None:
        places.chosen.write_text(str(folder), encoding="utf-8")
    output.facts(vars(made))
    output.note(
        f"The workspace is {folder}. Written to {places.connection}; it runs until `stamgast down`."
    )


def down(wipe: Wipe = False, json: Json = False) -> None:
    """Stop what runs on this machine; its data stays unless wiped.

    Example: stamgast down --wipe
    """
    output = Output(is_json=json)
    places = default_places()
    with lock.held(places):
        ran = emulator.running(places) is not None
        if ran:
            with output.step("Stopping the emulator"):
                emulator.stop(places)
        if wipe:
            emulator.wipe(places)
            places.chosen.unlink(missing_ok=True)
    if not ran:
        output.note("Nothing ran here.")
    output.facts({"stopped": ran, "wiped": wipe})


def status(stack: Stack = None, json: Json = False) -> None:
    """Tell what runs, where, and how full its queues are.

    Example: stamgast status --stack prod
    """
    output = Output(is_json=json)
    if stack is None and emulator.running(default_places()) is None:
        output.facts({"running": False, "next": "stamgast up"})
        return
    deployment = find(stack)
    told: dict[str, Any] = {
        "running": True,
        "stack": deployment.stack,
        "ingest_url": deployment.ingest_url,
        "profile_url": deployment.profile_url,
        "waiting_events": _depth(deployment, "EventQueueUrl"),
        "dead_letters": _depth(deployment, "DeadLetterQueueUrl"),
    }
    if deployment.is_local:
        told |= _local_facts(deployment, default_places())
    output.facts(told)


def _local_facts(deployment: Deployment, places: Places) -> dict[str, Any]:
    running = emulator.running(places)
    if running is None:
        return {}
    return {
        "endpoint_url": deployment.endpoint_url,
        "pid": running.pid,
        "iam_enforced": running.is_enforcing,
        "code_is_deployed": cdk.is_current(running, places),
        "ingestion_answers": _answers(deployment.ingest_url),
    }


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=20).status_code < httpx.codes.INTERNAL_SERVER_ERROR
    except httpx.TransportError:
        return False


def _depth(deployment: Deployment, name: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.output(name), AttributeNames=names
    )
    return sum(int(told["Attributes"][one]) for one in names)
