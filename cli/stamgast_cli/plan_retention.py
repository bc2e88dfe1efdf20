"""What the days of a changed workspace would end, asked of the lake and shown."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from stamgast.workspace.model import Workspace
from stamgast_cli.deployment import Deployment
from stamgast_cli.output import Output

ENDING = ("what", "days in force", "planned", "would end", "")


def touches_retention(before: Workspace, after: Workspace) -> bool:
    """Whether anything would end at another time."""
    return before.retention != after.retention


def planned_retention(
    deployment: Deployment, before: Workspace, after: Workspace, output: Output
) -> dict[str, Any]:
    """What is past the planned days now, as a document."""
    from stamgast_cli.previews import lake_of
    from stamgast_lake.retention.plan import planned_endings

    lake = replace(lake_of(deployment), workspace=lambda: after)
    with output.step("counting what is past its days"):
        found = planned_endings(lake, datetime.now(UTC).date())
    had = _days(before)
    return {"retention": [{**asdict(one), "before": had.get(one.name)} for one in found]}


def show_retention(told: dict[str, Any], output: Output) -> None:
    """The table of `planned_retention`, and that nothing brings back what ended."""
    rows = [
        [one["name"], one["before"], one["days"], f"{one['ends']:,}", one["what"]]
        for one in told["retention"]
    ]
    output.rows(ENDING, rows, title="What would end")
    if any(one["ends"] for one in told["retention"]):
        output.note("The first run after it is published takes this out; nothing brings it back.")


def _days(workspace: Workspace) -> dict[str, int]:
    told = workspace.retention
    return {**told.days, **{f"properties.{one.name}": one.days for one in told.classes}}
