"""The catalogue of sources as one self-contained page."""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from stamgast_cli.reports.markup import meter, paragraph, section, style, table, tiles
from stamgast_cli.reports.segment_page import moment
from stamgast_cli.reports.words import share

TEMPLATE = Path(__file__).with_name("sources.html")
MOST_ROWS = 40
Document = Mapping[str, Any]
OVERVIEW = (
    *("source", "freshness", "since", "last seen", "events", "rejected", "duplicates"),
    "keeps the plan",
)
STAGES = {
    "never": "never seen",
    "new": "new",
    "active": "as usual",
    "returned": "back again",
    "late": "late",
    "lapsed": "silent",
}


def page_of(report: Document) -> str:
    """The page of a catalogue."""
    zone, days = report["time_zone"], report["days"]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        style=style(),
        as_of=escape(moment(report["as_of"], zone)),
        made_at=escape(moment(report["made_at"], zone)),
        time_zone=escape(zone),
        span="" if days is None else f"Receipts of the last {days} days.",
        body=_overview(report) + "".join(_source(one, zone) for one in report["sources"]),
    )


def overview_of(report: Document) -> list[list[str]]:
    """A row for each source, with the columns of `OVERVIEW`."""
    return [_row(one, report["time_zone"]) for one in report["sources"]]


def _overview(report: Document) -> str:
    rows = overview_of(report)
    plan = report["plan"]
    says = (
        f"The tracking plan names {len(plan['events'])} events; what it does not name it is told to"
        f" {plan['unplanned'] or 'allow'}."
    )
    caption = "Freshness: a silence longer than the source's own habit explains is late"
    return section("All sources", paragraph(says), table(OVERVIEW, rows, caption))


def _row(source: Document, zone: str) -> list[str]:
    states = source["receipts"]["states"]
    return [
        source["name"] or source["source"],
        freshness_of(source["freshness"]),
        _day(source["first_received_at"], zone),
        _day(source["last_received_at"], zone),
        f"{source['events']:,}",
        share(states["rejected"]["share"]),
        share(states["duplicate"]["share"]),
        share(source["plan"]["kept_share"]),
    ]


def freshness_of(told: Document) -> str:
    """The stage of a source, and how long it has been silent."""
    stage = STAGES[told["stage"]]
    if told["silent_days"] is None:
        return stage
    usual = f", usually {told['usual_days']}" if told["usual_days"] is not None else ""
    return f"{stage} ({told['silent_days']} days silent{usual})"


def _day(at: str | None, zone: str) -> str:
    return "–" if at is None else moment(at, zone)


def _source(source: Document, zone: str) -> str:
    title = f"{source['name'] or source['source']} ({source['source']})"
    if not source["receipts"]["total"]:
        return section(title, paragraph("Nothing of it is in the lake."))
    parts = [
        "" if source["is_in_workspace"] else paragraph("It is not in the workspace's sources."),
        _tiles(source, zone),
        _states(source["receipts"]),
        _events(source, zone),
        _coverage(source),
        _properties(source["properties"]),
        _plan(source["plan"]),
    ]
    return section(title, *parts, is_long=True)


def _tiles(source: Document, zone: str) -> str:
    return tiles(
        [
            (f"{source['receipts']['total']:,}", "receipts"),
            (_day(source["last_received_at"], zone), "last seen"),
            (STAGES[source["freshness"]["stage"]], "freshness"),
            (share(source["plan"]["kept_share"]), "of planned events keep to the plan"),
            (share(_rest(source["without_identifier"]["share"])), "of events name somebody"),
        ]
    )


def _rest(part: float | None) -> float | None:
    return None if part is None else 1 - part


def _states(receipts: Document) -> str:
    rows = [
        [name, f"{one['receipts']:,}", share(one["share"]), meter(one["share"])]
        for name, one in receipts["states"].items()
    ]
    rows += [
        [f"rejected: {one['reason']}", f"{one['receipts']:,}", share(one["share"]), ""]
        for one in receipts["reasons"]
    ]
    return table(("receipts", "count", "share", ""), rows, "What became of every receipt")


def _events(source: Document, zone: str) -> str:
    rows = [
        [
            f"{one['type']}: {one['event']}" if one["event"] else one["type"],
            f"{one['events']:,}",
            share(one["share"]),
            f"{one['last_7_days']:,}",
            f"{one['last_30_days']:,}",
            _day(one["first_event_at"], zone),
            _day(one["last_event_at"], zone),
        ]
        for one in source["event_types"][:MOST_ROWS]
    ]
    names = ("event", "events", "share", "received in 7 days", "in 30 days", "first", "last")
    left = source["event_types_left_out"] + max(0, len(source["event_types"]) - MOST_ROWS)
    return table(names, rows, f"What it sends; {left} more kinds of event are not shown")


def _coverage(source: Document) -> str:
    rows = [[one["namespace"], *_covered(one)] for one in source["identifiers"]]
    rows += [[f"assurance: {name}", *_covered(one)] for name, one in source["assurance"].items()]
    rows += [[f"context: {name}", *_covered(one)] for name, one in source["context"].items()]
    caption = "Identifiers by namespace, assurance and context: the share of events that have them"
    return table(("what", "events", "share", ""), rows, caption)


def _covered(one: Document) -> Iterable[str]:
    return f"{one['events']:,}", share(one["share"]), meter(one["share"])


def _properties(properties: list[Document]) -> str:
    rows = [
        [
            f"{one['event'] or one['type']}: {one['property']}",
            _promise(one),
            ", ".join(f"{name} {count:,}" for name, count in one["types"].items()),
            *_covered(one),
        ]
        for one in properties[:MOST_ROWS]
    ]
    caption = f"Properties, planned ones first; {max(0, len(properties) - MOST_ROWS)} more in JSON"
    return table(("property", "plan", "types", "events", "share", ""), rows, caption, left=3)


def _promise(one: Document) -> str:
    return "required" if one["is_required"] else "planned" if one["is_planned"] else ""


def _plan(plan: Document) -> str:
    rows = [
        [f"{one['event']}: {one['property'] or 'any other'}", one["fault"], *_covered(one)]
        for one in plan["faults"][:MOST_ROWS]
    ]
    rows += [
        [one["event"], "not in the plan", f"{one['events']:,}", "–", ""]
        for one in plan["unplanned_events"][:MOST_ROWS]
    ]
    says = (
        f"{plan['planned']:,} events that the plan names, of which {plan['kept']:,} keep to it;"
        f" {plan['unplanned']:,} tracked events that it does not name;"
        f" {plan['quarantined']:,} receipts that it set aside."
    )
    names = ("event and property", "fault", "events", "share", "")
    caption = "What breaks the plan: missing, of another type, of no listed value, or not declared"
    return paragraph(says) + (table(names, rows, caption, left=2) if rows else "")
