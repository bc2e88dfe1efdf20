"""`stamgast identity explain` and `health`: why a person is one, and how identity is doing."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stamgast_cli.commands.asking import Who, ask
from stamgast_cli.deployment import find
from stamgast_cli.explain.page import write_page
from stamgast_cli.explain.tree import tree_of
from stamgast_cli.options import AsOf, Json, Stack, Token
from stamgast_cli.output import Output

Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a page with the graph, too.")
]
Cuts = Annotated[int, typer.Option("--cuts", min=0, max=200, help="How many cuts to try out.")]
Runs = Annotated[int, typer.Option("--runs", min=1, max=50, help="Of how many runs.")]
Details = Annotated[
    bool,
    typer.Option(
        "--details/--live-only",
        help="With the lake's rows: every message, who cut, statistical links.",
    ),
]
FIGURES = ("persons", "identifiers", "largest_person", "cannot_links")


def register(group: typer.Typer) -> None:
    """Add the verbs."""
    group.command("explain")(explain)
    group.command("health")(health)


def explain(
    who: Who,
    as_of: AsOf = None,
    html: Html = None,
    cuts: Cuts = 20,
    details: Details = True,
    token: Token = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Show what holds a person together, its weakest edge, and what each cut would do.

    Example: stamgast identity explain email:ada@example.com --html ada.html

    Values are masked unless the token's fields grant identifiers.
    """
    output, body = Output(is_json=json), {"identifier": who, "cuts": cuts, "details": details}
    if as_of is not None:
        body["as_of"] = as_of
    with output.step("Reading the evidence"):
        answer = ask(find(stack), token, "POST", "/v1/identity:explain", json=body)
    if html:
        write_page(answer, html)
        output.note(f"The picture: {html}")
    if json:
        output.document(answer)
    else:
        output.console.print(tree_of(answer))


def health(runs: Runs = 1, token: Token = None, stack: Stack = None, json: Json = False) -> None:
    """Show how large persons are, what is shared, refused, believed, and how far live has drifted.

    Example: stamgast identity health

    A run measures it: each while there is little evidence, else the first one of a day.
    """
    output = Output(is_json=json)
    told = ask(find(stack), token, "POST", "/v1/identity:health", json={"runs": runs})["runs"]
    if json:
        output.document(told)
        return
    if not told:
        output.note("No run has measured it yet: `stamgast run`.")
    for figures in told:
        _show(figures, output)


def _show(figures: dict[str, Any], output: Output) -> None:
    output.facts(
        {
            "run": f"{figures['run_id']} of {figures['moment']}",
            **{name: figures[name] for name in FIGURES},
            "drift": _drift(figures.get("drift")),
            **{name: figures[name] or "none" for name in ("refused", "off", "links")},
        }
    )
    output.rows(("identifiers", "persons"), list(figures["sizes"].items()), title="Persons by size")
    spaces = figures["by_namespace"].items()
    rows = [[name, *(one[n] for n in ("identifiers", "persons", "most"))] for name, one in spaces]
    output.rows(("namespace", "identifiers", "persons", "most"), rows, title="By namespace")
    names = ("key", "neighbours", "is_off")
    shared = [[one[name] for name in names] for one in figures["shared"]]
    output.rows(names, shared, title="Values with the most neighbours")


def _drift(told: dict[str, Any] | None) -> str:
    if told is None:
        return "not measured"
    ahead = f", {told['ahead']} ahead by events since" if told["ahead"] else ""
    return f"{told['drifting']} of {told['sampled']} sampled ({told['share']:.2%}){ahead}"
