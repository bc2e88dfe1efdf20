"""The demo report's pictures, as SVG that stands in the page itself."""

from collections import Counter
from collections.abc import Callable
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes

from stamgast_cli.drawing import FAINT, HISTORY, INK, LINE, LIVE, axes_of, svg_of, thousands
from stamgast_cli.explain.graph import picture_of

STATE_COLOURS = {
    "stored": "#2f8f6b",
    "duplicate": "#8aa0b8",
    "conflict": "#c77d0a",
    "rejected": "#c0392b",
    "suppressed": "#5b4b8a",
}
STAGES = ("prospect", "new", "active", "returned", "late", "lapsed")
SOURCES = {"shop": ("imported history", HISTORY), "server": ("sent live", LIVE)}


def events(report: dict[str, Any]) -> str:
    """Events by the hour of the day, and by week."""
    with axes_of(11, 3.3, 2) as (figure, (by_hour, by_week)):
        _stacked(by_hour, report["events"]["hours"], "hour")
        by_hour.set_title("By hour of the day", loc="left", fontsize=11)
        by_hour.set_xticks(range(0, 24, 3), [f"{hour:02d}:00" for hour in range(0, 24, 3)])
        _stacked(by_week, report["events"]["weeks"], "week")
        weeks = sorted({row["week"] for row in report["events"]["weeks"]})
        by_week.set_title("By week", loc="left", fontsize=11)
        shown = range(0, len(weeks), 13)
        by_week.set_xticks(shown, [weeks[n] for n in shown])
        by_week.legend(
            frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0.45, 0.98), ncols=2
        )
        return svg_of(figure, "Events by the hour of the day and by week, imported and live")


def _stacked(axes: Axes, rows: list[dict[str, Any]], name: str) -> None:
    places = sorted({row[name] for row in rows})
    bottom = Counter[Any]()
    for source, (label, colour) in SOURCES.items():
        counts = {row[name]: row["events"] for row in rows if row["source"] == source}
        heights = [counts.get(place, 0) for place in places]
        xs = range(len(places))
        axes.bar(xs, heights, 0.82, [bottom[p] for p in places], color=colour, label=label)
        bottom.update(counts)
    axes.yaxis.set_major_formatter(thousands)
    axes.grid(axis="y", color=LINE)


def states(report: dict[str, Any]) -> str:
    """Receipts by the hour of their arrival and their state, each with its number."""
    rows = report["events"]["arrivals"]
    hours = sorted({row["hour"] for row in rows})
    pairs = [
        (hour, state)
        for hour in hours
        for state in STATE_COLOURS
        if any(row["hour"] == hour and row["state"] == state for row in rows)
    ]
    counts = {(row["hour"], row["state"]): row["receipts"] for row in rows}
    with axes_of(11, 0.5 + 0.36 * len(pairs)) as (figure, axes):
        for place, (hour, state) in enumerate(reversed(pairs)):
            count = counts[hour, state]
            axes.barh(place, count, 0.62, color=STATE_COLOURS[state])
            axes.text(count * 1.08, place, f"{count:,}", va="center", fontsize=10)
        labels = [f"{state}   {hour} UTC" for hour, state in reversed(pairs)]
        axes.set_yticks(range(len(pairs)), labels)
        axes.set_xscale("log")
        axes.set_xlim(1, max(counts.values(), default=10) * 6)
        axes.grid(axis="x", color=LINE)
        axes.set_xlabel("receipts (logarithmic)")
        return svg_of(figure, "Receipts by hour of arrival and state; each bar has its number")


def persons(report: dict[str, Any]) -> str:
    """Households and persons found side by side, and how well their identifiers agree."""
    told = report["persons"]
    bars = [
        ("households (generated truth)", told["households"], FAINT),
        ("persons found", told["persons"], HISTORY),
        ("households found exactly", told["exact"], STATE_COLOURS["stored"]),
    ]
    with axes_of(11, 2.3, 2, width_ratios=[3, 2]) as (figure, (counts, shares)):
        for place, (label, count, colour) in enumerate(reversed(bars)):
            counts.barh(place, count, 0.6, color=colour)
            counts.text(count, place, f"  {count:,}", va="center")
            counts.text(0, place + 0.4, label, fontsize=9, color=FAINT)
        counts.set_yticks([])
        counts.set_xlim(0, max(count for _, count, _ in bars) * 1.15)
        counts.grid(axis="x", color=LINE)
        _shares(shares, told)
        return svg_of(figure, "Households, persons found, and how well their identifiers agree")


def _shares(axes: Axes, told: dict[str, Any]) -> None:
    for place, name in enumerate(("recall", "precision")):
        axes.barh(place, 1, 0.5, color=LINE)
        axes.barh(place, told[name], 0.5, color=STATE_COLOURS["stored"])
        axes.text(0, place + 0.36, f"pair {name}", fontsize=9, color=FAINT)
        axes.text(1.02, place, f"{told[name]:.2%}", va="center", fontsize=12, weight="bold")
    axes.set_xlim(0, 1.25)
    axes.set_axis_off()


def health(report: dict[str, Any]) -> str:
    """Persons by how many identifiers they have, and what keeps evidence from joining."""
    told = report["health"]
    with axes_of(11, 2.9, 2, width_ratios=[3, 2]) as (figure, (sizes, held)):
        names, counts = list(told["sizes"]), list(told["sizes"].values())
        sizes.bar(range(len(names)), counts, 0.7, color=HISTORY)
        for place, count in enumerate(counts):
            sizes.text(place, count * 1.06, f"{count:,}", ha="center", fontsize=9)
        sizes.set_xticks(range(len(names)), names)
        sizes.set_yscale("log")
        sizes.set_ylim(0.7, max(counts, default=1) * 4)
        sizes.set_title(
            "Persons by their number of identifiers (logarithmic)", loc="left", fontsize=11
        )
        _held(held, told)
        return svg_of(
            figure,
            "Persons by how many identifiers they have, and what keeps evidence from joining",
        )


def _held(axes: Axes, told: dict[str, Any]) -> None:
    rows = [
        (f"off: {name}", count, STATE_COLOURS["conflict"]) for name, count in told["off"].items()
    ]
    refused = STATE_COLOURS["rejected"]
    rows += [(f"refused: {name}", count, refused) for name, count in told["refused"].items()]
    for place, (_, count, colour) in enumerate(reversed(rows)):
        axes.barh(place, count, 0.6, color=colour)
        axes.text(count, place, f"  {count:,}", va="center", fontsize=9)
    labels = [name.replace("_", " ") for name, _, _ in reversed(rows)]
    axes.set_yticks(range(len(rows)), labels)
    axes.set_xlim(0, max((count for _, count, _ in rows), default=1) * 1.25)
    axes.set_title("Values and edges that do not join", loc="left", fontsize=11)


def explained(report: dict[str, Any]) -> str:
    """The evidence of one person as a graph."""
    return picture_of(report["explained"])


def rfm(report: dict[str, Any]) -> str:
    """The grid of recency and value with its named cells, and what each group spent."""
    cells = {(cell["r"], cell["value"]): cell for cell in report["segments"]["grid"]}
    counts = [
        [cells.get((r, value), {}).get("people", 0) for value in range(1, 6)] for r in range(1, 6)
    ]
    with axes_of(11, 4.2, 2, width_ratios=[5, 4]) as (figure, (grid, groups)):
        grid.imshow(counts, origin="lower", cmap="Blues", vmin=0, aspect="auto")
        most = max(map(max, counts)) or 1
        for (r, value), cell in cells.items():
            colour = "white" if cell["people"] > most * 0.55 else INK
            text = f"{cell['people']:,}\n{fill(cell['cell'].replace('_', ' '), 11)}"
            grid.text(value - 1, r - 1, text, ha="center", va="center", color=colour, fontsize=8)
        _grid_labels(grid)
        _groups(groups, report["rfm"]["groups"])
        return svg_of(figure, "Persons by recency and value, cells by name, and what groups spent")


def _grid_labels(axes: Axes) -> None:
    axes.set_yticks(range(5), ["1 long ago", "2", "3", "4", "5 recent"])
    axes.set_xticks(range(5), ["1\nlow", "2", "3", "4", "5\nhigh"])
    axes.set_ylabel("recency score")
    axes.set_xlabel("value: mean of frequency and money")
    axes.spines[:].set_visible(False)
    axes.set_title("Persons by recency and value", loc="left", fontsize=11)


def _groups(axes: Axes, groups: list[dict[str, Any]]) -> None:
    ordered = list(reversed(groups))
    for place, group in enumerate(ordered):
        axes.barh(place, group["persons"], 0.62, color=HISTORY)
        worth = f" {group['persons']:,} · {group['revenue_minor'] / 100:,.0f}"
        axes.text(group["persons"], place, worth, va="center", fontsize=9)
    axes.set_yticks(range(len(ordered)), [group["segment"].replace("_", " ") for group in ordered])
    axes.set_xlim(0, max((group["persons"] for group in ordered), default=1) * 1.55)
    axes.grid(axis="x", color=LINE)
    axes.set_title("Groups: persons, and what they spent in USD", loc="left", fontsize=11)


def segments(report: dict[str, Any]) -> str:
    """The sizes of segments, and how many are in two of them."""
    told = report["segments"]
    ordered = sorted(told["segments"], key=lambda one: (one["people"], one["segment"]))
    with axes_of(11, 0.8 + 0.36 * len(ordered), 2, width_ratios=[5, 6]) as (figure, both):
        sizes, overlaps = both
        for place, one in enumerate(ordered):
            sizes.barh(place, one["people"], 0.62, color=HISTORY)
            share = f"  {one['people']:,}   {one['share'] or 0:.1%}"
            sizes.text(one["people"], place, share, va="center", fontsize=9)
        names = [one["segment"].replace("_", " ") for one in ordered]
        sizes.set_yticks(range(len(ordered)), names)
        sizes.set_xlim(0, max((one["people"] for one in ordered), default=1) * 1.45 + 1)
        sizes.grid(axis="x", color=LINE)
        sizes.set_title("Members, and their share of everybody", loc="left", fontsize=11)
        _overlaps(overlaps, told["overlaps"], [one["segment"] for one in ordered])
        return svg_of(figure, "Sizes of segments, and how many people are in two of them")


def _overlaps(axes: Axes, rows: list[dict[str, Any]], names: list[str]) -> None:
    grid = [[0] * len(names) for _ in names]
    for row in rows:
        a, b = names.index(row["a"]), names.index(row["b"])
        grid[a][b] = grid[b][a] = row["both"]
    axes.imshow(grid, origin="lower", cmap="Blues", vmin=0, aspect="auto")
    most = max((max(line) for line in grid), default=0) or 1
    for a, counts in enumerate(grid):
        for b, count in enumerate(counts):
            if count:
                colour = "white" if count > most * 0.55 else INK
                axes.text(b, a, f"{count:,}", ha="center", va="center", color=colour, fontsize=8)
    axes.set_yticks(range(len(names)), [])
    shown = [name.replace("_", " ") for name in names]
    axes.set_xticks(range(len(names)), shown, rotation=35, ha="right", fontsize=8)
    axes.spines[:].set_visible(False)
    axes.set_title("People in both", loc="left", fontsize=11)


def lifecycle(report: dict[str, Any]) -> str:
    """How many persons are in each stage of life."""
    stages = report["segments"]["lifecycle"]
    names = [name for name in STAGES if name in stages]
    with axes_of(11, 0.5 + 0.3 * len(names)) as (figure, axes):
        for place, name in enumerate(reversed(names)):
            axes.barh(place, stages[name], 0.6, color=HISTORY)
            axes.text(stages[name], place, f"  {stages[name]:,}", va="center", fontsize=9)
        axes.set_yticks(range(len(names)), list(reversed(names)))
        axes.set_xlim(0, max(stages.values(), default=1) * 1.12)
        axes.grid(axis="x", color=LINE)
        return svg_of(figure, "Persons by stage of life, measured by each one's own rhythm")


def latency(report: dict[str, Any]) -> str:
    """How long look-ups take over HTTP, with the median and the slow end marked."""
    values, figures = report["lookups"], report["lookup_ms"]
    with axes_of(11, 2.6) as (figure, axes):
        top = figures["p99"] * 1.25
        axes.hist([min(value, top) for value in values], bins=60, color=HISTORY)
        for name in ("p50", "p95", "p99"):
            axes.axvline(figures[name], color=LIVE, linewidth=1.2)
            label = f" {name} {figures[name]:.1f} ms"
            axes.text(figures[name], axes.get_ylim()[1] * 0.95, label, va="top", color=LIVE)
        axes.set_xlabel("milliseconds from request to answer, by the client's clock")
        axes.set_ylabel("look-ups")
        axes.grid(axis="y", color=LINE)
        return svg_of(figure, "How long look-ups take over HTTP")


def phases(report: dict[str, Any]) -> str:
    """Where the time went, one bar after the other."""
    rows = report["phases"]
    with axes_of(11, 0.5 + 0.3 * len(rows)) as (figure, axes):
        began = 0.0
        for place, row in enumerate(rows):
            axes.barh(-place, row["seconds"], 0.6, began, color=HISTORY)
            axes.text(began + row["seconds"], -place, f"  {row['seconds']:.1f} s", va="center")
            began += row["seconds"]
        axes.set_yticks([-n for n in range(len(rows))], [row["phase"] for row in rows])
        axes.set_xlim(0, began * 1.1)
        axes.set_xlabel("seconds")
        axes.grid(axis="x", color=LINE)
        return svg_of(figure, "Seconds of each phase, one after the other")


PICTURES: dict[str, Callable[[dict[str, Any]], str]] = {
    "events": events,
    "states": states,
    "persons": persons,
    "health": health,
    "explained": explained,
    "rfm": rfm,
    "segments": segments,
    "lifecycle": lifecycle,
    "latency": latency,
    "phases": phases,
}
