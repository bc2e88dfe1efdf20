"""What a changed tracking plan would have done with the events of the last thirty days."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from stamgast.ingestion.tracking_plan import Action, TrackingPlan, tracking_plan_of
from stamgast.workspace.model import Workspace
from stamgast_cli.deployment import Deployment
from stamgast_cli.output import Output

DAYS, MOST_EVENTS = 30, 100_000
NEWEST = """
    select event, properties, products is not null as has_lines from events
    where type = 'track' and event is not null and event_at >= cast('{since}' as timestamptz)
    order by event_at desc limit {most}
"""
COLUMNS = ("event", "events", "flagged", "would be", "set aside", "would be", "faults")


def touches_plan(before: Workspace, after: Workspace) -> bool:
    """Whether the tracking plan is another one."""
    return before.tracking_plan != after.tracking_plan


def planned_events(
    deployment: Deployment, before: Workspace, after: Workspace, output: Output
) -> dict[str, Any]:
    """Both plans asked of the newest track calls in the lake, counted by event, as a document.

    What the plan in force set aside is not in the lake, so those events are not asked again.
    """
    from stamgast_cli.lake import opened

    since = (datetime.now(UTC) - timedelta(days=DAYS)).isoformat(timespec="seconds")
    with (
        output.step("asking the planned tracking plan of recent events"),
        opened(deployment) as lake,
    ):
        rows = lake.rows(NEWEST.format(since=since, most=MOST_EVENTS))
    told = judged_by(
        map(event_of, rows),
        tracking_plan_of(before.tracking_plan),
        tracking_plan_of(after.tracking_plan),
    )
    return {"tracking_plan": {"events": len(rows), "days": DAYS, "by_event": told}}


def event_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The call as ingestion saw it, as far as the plan is concerned."""
    properties = orjson.loads(row["properties"]) if row["properties"] else {}
    if row["has_lines"]:
        properties.setdefault("products", [])
    return {"type": "track", "event": row["event"], "properties": properties}


def judged_by(
    events: Iterator[dict[str, Any]], before: TrackingPlan, after: TrackingPlan
) -> list[dict[str, Any]]:
    """By event, how many either plan flags and sets aside; those alone for which they differ."""
    counts: dict[str, Counter[str]] = {}
    faults: dict[str, Counter[str]] = {}
    for event in events:
        counted = counts.setdefault(event["event"], Counter())
        counted["events"] += 1
        for name, plan in (("before", before), ("after", after)):
            found = plan.judge(event)
            worst = max((action for action, _, _ in found), default=Action.ALLOW)
            counted[f"{name}_{worst.name.lower()}"] += 1
            if plan is after:
                told = (f"{code}:{path}" for _, code, path in found)
                faults.setdefault(event["event"], Counter()).update(told)
    return [_row(name, told, faults[name]) for name, told in sorted(counts.items()) if _moves(told)]


def _moves(counted: Counter[str]) -> bool:
    return any(
        counted[f"before_{one}"] != counted[f"after_{one}"] for one in ("flag", "quarantine")
    )


def _row(name: str, counted: Counter[str], faults: Counter[str]) -> dict[str, Any]:
    return {
        "event": name,
        "events": counted["events"],
        "flagged": counted["before_flag"],
        "would_be_flagged": counted["after_flag"],
        "quarantined": counted["before_quarantine"],
        "would_be_quarantined": counted["after_quarantine"],
        "faults": dict(faults.most_common(5)),
    }


def show_events(told: Mapping[str, Any], output: Output) -> None:
    """The table of `planned_events`."""
    found = told["tracking_plan"]
    rows = [
        [*list(one.values())[:-1], "\n".join(f"{f}: {n:,}" for f, n in one["faults"].items())]
        for one in found["by_event"]
    ]
    output.facts({"track calls looked at": f"{found['events']:,} of the last {DAYS} days"})
    if rows:
        output.rows(COLUMNS, rows, title="Events that the tracking plan would treat otherwise")
    else:
        output.note("The tracking plan would treat none of them otherwise.")
