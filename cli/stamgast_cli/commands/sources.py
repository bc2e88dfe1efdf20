"""`stamgast sources`: what each source sends, how fresh and how good it is."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stamgast_cli.deployment import Deployment, find
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import store

Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write a page, and its JSON beside it.")
]
Days = Annotated[
    int | None,
    typer.Option("--days", min=1, help="Count receipts of the last so many days alone."),
]


def group() -> typer.Typer:
    """Return the verbs."""
    told = typer.Typer(help="The catalogue of data sources.", no_args_is_help=True)
    told.command("list")(listed)
    told.command("report")(report)
    return told


def listed(days: Days = None, stack: Stack = None, json: Json = False) -> None:
    """Show every source: how fresh it is, how much it sent, and what was wrong with it.

    Example: stamgast sources list

    Example: stamgast sources list --days 7
    """
    from stamgast_cli.reports.sources_page import OVERVIEW, overview_of

    output = Output(is_json=json)
    told = _catalogue(find(stack), days, output)
    title = f"As of {told['as_of']}, days in {told['time_zone']}"
    output.rows(OVERVIEW, overview_of(told), title=title)


def report(out: Out = None, days: Days = None, stack: Stack = None, json: Json = False) -> None:
    """Tell everything of every source: events, coverage, rejections, quality against the plan.

    Example: stamgast sources report --out sources.html

    Example: stamgast sources report --json
    """
    from stamgast_cli.reports.files import write_report
    from stamgast_cli.reports.sources_page import page_of

    output = Output(is_json=json)
    told = _catalogue(find(stack), days, output)
    if out is not None:
        output.note(f"Report: {write_report(told, page_of(told), out)}")
    if json:
        output.document(told)
    elif out is None:
        _show(told, output)


def _catalogue(deployment: Deployment, days: int | None, output: Output) -> dict[str, Any]:
    from stamgast_cli.lake import opened
    from stamgast_cli.reports.sources import sources_report

    workspace = store(deployment).current()
    with output.step("counting what sources sent"), opened(deployment) as lake:
        return sources_report(lake, workspace, days)


def _show(told: dict[str, Any], output: Output) -> None:
    from stamgast_cli.reports.sources_page import OVERVIEW, overview_of
    from stamgast_cli.reports.words import share

    title = f"As of {told['as_of']}, days in {told['time_zone']}"
    output.rows(OVERVIEW, overview_of(told), title=title)
    kinds = [
        [source["source"], one["event"] or one["type"], f"{one['events']:,}", share(one["share"])]
        for source in told["sources"]
        for one in source["event_types"]
    ]
    output.rows(("source", "event", "events", "share"), kinds, title="What they send")
    covered = [
        [source["source"], one["namespace"], f"{one['events']:,}", share(one["share"])]
        for source in told["sources"]
        for one in source["identifiers"]
        if one["events"]
    ]
    output.rows(("source", "identifier", "events", "share"), covered, title="Whom they name")
    faults = [
        [
            source["source"],
            one["event"],
            one["property"] or "any other",
            one["fault"],
            f"{one['events']:,}",
        ]
        for source in told["sources"]
        for one in source["plan"]["faults"]
    ]
    output.rows(
        ("source", "event", "property", "fault", "events"), faults, title="Against the plan"
    )
