"""What a changed workspace would do to segments and computed traits, asked and shown."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stamgast.moments import ms_of
from stamgast.segments.definitions import computed_traits_of, segments_of
from stamgast.segments.language.windows import Now
from stamgast.workspace.model import Workspace
from stamgast_cli.deployment import Deployment
from stamgast_cli.output import Output

BECAUSE = {
    "new": "a new segment",
    "removed": "no longer in segments.yaml",
    "rule": "its rule, or one that it rests on",
    "traits": "computed traits that it rests on, or the time zone",
}
SEGMENT = ("segment", "in force", "planned", "would enter", "would leave", "because")
TRAIT = ("computed trait", "people with a value", "planned", "another value")


def touches_segments(before: Workspace, after: Workspace) -> bool:
    """Whether any rule, computed trait or the days of windows are others."""
    return _versions(before) != _versions(after)


def _versions(workspace: Workspace) -> tuple[Any, ...]:
    told = (*workspace.segments, *workspace.traits)
    return workspace.time_zone, sorted((one["name"], one["version"]) for one in told)


def planned_segments(
    deployment: Deployment, before: Workspace, after: Workspace, output: Output, most: int
) -> dict[str, Any]:
    """Both versions asked of everybody in the lake at one moment, as a document."""
    from stamgast_cli.previews import lake_of
    from stamgast_lake.rules.planned import Book, planned

    now_ms = ms_of(datetime.now(UTC))

    def book(workspace: Workspace) -> Book:
        rules = [one.rule for one in segments_of(workspace.segments)]
        traits = computed_traits_of(workspace.traits)
        return Book(rules, traits, Now(now_ms, ZoneInfo(workspace.time_zone)))

    with output.step("asking the rules in force and the planned ones of everybody"):
        segments, traits = planned(lake_of(deployment), book(before), book(after), most)
    return {
        "segments": [asdict(one) for one in segments],
        "traits": [asdict(one) for one in traits],
    }


def show_segments(told: dict[str, Any], output: Output) -> None:
    """The tables of `planned_segments`."""
    rows = [
        [
            one["segment"],
            one["before"],
            one["after"],
            one["entering"],
            one["leaving"],
            BECAUSE[one["because"]],
        ]
        for one in told["segments"]
    ]
    if rows:
        output.rows(SEGMENT, rows, title="Segments that change")
    samples = [
        [one["segment"], change, person_id]
        for one in told["segments"]
        for change in ("entering", "leaving")
        for person_id in one[f"{change}_sample"]
    ]
    if samples:
        output.rows(("segment", "change", "person"), samples, title="Some of them")
    traits = [[t["trait"], t["before"], t["after"], t["changed"]] for t in told["traits"]]
    if traits:
        output.rows(TRAIT, traits, title="Computed traits that change")
