"""`stamgast profile get`, `timeline`, `key` and `query`: what is known of whom."""

import os
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer

from stamgast.identity.identifiers import Identifier, normalise
from stamgast.workspace.model import Workspace
from stamgast_aws.secrets import SecretsManagerKeyring
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.errors import InputError, StamgastError
from stamgast_cli.options import AsOf, Json, Stack, Token
from stamgast_cli.output import Output
from stamgast_cli.workspaces import store

Who = Annotated[
    str, typer.Argument(metavar="NAMESPACE:VALUE", help="For example email:ada@example.com")
]
Include = Annotated[
    str,
    typer.Option("--include", help="Sections, with commas: traits, segments, identifiers …"),
]
Purpose = Annotated[
    str | None,
    typer.Option("--purpose", help="For what: shows what it covers, of whoever allows it."),
]
View = Annotated[str, typer.Option("--as", help="verified, or claimed to see less.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=200)]
Cursor = Annotated[str | None, typer.Option("--cursor", help="Where the last page ended.")]
Explain = Annotated[
    bool, typer.Option("--explain", help="Which event, source and assurance gave each value.")
]
Sql = Annotated[str, typer.Argument(help="DuckDB's dialect, over the lake's tables and views.")]


class AnswerError(StamgastError):
    """The look-up API refused."""


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(help="Profiles.", no_args_is_help=True)
    group.command("get")(profile_get)
    app.add_typer(group, name="profile")
    app.command("timeline")(timeline)
    app.command("key")(key)
    app.command("query")(query)


def profile_get(
    who: Who,
    include: Include = "traits,segments,rfm,activity,identifiers",
    view: View = "verified",
    purpose: Purpose = None,
    as_of: AsOf = None,
    explain: Explain = False,
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Show the profile of the person behind an identifier.

    Example: stamgast profile get email:ada@example.com --explain

    With --explain or --as-of it is read from the lake: each trait with the event that said it.
    """
    deployment = find(stack)
    if as_of is not None or explain:
        _refuse_beside("--explain or --as-of", "--purpose", purpose)
        from stamgast_cli.past import profile_of

        named = identifier_of(who, store(deployment).current())
        Output(is_json=json).document(profile_of(deployment, named, as_of))
        return
    body = {"identifiers": [who], "include": include.split(","), "as": view, "purpose": purpose}
    answer = ask(deployment, token, "POST", "/v1/profiles:lookup", json=body)["results"][0]
    if "profile" not in answer:
        raise AnswerError(answer.get("message", "no such profile"), hint=f"Code {answer['code']}.")
    Output(is_json=json).document(answer["profile"])


def timeline(
    who: Who,
    limit: Limit = 20,
    cursor: Cursor = None,
    as_of: AsOf = None,
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Show what a person did, the newest first.

    Example: stamgast timeline user_id:42 --limit 50
    """
    if as_of is not None:
        _refuse_beside("--as-of", "--cursor", cursor)
        from stamgast_cli.past import timeline_of

        deployment = find(stack)
        named = identifier_of(who, store(deployment).current())
        Output(is_json=json).document(timeline_of(deployment, named, as_of, limit))
        return
    namespace, _, value = who.partition(":")
    path = f"/v1/profiles/{namespace}:{quote(value, safe='')}/timeline"
    params = {"limit": str(limit), **({"cursor": cursor} if cursor else {})}
    told = ask(find(stack), token, "GET", path, params=params)
    Output(is_json=json).document(told)


def _refuse_beside(one: str, other: str, told: str | None) -> None:
    """What an answer from the lake would pass over is refused, so that nobody relies on it."""
    if told is not None:
        raise InputError(f"{other} is not read beside {one}", hint=f"Leave {other} out.")


def key(who: Who, stack: Stack = None, json: Json = False) -> None:
    """Show the keyed hash under which an identifier stands in the lake, to join lists with it.

    Example: stamgast key email:ada@example.com
    """
    deployment = find(stack)
    named = identifier_of(who, store(deployment).current())
    keyring = SecretsManagerKeyring(
        deployment.client("secretsmanager"), deployment.output("WorkspaceSecret")
    ).get()
    Output(is_json=json).facts({"key": keyring.identifier_key(named.namespace, named.value)})


def identifier_of(who: str, workspace: Workspace) -> Identifier:
    """Return the identifier as ingestion would write it; raises InputError when it is none."""
    name, colon, value = who.partition(":")
    namespace = workspace.identity.by_name.get(name)
    if not colon or namespace is None:
        names = ", ".join(workspace.identity.by_name)
        wrong = f"{name!r} is no namespace" if colon else "an identifier is NAMESPACE:VALUE"
        raise InputError(wrong, hint=f"Namespaces are {names}.")
    told = normalise(namespace, value, workspace.identity, workspace.identity.default_region)
    if not isinstance(told, Identifier):
        raise InputError("this value identifies nobody; it is blocked or malformed")
    return told


def query(sql: Sql, stack: Stack = None, json: Json = False) -> None:
    """Ask the lake in SQL (DuckDB), on this machine, whatever stack the lake belongs to.

    Example: stamgast query "SELECT type, count(*) FROM events GROUP BY ALL"
    """
    from stamgast_cli.lake import select

    if not sql.strip():
        raise InputError("there is nothing to ask", hint='Say it in quotes: "SELECT 1".')
    output = Output(is_json=json)
    deployment = find(stack)
    with output.step("Asking the lake"):
        names, rows = select(deployment, sql)
    output.rows(names, rows)


def ask(
    deployment: Deployment, token: str | None, method: str, path: str, **told: Any
) -> dict[str, Any]:
    """Return the JSON of one call to the look-up API."""
    bearer = token or deployment.reader_token or os.environ.get("STAMGAST_READER_TOKEN")
    if not bearer:
        raise InputError(
            "a reader token is needed", hint="Say --token, or set STAMGAST_READER_TOKEN."
        )
    headers = {"Authorization": f"Bearer {bearer}"}
    with httpx.Client(base_url=deployment.profile_url, headers=headers, timeout=30) as client:
        answer = client.request(method, path, **told)
    document: dict[str, Any] = answer.json()
    if not answer.is_success:
        raise AnswerError(
            str(document.get("message", answer.reason_phrase)),
            hint=f"The look-up answered {answer.status_code} {document.get('code', '')}.",
        )
    return document
