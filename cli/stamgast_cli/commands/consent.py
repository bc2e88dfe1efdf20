"""`stamgast consent`: what people said, what was decided by it, and words said on their behalf."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from json import dumps
from typing import Annotated, Any
from uuid import uuid4

import httpx
import typer

from stamgast.identity.identifiers import Identifier
from stamgast.identity.keys import Keyring
from stamgast.workspace.model import Workspace
from stamgast_aws.secrets import SecretsManagerKeyring
from stamgast_cli.commands.asking import Who, identifier_of
from stamgast_cli.delivery import Delivery
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.errors import InputError
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import store

PERSON = "select person_id from identity_current where identifier = {key}"
HISTORY = """
    select purpose, is_grant, said_at, "by", text_version, proof, assurance, source_id, message_id
    from consents
    where anchor_key = {key} or person_id in ({person}) order by said_at, purpose
"""

Purpose = Annotated[str, typer.Argument(help="The purpose, or a category that the banner names.")]
Version = Annotated[str | None, typer.Option("--text-version", help="Of the text they read.")]
Proof = Annotated[str | None, typer.Option("--proof", help="Where the proof of it is kept.")]
WriteKey = Annotated[
    str | None,
    typer.Option(
        "--write-key",
        envvar="STAMGAST_WRITE_KEY",
        help="A secret one. On this machine: the server's key that `up` made.",
    ),
]


def group() -> typer.Typer:
    """Return the verbs."""
    verbs = typer.Typer(help="What people allow, and what was decided by it.", no_args_is_help=True)
    for verb in (show, why, grant, refuse, suppress, lift):
        verbs.command(verb.__name__)(verb)
    return verbs


def show(who: Who, stack: Stack = None, json: Json = False) -> None:
    """Show every word a person said about consents, as the last run left the lake.

    Example: stamgast consent show email:ada@example.com
    """
    # Imported on use: no verb that is only shown loads the engine.
    from stamgast_cli.lake import select

    deployment = find(stack)
    key = _quoted_key(deployment, who)
    told = HISTORY.format(key=key, person=PERSON.format(key=key))
    Output(is_json=json).rows(*select(deployment, told))


def why(
    who: Who,
    purpose: Annotated[str | None, typer.Option("--purpose", help="Of this purpose alone.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="How many, the newest first.")] = 50,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Show each decision to send, show or tell something of a person, or not to, and why.

    Example: stamgast consent why email:ada@example.com --purpose email
    """
    from stamgast_cli.decisions import decisions_of

    deployment = find(stack)
    key = _quoted_key(deployment, who)
    Output(is_json=json).rows(*decisions_of(deployment, key, purpose, most))


def grant(
    who: Who,
    purpose: Purpose,
    text_version: Version = None,
    proof: Proof = None,
    write_key: WriteKey = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Say on a person's behalf that they allow a purpose; it is an event like any other.

    Example: stamgast consent grant email:ada@example.com email --text-version 2026-03
    """
    detail = {"version": text_version, "proof": proof}
    _say(who, {"categoryPreferences": {purpose: True}}, detail, write_key, stack, json)


def refuse(
    who: Who,
    purpose: Purpose,
    text_version: Version = None,
    proof: Proof = None,
    write_key: WriteKey = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Say on a person's behalf that they refuse a purpose, or object to it.

    Example: stamgast consent refuse email:ada@example.com profiling --proof "call of 3 March"
    """
    detail = {"version": text_version, "proof": proof}
    _say(who, {"categoryPreferences": {purpose: False}}, detail, write_key, stack, json)


def suppress(
    who: Who,
    proof: Proof = None,
    write_key: WriteKey = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Let nothing of a person out any more, for no purpose; events are taken and kept as before.

    Example: stamgast consent suppress email:ada@example.com --proof "letter 4711"
    """
    _say(who, {"suppressed": True}, {"proof": proof}, write_key, stack, json)


def lift(
    who: Who,
    proof: Proof = None,
    write_key: WriteKey = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """End a suppression: what the person said of each purpose decides again.

    Example: stamgast consent lift email:ada@example.com
    """
    _say(who, {"suppressed": False}, {"proof": proof}, write_key, stack, json)


def _quoted_key(deployment: Deployment, who: str) -> str:
    from stamgast_lake.rules.literals import quoted

    named = identifier_of(who, store(deployment).current())
    return quoted(_keyring(deployment).identifier_key(named.namespace, named.value))


def _keyring(deployment: Deployment) -> Keyring:
    client, secret = deployment.client("secretsmanager"), deployment.output("WorkspaceSecret")
    return SecretsManagerKeyring(client, secret).get()


def _say(
    who: str,
    consent: Mapping[str, Any],
    detail: Mapping[str, str | None],
    write_key: str | None,
    stack: str | None,
    json: bool,
) -> None:
    deployment = find(stack)
    key = write_key or deployment.write_key
    if not key:
        raise InputError("a write key is needed", hint="Say --write-key or STAMGAST_WRITE_KEY.")
    workspace = store(deployment).current()
    for name in consent.get("categoryPreferences", ()):
        if not workspace.consents.meant_by(name):
            known = ", ".join(workspace.consents.by_name)
            raise InputError(f"there is no purpose {name}", hint=f"There are {known}.")
    told = {name: text for name, text in detail.items() if text is not None}
    event = _event(who, {**consent, **told}, workspace, lambda: _keyring(deployment))
    with httpx.Client(base_url=deployment.ingest_url, timeout=60) as client:
        Delivery(client, key, is_strict=True).post(dumps({"batch": [event]}).encode())
    Output(is_json=json).facts({"message_id": event["messageId"], "said": True})


def _event(
    who: str, consent: Mapping[str, Any], workspace: Workspace, keyring: Callable[[], Keyring]
) -> dict[str, Any]:
    """An identify call of the one identifier; one that is no user id rides beside a cookie."""
    named = identifier_of(who, workspace)
    outside = {"id": named.value, "type": named.namespace, "collection": "users"}
    name = {"user_id": "userId"}.get(named.namespace, "anonymousId")
    is_direct = named.namespace in ("user_id", "anonymous_id")
    return {
        "type": "identify",
        "messageId": f"consent-{uuid4()}",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        name: named.value if is_direct else _cookie(named, keyring()),
        "context": {"externalIds": [outside], "consent": dict(consent)},
    }


def _cookie(named: Identifier, keyring: Keyring) -> str:
    """The same for each word about one identifier, so that words add no devices to a person.

    Keyed: who could compute it might send events as that person.
    """
    return f"consent-{keyring.message_key('consent', f'{named.namespace}:{named.value}')}"
