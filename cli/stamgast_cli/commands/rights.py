"""`stamgast erase`, `access`, `portability`, `rights`: what persons ask, by the look-up API."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import httpx
import typer

from stamgast_aws.tombstone_store import DynamoTombstones
from stamgast_cli.commands.asking import ask
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.errors import InputError, StamgastError
from stamgast_cli.jobs import LOOK_AGAIN_SECONDS, look
from stamgast_cli.options import Json, Stack, Token
from stamgast_cli.output import Output

OVER = ("completed", "cancelled")
Who = Annotated[
    list[str],
    typer.Argument(metavar="NAMESPACE:VALUE…", help="Persons, each by one identifier."),
]
One = Annotated[str, typer.Argument(metavar="NAMESPACE:VALUE", help="One identifier of a person.")]
IsPlan = Annotated[
    bool, typer.Option("--plan", help="Show how much each store holds; change nothing.")
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is carried out.")]
Out = Annotated[Path, typer.Option("--out", help="The folder for record.json and record.html.")]
RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="The id of a request.")]


class RefusedError(StamgastError):
    """A request that was withdrawn."""


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("erase")(erase)
    app.command("access")(access)
    app.command("portability")(portability)
    group = typer.Typer(help="Requests of persons.", no_args_is_help=True)
    group.command("list")(listed)
    group.command("status")(status)
    group.command("cancel")(cancel)
    group.command("prove")(prove)
    group.command("reapply")(reapply)
    group.command("settle")(settle)
    app.add_typer(group, name="rights")


def erase(
    who: Who,
    is_plan: IsPlan = False,
    wait: Wait = True,
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Erase persons from every store; several at once cost little more than one.

    Example: stamgast erase email:ada@example.com --plan

    Without --plan it is done, and cannot be undone. Each identifier stands for its whole person.
    """
    deployment, output = find(stack), Output(is_json=json)
    if is_plan:
        for one in who:
            body = {"subject_identities": [_identity(one)]}
            plan = _counted(body, deployment, token, output)
            stores = plan.pop("stores")
            output.facts(plan)
            output.rows(("store", "found"), [[name, stores[name]] for name in stores])
        return
    told = _requested("erasure", who, deployment, token)
    done = _finished(told, deployment, token, output) if wait else told
    for request in done:
        output.facts(_facts(request))


def access(
    who: One,
    out: Out = Path(),
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Fetch a person's whole record with its provenance, as JSON and as a page.

    Example: stamgast access email:ada@example.com --out ada
    """
    _fetch("access", who, out, token, stack, json)


def portability(
    who: One,
    out: Out = Path(),
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Fetch what a person gave, and what was observed of them, in a common form.

    Example: stamgast portability email:ada@example.com --out ada
    """
    _fetch("portability", who, out, token, stack, json)


def listed(token: Token = None, stack: Stack = None, json: Json = False) -> None:
    """Show the requests in which something is left to be done, with their deadlines.

    Example: stamgast rights list
    """
    told = ask(find(stack), token, "GET", "/v3/requests")["requests"]
    names = ("subject_request_id", "subject_request_type", "request_status", "clock")
    Output(is_json=json).rows(
        (*names, "expected_completion_time"),
        [[one[name] for name in (*names, "expected_completion_time")] for one in told],
    )


def status(
    request: RequestId, token: Token = None, stack: Stack = None, json: Json = False
) -> None:
    """Show where a request stands: what was found, and its certificate once it is proven.

    Example: stamgast rights status 6f0e1f5e-5d5c-4e0a-9d3e-6b1a6c3f2a10 --json
    """
    told = ask(find(stack), token, "GET", f"/v3/requests/{request}")
    Output(is_json=json).document(told)


def cancel(
    request: RequestId, token: Token = None, stack: Stack = None, json: Json = False
) -> None:
    """Withdraw a request on which no work has begun.

    Example: stamgast rights cancel 6f0e1f5e-5d5c-4e0a-9d3e-6b1a6c3f2a10
    """
    told = ask(find(stack), token, "DELETE", f"/v3/requests/{request}")
    Output(is_json=json).facts(_facts(told))


def prove(token: Token = None, stack: Stack = None, json: Json = False) -> None:
    """Have every byte searched now, and not with the next night, for all erasures at once.

    Example: stamgast rights prove
    """
    told = look(find(stack), token, "POST", "/v1/rights:prove")
    Output(is_json=json).facts(told)


def reapply(
    table: Annotated[
        str | None,
        typer.Option("--from", help="A second table `control`, whose tombstones count as well."),
    ] = None,
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Erase anew who is there again after tables were put back; do it before they open.

    Example: stamgast rights reapply --from control-restored
    """
    deployment, output = find(stack), Output(is_json=json)
    if table is not None:
        client = deployment.client("dynamodb")
        here = DynamoTombstones(client, deployment.output("ControlTable"), time.sleep)
        here.take(DynamoTombstones(client, table, time.sleep))
    told = _compared(deployment, token, output)
    done = _finished(told["requests"], deployment, token, output) if told["requests"] else []
    found = sum(one.get("found", 0) for one in done)
    output.facts({"erased_again": len(done), "found": found, "salts": told["salts"]})


def settle(
    request: RequestId,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it stands in the certificate, and names nobody.")
    ],
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Close an erasure although the search still found something, and say why.

    Example: stamgast rights settle 6f0e1f5e-5d5c-4e0a-9d3e-6b1a6c3f2a10 --reason "a namesake"
    """
    body = {"subject_request_id": request, "reason": reason}
    told = ask(find(stack), token, "POST", "/v1/rights:settle", json=body)
    Output(is_json=json).facts(_facts(told))


def _compared(deployment: Deployment, token: str | None, output: Output) -> dict[str, Any]:
    """What a comparison of all tombstones made; each look tells how far it is."""
    with output.step("Comparing"):
        while True:
            told = look(deployment, token, "POST", "/v1/rights:reapply")
            if told.get("state") != "comparing":
                return told
            time.sleep(LOOK_AGAIN_SECONDS)


def _identity(told: str) -> dict[str, str]:
    namespace, colon, value = told.partition(":")
    if not colon or not value:
        raise InputError(f"{namespace} names nobody", hint="Say NAMESPACE:VALUE.")
    return {"identity_type": namespace, "identity_value": value}


def _requested(
    kind: str, who: Sequence[str], deployment: Deployment, token: str | None
) -> list[dict[str, Any]]:
    bodies = [
        {
            "subject_request_id": str(uuid4()),
            "subject_request_type": kind,
            "subject_identities": [_identity(one)],
        }
        for one in who
    ]
    told = ask(deployment, token, "POST", "/v3/requests", json={"requests": bodies})
    found: list[dict[str, Any]] = told.get("requests", [told])
    return found


def _finished(
    told: Sequence[dict[str, Any]], deployment: Deployment, token: str | None, output: Output
) -> list[dict[str, Any]]:
    """The requests once they are over."""
    with output.step("Carrying out"):
        return [_over(one["subject_request_id"], deployment, token) for one in told]


def _counted(
    body: dict[str, Any], deployment: Deployment, token: str | None, output: Output
) -> dict[str, Any]:
    """The plan once it is counted: asked for again it is the same plan."""
    with output.step("Counting"):
        while (plan := look(deployment, token, "POST", "/v1/rights:plan", json=body)).get("state"):
            time.sleep(LOOK_AGAIN_SECONDS)
    return plan


def _over(request_id: str, deployment: Deployment, token: str | None) -> dict[str, Any]:
    while True:
        told = look(deployment, token, "GET", f"/v3/requests/{request_id}")
        if told["request_status"] in OVER:
            return told
        time.sleep(LOOK_AGAIN_SECONDS)


def _fetch(
    kind: str, who: str, out: Path, token: str | None, stack: str | None, json: bool
) -> None:
    deployment, output = find(stack), Output(is_json=json)
    [told] = _finished(_requested(kind, [who], deployment, token), deployment, token, output)
    if told["request_status"] != "completed":
        raise RefusedError("the request was withdrawn", hint="Ask again.")
    out.mkdir(parents=True, exist_ok=True)
    for name, url in (("record.json", "results_url"), ("record.html", "page_url")):
        answer = httpx.get(told[url], timeout=60)
        answer.raise_for_status()
        (out / name).write_bytes(answer.content)
    output.facts({"json": out / "record.json", "page": out / "record.html", **told["counts"]})


def _facts(told: dict[str, Any]) -> dict[str, Any]:
    names = (
        "subject_request_id",
        "request_status",
        "found",
        "unreachable_since",
        "is_proven",
        "expected_completion_time",
    )
    return {name: told[name] for name in names if name in told}
