"""`stamgast source` and `stamgast token`: who may send, who may read."""

import re
from enum import Enum
from typing import Annotated

import typer

from stamgast.lookup.reader import COUNTABLE, EVERYTHING, Action
from stamgast.lookup.roles import ROLE_DAYS, BeyondRoleError, Role, Scope, scope_of
from stamgast.moments import iso_of
from stamgast_cli.access import access_to
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.errors import InputError
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import namespaces_of, sources_of

FIELDS = (
    EVERYTHING, "traits", "segments", "rfm", "computed", "activity", "orders", "scores", "consents",
    "identifiers", "links", "timeline", "counters", "first_seen_at", "last_seen_at", "created_at",
    COUNTABLE,
)  # fmt: skip
# As in the workspace: the id is the name of a folder and of a column's value.
SOURCE_ID = re.compile(r"[a-z][a-z0-9_-]{0,40}")


class Kind(Enum):
    """What a write key can prove: a public one only claims."""

    PUBLIC = "public"
    SECRET = "secret"  # noqa: S105  a kind of key, no key


SourceId = Annotated[str, typer.Argument(help="The source's id, as in the workspace.")]
KindOption = Annotated[Kind, typer.Option("--kind", help="public: pages, apps; secret: servers.")]
Name = Annotated[str | None, typer.Option("--name", help="What people call it.")]
Rate = Annotated[int | None, typer.Option("--events-per-second", min=1, help="Its limit.")]
Fields = Annotated[
    str | None, typer.Option("--fields", help="Fields that it may read, with commas; * is all.")
]
Namespaces = Annotated[
    str | None, typer.Option("--namespaces", help="Namespaces by which it may ask, with commas.")
]
RoleOption = Annotated[
    Role | None, typer.Option("--role", help="The most that it may do; the rest narrows it.")
]
May = Annotated[
    str, typer.Option("--may", help=f"Actions that it may do, with commas: {', '.join(Action)}.")
]

Purposes = Annotated[
    str, typer.Option("--purposes", help="Purposes that it reads for, with commas; none: unbound.")
]
Days = Annotated[
    int | None,
    typer.Option("--days", min=1, help=f"How long it holds; else {ROLE_DAYS} by a role, for ever."),
]


def sources() -> typer.Typer:
    """Return the verbs for sources and their write keys."""
    group = typer.Typer(help="Sources and their write keys.", no_args_is_help=True)
    group.command("add")(add_source)
    group.command("rotate")(rotate)
    group.command("revoke")(revoke_key)
    return group


def tokens() -> typer.Typer:
    """Return the verbs for reader tokens."""
    group = typer.Typer(help="Reader tokens.", no_args_is_help=True)
    group.command("add")(add_token)
    group.command("rotate")(rotate_token)
    group.command("list")(list_tokens)
    group.command("revoke")(revoke_token)
    return group


def add_source(
    source_id: SourceId,
    kind: KindOption = Kind.PUBLIC,
    name: Name = None,
    events_per_second: Rate = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Make a source and show its write key, this once.

    Example: stamgast source add web --kind public
    """
    deployment, output = find(stack), Output(is_json=json)
    if not SOURCE_ID.fullmatch(source_id):
        raise InputError(
            f"{source_id!r} is no source's id",
            hint="It is of lower-case letters, digits, - and _, and begins with a letter.",
        )
    known = sources_of(deployment).get(source_id)
    if known is None:
        output.note(f"{source_id} is not in the workspace in force: add it to sources.yaml.")
    key = access_to(deployment).add_source(
        source_id,
        name=name or (known.name if known else source_id),
        kind=kind.value,
        events_per_second=events_per_second or (known.events_per_second if known else None),
    )
    output.facts({"source": source_id, "write_key": key})


def rotate(
    source_id: SourceId, kind: KindOption = Kind.PUBLIC, stack: Stack = None, json: Json = False
) -> None:
    """Make a second write key; move your clients to it, then revoke the first.

    Example: stamgast source rotate server --kind secret
    """
    deployment = find(stack)
    access = access_to(deployment)
    if not access.sources.active(source_id) and source_id not in sources_of(deployment):
        raise InputError(f"there is no source {source_id!r}", hint="See `stamgast sources list`.")
    key = access.issue(source_id, kind.value)
    Output(is_json=json).facts({"source": source_id, "write_key": key})


def revoke_key(
    key: Annotated[str, typer.Argument(help="The write key to refuse, or its hash.")],
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Refuse a write key; functions notice within a minute.

    Example: stamgast source revoke pub_…
    """
    access_to(find(stack)).revoke(key)
    Output(is_json=json).facts({"revoked": True})


def add_token(
    name: Annotated[str, typer.Argument(help="Who reads with it.")],
    role: RoleOption = None,
    fields: Fields = None,
    namespaces: Namespaces = None,
    may: May = "",
    purposes: Purposes = "",
    days: Days = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Make a reader token and show it, this once.

    Example: stamgast token add call-centre --fields traits.first_name,rfm.segment

    With --may it is an operator's: stamgast token add privacy --may identity.change
    With --purposes it reads for these alone, of people whose consent covers them.
    With --role it is one of four: stamgast token add anna --role marketer --purposes email
    """
    asked = Scope(
        _split(EVERYTHING if fields is None and role is None else fields or ""),
        _split(EVERYTHING if namespaces is None and role is None else namespaces or ""),
        _split(may),
        _split(purposes),
    )
    scope = asked if role is None else _scope_of(role, asked)
    deployment, output = find(stack), Output(is_json=json)
    _beware(output, deployment, asked)
    token = access_to(deployment).add_token(
        name,
        fields=scope.fields,
        namespaces=scope.namespaces,
        may=scope.may,
        purposes=scope.purposes,
        days=ROLE_DAYS if days is None and role is not None else days,
    )
    output.facts({"name": name, "reader_token": token})


def _beware(output: Output, deployment: Deployment, asked: Scope) -> None:
    """Say what no answer has: a token for a misspelt field would see nothing, for ever."""
    known = namespaces_of(deployment)
    for name in asked.fields:
        if name.partition(".")[0] not in FIELDS:
            output.note(f"no profile has {name}; see docs/lookup.md.", "beware:")
    for name in asked.namespaces if known else ():
        if name not in (EVERYTHING, *known):
            told = f"there is no namespace {name}; there are {', '.join(known)}."
            output.note(told, "beware:")


def _scope_of(role: Role, asked: Scope) -> Scope:
    try:
        return scope_of(role, asked)
    except BeyondRoleError as error:
        hint = "The table of roles is in docs/lookup.md; without --role a token is made freely."
        raise InputError(str(error), hint=hint) from error


def rotate_token(
    token: Annotated[str, typer.Argument(help="The reader token to replace.")],
    overlap_hours: Annotated[
        int, typer.Option("--overlap-hours", min=0, help="How long the old one goes on.")
    ] = 24,
    add_fields: Annotated[
        str, typer.Option("--add-fields", help="With commas: what the new one holds besides.")
    ] = "",
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Make a second token of the same scope; the first ends after the overlap.

    Example: stamgast token rotate sgr_… --overlap-hours 1

    A token that was made before rules on events took a field: --add-fields events
    """
    deployment, output, more = find(stack), Output(is_json=json), _split(add_fields)
    _beware(output, deployment, Scope(more))
    fresh = access_to(deployment).rotate_token(token, overlap_hours, more)
    output.facts({"reader_token": fresh, "old_ends_in_hours": overlap_hours})


def list_tokens(
    last_use: Annotated[
        bool, typer.Option("--last-use", help="When each name last read, by the disclosures.")
    ] = False,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Show the reader tokens by the first signs of their digests: scope, purposes, end.

    Example: stamgast token list --last-use
    """
    deployment = find(stack)
    used = _last_use(deployment) if last_use else {}
    rows = [
        {
            "digest": digest,
            "name": reader.name,
            "state": state,
            "fields": ", ".join(reader.fields),
            "namespaces": ", ".join(reader.namespaces),
            "may": ", ".join(reader.may),
            "purposes": ", ".join(reader.purposes),
            "expires_at": None if reader.expires_s is None else iso_of(reader.expires_s * 1000),
            **({"last_used_at": used.get(reader.name)} if last_use else {}),
        }
        for digest, state, reader in access_to(deployment).tokens.listed()
    ]
    columns = list(rows[0]) if rows else ["digest", "name"]
    told = sorted(tuple(row.values()) for row in rows)
    Output(is_json=json).rows(columns, sorted(told, key=lambda row: (str(row[1]), row[0])))


def _last_use(deployment: Deployment) -> dict[str, str]:
    # Imported on use: no verb that is only shown loads the engine.
    from stamgast_cli.lake import select

    asked = "select recipient, max(decided_at) from egress group by recipient"
    return {name: at.isoformat() for name, at in select(deployment, asked, tuple)[1]}


def revoke_token(
    token: Annotated[str, typer.Argument(help="The reader token to refuse.")],
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Refuse a reader token; functions notice within a minute.

    Example: stamgast token revoke sgr_…
    """
    access_to(find(stack)).revoke_token(token)
    Output(is_json=json).facts({"revoked": True})


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
