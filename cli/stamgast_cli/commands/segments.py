"""`stamgast segment`: who is meant by a rule, how many that is, and what a change would do."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from stamgast.moments import iso_of, ms_of
from stamgast.segments.definitions import Segment, computed_traits_of, segments_of
from stamgast.segments.language.windows import Now
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_cli.commands.segment_report import report
from stamgast_cli.deployment import find
from stamgast_cli.errors import InputError
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import compile_folder, store

Name = Annotated[str, typer.Argument(help="The segment's name in segments.yaml.")]
Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="A folder of YAML whose rules are asked instead of those set."),
]
Most = Annotated[int, typer.Option("--sample", min=0, max=100, help="How many members to show.")]


def group() -> typer.Typer:
    """Return the verbs."""
    made = typer.Typer(help="Who belongs where, and what a rule would do.", no_args_is_help=True)
    made.command("list")(listed)
    made.command("preview")(preview)
    made.command("report")(report)
    return made


def listed(stack: Stack = None, json: Json = False) -> None:
    """Show the segments in force, and how many were in each after the newest run.

    Example: stamgast segment list
    """
    # The engine takes longer to load than most verbs to run.
    from stamgast_cli.lake import select

    deployment, output = find(stack), Output(is_json=json)
    sql = "select segment, count(*) from memberships_current group by segment"
    with output.step("counting members"):
        sizes: dict[str, int] = dict(select(deployment, sql)[1])
    rows = [
        [one.name, sizes.get(one.name, 0), one.purpose, one.text.strip()]
        for one in segments_of(store(deployment).current().segments)
    ]
    output.rows(("segment", "people", "purpose", "rule"), rows)


def preview(
    name: Name, folder: Folder = None, sample: Most = 5, stack: Stack = None, json: Json = False
) -> None:
    """Show how many a segment means, whom it reaches, and who would enter or leave; write nothing.

    Example: stamgast segment preview slowing_down --folder workspace

    The rules in force are asked, or those of a folder before it is published.
    """
    from stamgast_cli.previews import lake_of
    from stamgast_lake.rules.preview import Question, preview_segment

    output, deployment = Output(is_json=json), find(stack)
    in_force = store(deployment).current()
    workspace = in_force if folder is None else workspace_of(compile_folder(folder))
    segments = segments_of(workspace.segments)
    meant = _meant(name, segments)
    zone = ZoneInfo(workspace.time_zone)
    question = Question(
        name,
        [one.rule for one in segments],
        computed_traits_of(workspace.traits),
        meant.purpose,
        Now(ms_of(datetime.now(UTC)), zone),
    )
    lake = replace(lake_of(deployment), workspace=lambda: workspace)
    with output.step(f"asking {len(segments)} rules of everybody"):
        found = preview_segment(lake, question, sample)
    if json:
        output.document({**asdict(found), "at": iso_of(found.at_ms), "rule": meant.text})
    else:
        _show(found, meant, workspace, output)


def _meant(name: str, segments: tuple[Segment, ...]) -> Segment:
    found = next((one for one in segments if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in segments) or "none"
        raise InputError(f"no segment is called {name!r}", hint=f"There are: {known}.")
    return found


def _show(found: Any, meant: Segment, workspace: Workspace, output: Output) -> None:
    share = f" ({found.size / found.population:.1%})" if found.population else ""
    told = {
        "rule": meant.text.strip(),
        "as of": f"{iso_of(found.at_ms)}, days in {workspace.time_zone}",
        "people": f"{found.size:,} of {found.population:,}{share}",
        "would enter": f"{found.entering:,}",
        "would leave": f"{found.leaving:,}",
    }
    if found.consented is not None:
        told[f"allow {meant.purpose}"] = f"{found.consented:,}"
    output.facts(told)
    reached = [[name, people] for name, people in found.reached.items()]
    output.rows(("identifier", "people who have one"), reached)
    overlaps = [
        [one.segment, one.size, one.both, None if one.lift is None else round(one.lift, 2)]
        for one in found.overlaps
    ]
    output.rows(("other segment", "people", "in both", "against chance"), overlaps)
    rows = [[one["person_id"], one["rfm"], one["orders"], one["last_at"]] for one in found.sample]
    output.rows(("person", "rfm", "orders", "last event"), rows, title="Some of them")
