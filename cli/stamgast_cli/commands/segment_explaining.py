"""`stamgast segment explain`: why somebody is in a segment now, and was at the last run."""

from typing import Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from stamgast_cli.commands.asking import Who, ask
from stamgast_cli.deployment import find
from stamgast_cli.options import Json, Stack, Token
from stamgast_cli.output import Output

Name = Annotated[str, typer.Argument(help="The segment's name in segments.yaml.")]
SIGNS = {True: "✓", False: "✗", None: "?"}


def explain(
    name: Name, who: Who, token: Token = None, stack: Stack = None, json: Json = False
) -> None:
    """Show why somebody is in a segment or is not: what decides, what it saw, what would flip it.

    Example: stamgast segment explain slowing_down email:ada@example.com

    It is read at this moment, live events included; what the last run published stands beside it.
    """
    output = Output(is_json=json)
    body = {"segment": name, "identifier": who}
    with output.step("Reading the person"):
        answer = ask(find(stack), token, "POST", "/v1/segments:explain", json=body)
    if json:
        output.document(answer)
        return
    output.facts(_facts(answer))
    tree = Tree(Text("What decides" if answer["is_in"] else "What keeps them out"))
    _grow(tree, answer)
    output.console.print(tree)


def _facts(answer: dict[str, Any]) -> dict[str, Any]:
    member, events = answer["membership"], answer["events"]
    run = member["last_run"]
    since = f" since {member['since']}" if member["since"] else ""
    return {
        "segment": f"{answer['segment']}: {answer['rule']}",
        "person": answer["person_id"],
        "now": f"{'in' if answer['is_in'] else 'not in'}, as of {answer['as_of']}, "
        f"days in {answer['time_zone']}, rule {answer['rule_version']}",
        "published": f"{'in' if member['is_in'] else 'not in'}{since}, "
        f"rule {member['rule_version'] or '–'}; last run {run['moment'] if run else 'never'}",
        "events read": f"{events['read']}, {events['only_live']} of them since the last run",
    }


def _grow(tree: Tree, told: dict[str, Any]) -> None:
    for reason in told["reasons"]:
        sign = SIGNS[reason["verdict"]]
        branch = tree.add(Text(f"{sign} {reason['condition']}"))
        for seen in reason["seen"]:
            value = "hidden from this token" if seen["is_hidden"] else _value(seen["value"])
            branch.add(Text(f"saw {seen['what']}: {value}", style="dim"))
        branch.add(Text(f"would flip it: {reason['would_flip']}"))
        if reason["behind"]:
            _grow(branch, reason["behind"])


def _value(value: Any) -> str:
    return "unknown" if value is None else str(value)
