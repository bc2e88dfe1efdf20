"""`stamgast segment`: who is meant by a rule, how many that is, and what a change would do."""

import typer

from stamgast.segments.definitions import Segment, segments_of
from stamgast_cli.commands.segment_explaining import explain
from stamgast_cli.commands.segment_export import export
from stamgast_cli.commands.segment_preview import preview
from stamgast_cli.commands.segment_report import report
from stamgast_cli.deployment import find
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import store


def group() -> typer.Typer:
    """Return the verbs."""
    made = typer.Typer(help="Who belongs where, and what a rule would do.", no_args_is_help=True)
    made.command("list")(listed)
    made.command("preview")(preview)
    made.command("explain")(explain)
    made.command("export")(export)
    made.command("report")(report)
    return made


def listed(stack: Stack = None, json: Json = False) -> None:
    """Show the segments in force, and how many were in each after the newest run.

    Example: stamgast segment list
    """
    # The engine takes longer to load than most verbs to run.
    from stamgast_cli.lake import opened
    from stamgast_lake.tables import MEMBERSHIPS

    deployment, output = find(stack), Output(is_json=json)
    sql = "select segment, count(*) as people from memberships_current group by segment"
    with output.step("counting members"), opened(deployment) as lake:
        lake.settle(MEMBERSHIPS)
        sizes = {row["segment"]: row["people"] for row in lake.rows(sql)}
    rows = [
        [one.name, sizes.get(one.name, 0), _freshness(one), one.purpose, one.text.strip()]
        for one in segments_of(store(deployment).current().segments)
    ]
    output.rows(("segment", "people", "fresh", "purpose", "rule"), rows)


def _freshness(segment: Segment) -> str:
    return "live" if segment.is_live else f"at runs: {segment.why_not_live}"
