"""A segment's report as one self-contained page: no script, no font, no picture from elsewhere."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

from stamgast_cli.reports.markup import (
    bullets,
    interval,
    paragraph,
    section,
    style,
    table,
    tiles,
)
from stamgast_cli.reports.segment_pictures import PICTURES
from stamgast_cli.reports.words import band_of, count, money, share, title_of

TEMPLATE = Path(__file__).with_name("segment.html")
Document = Mapping[str, Any]
MOST_ROWS = {"traits": 30, "categories": 20, "products": 15}
COMPARED = ("what", "in the segment", "in everyone", "lift", "interval", "")
SECTIONS = {
    "traits": "Traits that distinguish them",
    "categories": "Categories that they buy more or less of",
    "products": "Products that they buy more or less of",
}


def page_of(report: Document) -> str:
    """The page of a report."""
    weeks = report["weeks"]
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(report["title"]),
        description=escape(report["description"]),
        style=style(),
        as_of=escape(moment(report["as_of"], report["time_zone"])),
        time_zone=escape(report["time_zone"]),
        **{"from": escape(weeks["from"]), "to": escape(weeks["to"])},
        least=report["least_people"],
        stale=_stale(report),
        rule=escape(report["rule"]),
        body="".join(_body(report)),
        footer=_footer(report),
    )


def moment(at: str, zone: str) -> str:
    """A moment in a time zone, to the minute."""
    return f"{datetime.fromisoformat(at).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def _stale(report: Document) -> str:
    if report["is_as_the_rule_stands"]:
        return ""
    return ' <span class="amber">The rule has changed since; the next run asks it.</span>'


def _hours(report: Document) -> Iterator[str]:
    """The hours at which people are about, and how many are left blank; of none no picture."""
    told = report["persona"]["numbers"]["segment"]
    if told["hours"]:
        yield PICTURES["hours"](report)
    if told["suppressed_hours"]:
        yield paragraph(
            f"{told['suppressed_hours']} of the 168 hours of a week are withheld, in which fewer"
            f" than {report['least_people']} people were about."
        )


def _footer(report: Document) -> str:
    made = moment(report["made_at"], report["time_zone"])
    version = escape(report["rule_version"])
    return f"Rule version {version}. Made at {made}. Every figure is in the JSON of this report."


def _body(report: Document) -> Iterator[str]:
    if report["is_suppressed"]:
        least = report["least_people"]
        yield section(
            "Withheld", paragraph(f"The segment has fewer than {least} people: no figure is shown.")
        )
        return
    yield _tiles(report)
    yield section("Persona", bullets(report["persona"]["words"]), *_hours(report))
    yield _over_time(report)
    for family, title in SECTIONS.items():
        yield _family(report, family, title)
    yield _conversion(report)


def _tiles(report: Document) -> str:
    numbers, size = report["persona"]["numbers"]["segment"], report["size"]
    currency = report["currency"]
    return tiles(
        [
            (count(size["segment"]), f"people, {share(size['share'])} of {size['everyone']:,}"),
            (money(numbers["revenue_minor"], currency), "revenue in these weeks"),
            (count(numbers["orders"]), "orders in these weeks"),
            (money(numbers["median_basket_minor"], currency), "typical basket of a buyer"),
            (count(numbers["median_usual_days"]), "days usually between orders"),
        ]
    )


def _over_time(report: Document) -> str:
    return section(
        "Over time",
        paragraph("Size, as the log of memberships tells it: it begins with the first run."),
        PICTURES["size"](report),
        _changes(report),
        paragraph(
            "Activity, revenue and channels of those who are members now, as far back as their"
            " events go. They were chosen with hindsight: a rule about the past explains the past."
        ),
        PICTURES["activity"](report),
        PICTURES["channels"](report),
        _channels(report),
        is_long=True,
    )


def _changes(report: Document) -> str:
    least = report["least_people"]
    rows = [
        [row["day"], *(_few(row[name], least) for name in ("entered", "left", "size"))]
        for row in report["size_over_time"]["segment"][-10:]
    ]
    return table(("day", "entered", "left", "size"), rows, "The last days on which it changed")


def _few(value: int | None, least: int) -> str:
    return count(value, is_suppressed=True, least=least)


def _channels(report: Document) -> str:
    least, everyone = report["least_people"], _by_name(report, "everyone")
    told = report["channels"]["segment"]
    total = {
        group: sum(row["events"] for row in report["channels"][group]["rows"])
        for group in ("segment", "everyone")
    }
    rows = []
    for row in told["rows"]:
        other = everyone.get(row["channel"])
        rows.append(
            [
                row["channel"],
                f"{row['people']:,}",
                f"{row['events']:,}",
                share(row["events"] / total["segment"]),
                share(other["events"] / total["everyone"]) if other else "–",
                _few(row["orders"], least),
                money(row["revenue_minor"], report["currency"]),
            ]
        )
    names = ("channel", "people", "events", "share", "of everyone's", "orders", "revenue")
    return table(names, rows, f"Channels of the segment; {told['suppressed']} withheld")


def _by_name(report: Document, group: str) -> dict[str, Any]:
    return {row["channel"]: row for row in report["channels"][group]["rows"]}


def _family(report: Document, family: str, title: str) -> str:
    told = report[family]
    rows = told["rows"]
    shown = [row for row in rows if row["is_distinguishing"]][: MOST_ROWS[family]]
    found = sum(row["is_distinguishing"] for row in rows)
    says = (
        f"{len(rows):,} compared, {found:,} distinguish the segment from everybody else;"
        f" {told['suppressed']:,} withheld for fewer than {report['least_people']} people."
    )
    if told["left_out"]:
        says += f" {told['left_out']:,} that fewest people have were not compared."
    caption = f"The surest differences first, {len(shown)} of {found}; dashed: no difference"
    told_rows = [_compared(row) for row in shown]
    return section(
        title,
        paragraph(says),
        table(COMPARED, told_rows, caption) if shown else "",
        paragraph(_method(report), is_note=True) if family == "traits" else "",
        is_long=True,
    )


def _compared(row: Document) -> list[str]:
    return [
        f"{title_of(row)} {band_of(row)}" + (" (in the rule)" if row["is_of_the_rule"] else ""),
        f"{row['segment']:,} ({share(row['segment_share'])})",
        f"{row['everyone']:,} ({share(row['everyone_share'])})",
        f"×{row['lift']:.2f}",
        f"{row['lift_low']:.2f}–{row['lift_high']:.2f}",
        interval(row["lift"], row["lift_low"], row["lift_high"]),
    ]


def _method(report: Document) -> str:
    method = report["method"]
    return (
        f"Lift: {method['lift']}. Interval: {method['interval']}. Test: {method['test']}."
        f" Many comparisons: {method['multiplicity']}. What the rule itself speaks of is marked:"
        " that it differs is no discovery."
    )


def _conversion(report: Document) -> str:
    told = report["conversion"]
    says = (
        f"A journey is what one person does until {told['event']}, or until nothing came for"
        f" {told['silence_days']} days: then it stopped. What may still go on counts as neither."
    )
    parts = [paragraph(says), _outcomes(report)]
    if told["common_steps"]:
        parts.append(paragraph("Of the journeys that took the first common step:"))
        parts.append(PICTURES["conversion"](report))
    parts += [_steps(report, group) for group in ("segment", "everyone")]
    parts.append(_paths(report))
    return section("Paths to conversion", *parts, is_long=True)


def _outcomes(report: Document) -> str:
    least, rows = report["least_people"], []
    for group in ("segment", "everyone"):
        told = report["conversion"][group]
        counts = (told["outcomes"][name]["journeys"] for name in ("converted", "stopped", "open"))
        direct = told["outcomes"]["converted"]["without_step"]
        shown = [_few(one, least) for one in (*counts, direct)]
        rows.append([group, *shown, share(told["conversion_rate"])])
    names = ("journeys of", "converted", "stopped", "still open", "without a step", "rate")
    return table(names, rows, "What became of journeys; without a step: conversion came first")


def _steps(report: Document, group: str) -> str:
    least = report["least_people"]
    rows = [
        [
            row["step"],
            share(row["converted_share"]),
            share(row["stopped_share"]),
            share(row["conversion_rate"]),
            _few(row["stopped_here"], least),
        ]
        for row in report["conversion"][group]["steps"]
        if row["step"] is not None
    ][:12]
    names = ("step", "of converted", "of stopped", "convert after it", "stopped right after it")
    caption = f"Steps that converters share, and where others stop: {group}"
    return table(names, rows, caption) if rows else ""


def _paths(report: Document) -> str:
    rows = [
        [
            row["outcome"],
            " → ".join(row["path"]) + (" → …" if row["is_cut"] else "") or "(no step before)",
            f"{row['journeys']:,}",
            f"{row['people']:,}",
            share(row["share"]),
        ]
        for row in report["conversion"]["segment"]["paths"]
    ]
    names = ("outcome", "path", "journeys", "people", "share of the outcome")
    return table(names, rows, "The segment's most common paths", left=2) if rows else ""
