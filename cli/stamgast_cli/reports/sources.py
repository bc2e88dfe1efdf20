"""The catalogue of sources as a document: what each sends, how well, and how it keeps its plan."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stamgast.ingestion.reasons import PLAN_FAULTS
from stamgast.workspace.model import Workspace
from stamgast_cli.errors import InputError
from stamgast_lake.query import LakeSession
from stamgast_lake.reports.quality import plan_counted
from stamgast_lake.reports.scope import newest_moment
from stamgast_lake.reports.sources import (
    CONTEXT,
    FORMS,
    MOST_EVENTS,
    MOST_PROPERTIES,
    Span,
    sources_counted,
)

Document = dict[str, Any]
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
STATES = ("stored", "duplicate", "conflict", "rejected", "suppressed")
ASSURANCES = ("anonymous", "claimed", "verified")
NEVER = "never"


def sources_report(lake: LakeSession, workspace: Workspace, days: int | None = None) -> Document:
    """Every source of the workspace and of the lake, as of the newest run.

    With `days`, receipts of the last so many alone are counted; freshness looks at all.
    """
    as_of = newest_moment(lake)
    if as_of is None:
        raise InputError("no run has finished yet", hint="Start one: stamgast run.")
    since = BEGINNING if days is None else as_of - timedelta(days=days)
    span = Span(as_of.astimezone(UTC), ZoneInfo(workspace.time_zone), since)
    counted = sources_counted(lake, span)
    plan = workspace.tracking_plan
    quality = plan_counted(lake, plan, workspace.time_zone)
    names = sorted({*workspace.sources, *counted})
    return {
        "as_of": span.as_of.isoformat(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "time_zone": workspace.time_zone,
        "days": days,
        "plan": {"events": sorted(plan.get("events", {})), "unplanned": plan.get("unplanned")},
        "sources": [_source(name, workspace, counted.get(name), quality, span) for name in names],
    }


def _source(
    name: str, workspace: Workspace, told: Mapping[str, Any] | None, quality: Any, span: Span
) -> Document:
    declared = workspace.sources.get(name)
    head = {
        "source": name,
        "name": declared.name if declared else None,
        "region": declared.region if declared else None,
        "is_in_workspace": declared is not None,
    }
    told = told or {
        key: []
        for key in ("receipts", "steadiness", "totals", "events", "namespaces", "properties")
    }
    totals = told["totals"][0] if told["totals"] else {}
    events = totals.get("events", 0)
    return {
        **head,
        **_seen(told["steadiness"], totals),
        "freshness": _freshness(told["steadiness"], span),
        "receipts": _receipts(told["receipts"]),
        "events": events,
        "event_types": _event_types(told["events"], events),
        "event_types_left_out": max(0, len(told["events"]) - MOST_EVENTS),
        "identifiers": _identifiers(told["namespaces"], workspace, events),
        "without_identifier": _part(totals.get("without_identifier", 0), events),
        "assurance": {one: _part(totals.get(one, 0), events) for one in ASSURANCES},
        "context": {one: _part(totals.get(f"with_{one}", 0), events) for one in CONTEXT},
        "properties": _properties(told, workspace.tracking_plan),
        "plan": _plan(name, quality, told["receipts"]),
    }


def _identifiers(
    rows: Iterable[Mapping[str, Any]], workspace: Workspace, events: int
) -> list[Document]:
    """How many events have an identifier of each namespace, those of the workspace in order."""
    counts = {row["namespace"]: row["events"] for row in rows}
    names = [space.name for space in workspace.identity.namespaces]
    names += [name for name in counts if name not in names]
    return [{"namespace": name, **_part(counts.get(name, 0), events)} for name in names]


def _part(count: int, of: int) -> Document:
    return {"events": count, "share": count / of if of else None}


def _seen(steadiness: list[Mapping[str, Any]], totals: Mapping[str, Any]) -> Document:
    """Since when a source is known at all, and the first and last event of the span."""
    ever = steadiness[0] if steadiness else {}
    return {
        "first_received_at": _iso(ever.get("first_at")),
        "last_received_at": _iso(ever.get("last_at")),
        "first_event_at": _iso(totals.get("first_event_at")),
        "last_event_at": _iso(totals.get("last_event_at")),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _freshness(rows: list[Mapping[str, Any]], span: Span) -> Document:
    """By the days on which it sent: `late` is a silence longer than its habit explains."""
    names = ("days", "silent_days", "usual_days", "late_after_days", "stage")
    if not rows:
        return {**dict.fromkeys((*names, "silent_hours", "last_on")), "days": 0, "stage": NEVER}
    row = rows[0]
    silent = max(0.0, (span.as_of - row["last_at"]) / timedelta(hours=1))
    return {
        **{name: row[name] for name in names},
        "silent_hours": round(silent, 1),
        "last_on": row["last_on"].isoformat(),
    }


def _receipts(rows: list[Mapping[str, Any]]) -> Document:
    total = sum(row["receipts"] for row in rows)
    states = {
        state: sum(row["receipts"] for row in rows if row["state"] == state) for state in STATES
    }
    return {
        "total": total,
        "states": {
            state: {"receipts": count, "share": count / total if total else None}
            for state, count in states.items()
        },
        "reasons": [
            {
                "reason": row["reason"],
                "receipts": row["receipts"],
                "share": row["receipts"] / total,
            }
            for row in sorted(rows, key=lambda row: -row["receipts"])
            if row["reason"] is not None
        ],
    }


def _event_types(rows: list[Mapping[str, Any]], events: int) -> list[Document]:
    return [
        {
            "type": row["type"],
            "event": row["event"],
            **_part(row["events"], events),
            "last_7_days": row["last_7_days"],
            "last_30_days": row["last_30_days"],
            "first_event_at": _iso(row["first_event_at"]),
            "last_event_at": _iso(row["last_event_at"]),
            "last_received_at": _iso(row["last_received_at"]),
        }
        for row in rows[:MOST_EVENTS]
    ]


def _properties(told: Mapping[str, Any], plan: Mapping[str, Any]) -> list[Document]:
    """Coverage of properties for each type of event: the planned ones, be they absent, then those
    that most of its events have."""
    kinds = told["events"][:MOST_EVENTS]
    return [one for kind in kinds for one in _properties_of(kind, told["properties"], plan)]


def _properties_of(
    kind: Mapping[str, Any], properties: Iterable[Mapping[str, Any]], plan: Mapping[str, Any]
) -> Iterator[Document]:
    of = (kind["type"], kind["event"])
    rows = {row["property"]: row for row in properties if (row["type"], row["event"]) == of}
    planned = _planned(kind, plan)
    names = [*planned, *(name for name in rows if name not in planned)]
    for name in names[: max(MOST_PROPERTIES, len(planned))]:
        yield _property(kind, name, rows.get(name), planned.get(name))


def _planned(kind: Mapping[str, Any], plan: Mapping[str, Any]) -> Mapping[str, Any]:
    event = plan.get("events", {}).get(kind["event"]) if kind["type"] == "track" else None
    properties: Mapping[str, Any] = event["properties"] if event else {}
    return properties


def _property(
    kind: Mapping[str, Any],
    name: str,
    row: Mapping[str, Any] | None,
    planned: Mapping[str, Any] | None,
) -> Document:
    types = {} if row is None else {one: row[f"as_{one}"] for one in FORMS if row[f"as_{one}"]}
    return {
        "type": kind["type"],
        "event": kind["event"],
        "property": name,
        **_part(0 if row is None else row["events"], kind["events"]),
        "types": types,
        "is_planned": planned is not None,
        "is_required": bool(planned and planned["required"]),
    }


def _plan(
    source: str,
    quality: Mapping[str, list[Mapping[str, Any]]],
    receipts: Iterable[Mapping[str, Any]],
) -> Document:
    """Stored events that the plan names, those of them that keep to it, and what the others break;
    beside them what the plan set aside before it was stored."""
    planned = [row for row in quality["planned"] if row["source_id"] == source]
    unplanned = [row for row in quality["unplanned"] if row["source_id"] == source]
    checked = sum(row["events"] for row in planned)
    faulty = sum(row["faulty"] for row in planned)
    faults = [
        {"event": row["event"], "property": of, "fault": fault, **_part(count, row["events"])}
        for row in planned
        for (of, fault), count in row["faults"].items()
    ]
    return {
        "planned": checked,
        "kept": checked - faulty,
        "kept_share": (checked - faulty) / checked if checked else None,
        "quarantined": sum(row["receipts"] for row in receipts if row["reason"] in PLAN_FAULTS),
        "unplanned": sum(row["events"] for row in unplanned),
        "unplanned_events": [
            {"event": row["event"], "events": row["events"]} for row in unplanned[:MOST_EVENTS]
        ],
        "faults": sorted(faults, key=_most_first),
    }


def _most_first(fault: Mapping[str, Any]) -> tuple[int, str, str, str]:
    return -fault["events"], fault["event"], fault["property"] or "", fault["fault"]
