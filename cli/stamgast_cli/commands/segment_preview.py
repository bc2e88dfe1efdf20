"""`stamgast segment preview`: what a segment would be, computed over the lake on this machine."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from stamgast.moments import iso_of, ms_of
from stamgast.segments.definitions import Segment, computed_traits_of, segments_of
from stamgast.segments.language.windows import Now
from stamgast.segments.trying import NAMELESS, Tried, tried
from stamgast.workspace.model import Workspace, models_in, purposes_in, workspace_of
from stamgast_cli.deployment import find
from stamgast_cli.errors import InputError
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import compile_folder, store

Name = Annotated[
    str | None, typer.Argument(help="The segment's name in segments.yaml; none with --rule alone.")
]
Rule = Annotated[
    str | None,
    typer.Option("--rule", help="A rule that is tried, in the place of the segment's own."),
]
Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="A folder of YAML whose rules are asked instead of those set."),
]
Purpose = Annotated[
    str | None,
    typer.Option("--purpose", help="How many allow this; left out: the segment's own purpose."),
]
Most = Annotated[int, typer.Option("--sample", min=0, max=100, help="How many people to show.")]
SOMEONE = ("person", "rfm", "orders", "last event")


def preview(
    name: Name = None,
    rule: Rule = None,
    folder: Folder = None,
    purpose: Purpose = None,
    sample: Most = 5,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Show how many a segment means, whom it reaches, and who would enter or leave; write nothing.

    Example: stamgast segment preview slowing_down --folder workspace

    The rules in force are asked, or those of a folder before it is published. With --rule a text
    is tried: stamgast segment preview --rule "orders.total_365d > 300" --purpose email
    """
    from stamgast_cli.previews import lake_of
    from stamgast_lake.rules.preview import Question, preview_segment

    output, deployment = Output(is_json=json), find(stack)
    in_force = store(deployment).current()
    workspace = in_force if folder is None else workspace_of(compile_folder(folder))
    meant = _meant(name, segments_of(workspace.segments)) if name else None
    asked = _tried(meant, name, rule, workspace)
    question = Question(
        name=asked.name,
        rules=asked.rules,
        traits=computed_traits_of(workspace.traits),
        purpose=purpose or (meant.purpose if meant else None),
        now=Now(ms_of(datetime.now(UTC)), ZoneInfo(workspace.time_zone)),
        against=name,
    )
    lake = replace(lake_of(deployment), workspace=lambda: workspace)
    with output.step(f"asking {len(asked.rules)} rules of everybody"):
        found = preview_segment(lake, question, sample)
    if json:
        output.document({**asdict(found), "at": iso_of(found.at_ms), "rule": asked.text})
    else:
        _show(found, asked, workspace, output)


def _meant(name: str, segments: tuple[Segment, ...]) -> Segment:
    found = next((one for one in segments if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in segments) or "none"
        raise InputError(f"no segment is called {name!r}", hint=f"There are: {known}.")
    return found


def _tried(
    meant: Segment | None, name: str | None, rule: str | None, workspace: Workspace
) -> Tried:
    if meant is None and rule is None:
        raise InputError("say a segment, a rule, or both", hint="stamgast segment list")
    traits = computed_traits_of(workspace.traits)
    segments = segments_of(workspace.segments)
    names = models_in(workspace), purposes_in(workspace)
    told = tried(name or NAMELESS, rule, segments, traits, *names)
    if not isinstance(told, Tried):
        raise InputError(
            "; ".join(str(fault) for fault in told), hint="See docs/segments-language.md."
        )
    return told


def _show(found: Any, asked: Tried, workspace: Workspace, output: Output) -> None:
    share = f" ({found.size / found.population:.1%})" if found.population else ""
    run = found.last_run["moment"] if found.last_run else "no run yet"
    told = {
        "rule": asked.text.strip(),
        "as of": f"{iso_of(found.at_ms)}, days in {workspace.time_zone}; data of the run of {run}",
        "people": f"{found.size:,} of {found.population:,}{share}",
    }
    if found.change is not None:
        told |= {
            "in now": f"{found.change.size:,}",
            "would enter": f"{found.change.entering:,}",
            "would leave": f"{found.change.leaving:,}",
        }
    if found.consented is not None:
        told[f"allow {found.purpose}"] = f"{found.consented:,}"
    output.facts(told)
    _show_reach(found, output)
    overlaps = [
        [one.segment, one.size, one.both, None if one.lift is None else round(one.lift, 2)]
        for one in found.overlaps
    ]
    output.rows(("other segment", "people", "in both", "against chance"), overlaps)
    output.rows(SOMEONE, _people(found.sample), title="Some of them")
    if found.change is not None:
        output.rows(SOMEONE, _people(found.change.entering_sample), title="Some who would enter")
        output.rows(SOMEONE, _people(found.change.leaving_sample), title="Some who would leave")


def _show_reach(found: Any, output: Output) -> None:
    names: tuple[str, ...] = ("identifier", "people who have one")
    rows = [[name, people] for name, (people, _) in found.reached.items()]
    if found.purpose is not None:
        names = (*names, f"and allow {found.purpose}")
        rows = [[*row, told[1]] for row, told in zip(rows, found.reached.values(), strict=True)]
    output.rows(names, rows)


def _people(people: tuple[Any, ...]) -> list[list[Any]]:
    return [
        [one.person_id, one.rfm, one.orders, None if one.last_ms is None else iso_of(one.last_ms)]
        for one in people
    ]
