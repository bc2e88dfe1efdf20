"""`stamgast identity`: cut what does not belong together, and lift it, by the look-up's API."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from stamgast_cli.commands import explaining
from stamgast_cli.commands.asking import ask
from stamgast_cli.deployment import find
from stamgast_cli.errors import InputError
from stamgast_cli.options import Json, Stack, Token
from stamgast_cli.output import Output

Who = "NAMESPACE:VALUE"
Both = Annotated[
    list[str] | None, typer.Argument(metavar=f"{Who} {Who}", help="The two to cut apart.")
]
Pair = Annotated[
    tuple[str, str], typer.Argument(metavar=f"{Who} {Who}", help="The two that were cut.")
]
Those = Annotated[list[str], typer.Argument(metavar=f"{Who}…", help="The identifiers that leave.")]
Leaving = Annotated[
    list[str] | None,
    typer.Option("--leaving", metavar=Who, help="Instead of a pair: one that leaves; repeatable."),
]
IsPlan = Annotated[bool, typer.Option("--plan", help="Show what would follow; change nothing.")]
IsAlone = Annotated[
    bool, typer.Option("--alone", help="Cut also what the next run would join them by.")
]
Reason = Annotated[
    str, typer.Option("--reason", help="Why, for the archive; without personal data.")
]
JobId = Annotated[str | None, typer.Argument(metavar="[JOB]", help="One job; left out: all.")]


def group() -> typer.Typer:
    """Return the verbs that change and explain who is who."""
    app = typer.Typer(help="Who is who: cut, lift, explain.", no_args_is_help=True)
    app.command("cut")(cut)
    app.command("leave")(leave)
    app.command("lift")(lift)
    app.command("jobs")(jobs)
    explaining.register(app)
    return app


def cut(
    who: Both = None,
    leaving: Leaving = None,
    is_plan: IsPlan = False,
    reason: Reason = "",
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Cut two identifiers apart: no path makes them one person until it is lifted.

    Example: stamgast identity cut email:ada@example.com user_id:42 --plan

    Without --plan it is done. An identifier that nobody has seen yet is kept apart, too.
    """
    if leaving and who:
        raise InputError(
            "a cut is of a pair, or of those that leave, not of both at once",
            hint="Say the two, or name each one that leaves with --leaving.",
        )
    if leaving:
        _send("cut", {"leave": leaving}, is_plan, reason, token, stack, json)
        return
    if who is None or len(who) != 2:
        raise InputError(
            "a cut needs two identifiers", hint="Say NAMESPACE:VALUE twice, or --leaving."
        )
    _send("cut", {"pair": who}, is_plan, reason, token, stack, json)


def leave(
    who: Those,
    is_plan: IsPlan = False,
    is_alone: IsAlone = False,
    reason: Reason = "",
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Let identifiers leave their person: every link to those that stay is cut.

    Example: stamgast identity leave anonymous_id:a-1 device_id:7 --plan

    The plan shows, too, whom the next run would join them to. With --alone those links are cut.
    """
    _send("cut", {"leave": who, "alone": is_alone}, is_plan, reason, token, stack, json)


def lift(
    who: Pair,
    is_plan: IsPlan = False,
    reason: Reason = "",
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Lift a cut: what the evidence joins is one person again.

    Example: stamgast identity lift email:ada@example.com user_id:42
    """
    _send("lift", {"pair": list(who)}, is_plan, reason, token, stack, json)


def jobs(job: JobId = None, token: Token = None, stack: Stack = None, json: Json = False) -> None:
    """Show the cuts and lifts that are under way, then those that ended last.

    Example: stamgast identity jobs
    """
    deployment, output = find(stack), Output(is_json=json)
    if job is not None:
        _show(ask(deployment, token, "GET", f"/v1/identity/jobs/{job}"), output, OF_JOB)
        return
    told = ask(deployment, token, "GET", "/v1/identity/jobs")["jobs"]
    names = ("job", "verdict", "state", "at", "by", "pairs", "reason")
    rows = [[_pairs(one) if name == "pairs" else one[name] for name in names] for one in told]
    output.rows(names, rows)


def _send(
    verdict: str,
    body: Mapping[str, Any],
    is_plan: bool,
    reason: str,
    token: str | None,
    stack: str | None,
    json: bool,
) -> None:
    told = {**body, "plan": is_plan, "reason": reason}
    answer = ask(find(stack), token, "POST", f"/v1/identity:{verdict}", json=told)
    _show(answer, Output(is_json=json), OF_REQUEST)


def _show(answer: Mapping[str, Any], output: Output, names: Sequence[str]) -> None:
    """What became of a request or would: the facts of these names, persons, links and the note."""
    if output.is_json:
        output.document(answer)
        return
    told = {name: answer[name] for name in names if answer.get(name)}
    pairs = {name: _pairs(answer, name) for name in PAIRS if told.get(name)}
    output.facts({**told, **pairs})
    if answer.get("persons"):
        output.rows(PERSON, [_person(person) for person in answer["persons"]], title="Persons")
    if answer.get("edges"):
        output.rows(EDGE, [_edge(edge) for edge in answer["edges"]], title="Links")
    if answer.get("next_run"):
        _show_next_run(answer["next_run"], output)
    if answer.get("post_condition"):
        output.facts({"checked": answer["post_condition"]["text"]})
    output.note(answer["note"])


def _show_next_run(told: Mapping[str, Any], output: Output) -> None:
    """Whom the next run joins and by which links; nothing where it joins nobody."""
    if told["joins"]:
        output.rows(JOIN, [_join(join) for join in told["joins"]], title="Joined by the next run")
    if told["joins"] or not told["is_whole"]:
        output.note(told["note"])


PAIRS = ("pairs", "superseded")
OF_REQUEST = ("job", "state", "superseded", "absent")
OF_JOB = ("job", "verdict", "state", "by", "at", "reason", *PAIRS)
PERSON = ("person", "founded", "new", "identifiers", "anchors")
EDGE = ("a", "b", "was", "becomes", "why")
JOIN = ("person", "made of", "identifiers", "by links")


def _person(told: Mapping[str, Any]) -> Sequence[Any]:
    return (
        told["person_id"],
        told["founded_at"],
        "yes" if told["is_new"] else "",
        "\n".join(map(_identifier, told["identifiers"])),
        len(told["anchors"]),
    )


def _join(told: Mapping[str, Any]) -> Sequence[Any]:
    return (
        told["person"]["person_id"],
        "\n".join(told["of"]),
        "\n".join(map(_identifier, told["person"]["identifiers"])),
        "\n".join(map(_link, told["links"])),
    )


def _link(told: Mapping[str, Any]) -> str:
    return f"{_identifier(told['a'])} = {_identifier(told['b'])} ({told['assurance']})"


def _edge(told: Mapping[str, Any]) -> Sequence[Any]:
    a, b = _identifier(told["a"]), _identifier(told["b"])
    return a, b, told["was"], told["becomes"], told["why"]


def _identifier(told: Mapping[str, Any]) -> str:
    return f"{told['namespace']}:{told['value']}" if told["value"] else str(told["key"])


def _pairs(told: Mapping[str, Any], name: str = "pairs") -> str:
    """The pairs of a verdict: two that are not one person, or two of whom that is said no more."""
    sign = " ≠ " if told["verdict"] == "cut" else " = "
    return "\n".join(sign.join(map(_identifier, pair)) for pair in told[name])
