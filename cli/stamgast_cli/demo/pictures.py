"""The demo report's pictures, as SVG that stands in the page itself."""

from collections import Counter
from collections.abc import Callable
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
    """The grid of recency and frequency, and the named groups with what they spent."""
    grid = [[0] * 5 for _ in range(5)]
    for cell in report["rfm"]["cells"]:
        grid[cell["f"] - 1][cell["r"] - 1] += cell["n"]
    with axes_of(11, 4, 2, width_ratios=[4, 5]) as (figure, (cells, groups)):
        cells.imshow(grid, origin="lower", cmap="Blues", vmin=0, aspect="auto")
        most = max(map(max, grid)) or 1
        for row in range(5):
            for column in range(5):
                count = grid[row][column]
                colour = "white" if count > most * 0.55 else INK
                cells.text(column, row, f"{count:,}", ha="center", va="center", color=colour)
        _grid_labels(cells)
        _groups(groups, report["rfm"]["groups"])
        return svg_of(
            figure,
            "Persons by recency and frequency score, and the named groups with what they spent",
        )


def _grid_labels(axes: Axes) -> None:
    axes.set_xticks(range(5), ["1\nlong ago", "2", "3", "4", "5\nrecent"])
    axes.set_yticks(range(5), ["1 rare", "2", "3", "4", "5 often"])
    axes.set_xlabel("recency score")
    axes.set_ylabel("frequency score")
    axes.spines[:].set_visible(False)
    axes.set_title("Persons by recency and frequency", loc="left", fontsize=11)


def _groups(axes: Axes, groups: list[dict[str, Any]]) -> None:
    ordered = list(reversed(groups))
    for place, group in enumerate(ordered):
        axes.barh(place, group["persons"], 0.62, color=HISTORY)
        worth = f"  {group['persons']:,}   {group['revenue_minor'] / 100:,.0f} USD"
        axes.text(group["persons"], place, worth, va="center", fontsize=9)
    axes.set_yticks(range(len(ordered)), [group["segment"].replace("_", " ") for group in ordered])
    axes.set_xlim(0, max((group["persons"] for group in ordered), default=1) * 1.55)
    axes.grid(axis="x", color=LINE)
    axes.set_title("Groups: persons, and what they spent", loc="left", fontsize=11)


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
    "latency": latency,
    "phases": phases,
}
