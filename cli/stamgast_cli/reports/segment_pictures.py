"""The pictures of a segment's report."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from stamgast.identity.orders import exponent_of
from stamgast_cli.drawing import FAINT, HISTORY, INK, LINE, VIOLET, axes_of, svg_of, thousands

Document = Mapping[str, Any]
CHANNEL_COLOURS = (HISTORY, "#e08a1e", "#2f8f6b", VIOLET, "#c0392b", "#8aa0b8")
LEAST_DAYS, MARKS = 13, 5
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def size(report: Document) -> str:
    """The segment's size, as the memberships' log tells it."""
    rows = [row for row in report["size_over_time"]["segment"] if row["size"] is not None]
    days = [date.fromisoformat(row["day"]).toordinal() for row in rows]
    sizes = [row["size"] for row in rows]
    last = date.fromisoformat(report["weeks"]["to"]).toordinal()
    first = min([*days, last - LEAST_DAYS])
    with axes_of(11, 2.4) as (figure, axes):
        axes.step([*days, last], [*sizes, *sizes[-1:]], where="post", color=HISTORY)
        axes.plot(days, sizes, "o", markersize=4, color=HISTORY)
        axes.set_ylim(0, max(sizes, default=1) * 1.15)
        axes.grid(axis="y", color=LINE)
        axes.yaxis.set_major_formatter(thousands)
        axes.set_ylabel("people")
        axes.set_xlim(first - 1, last + 1)
        shown = sorted({first + (last - first) * n // MARKS for n in range(MARKS + 1)})
        axes.set_xticks(shown, [date.fromordinal(day).isoformat() for day in shown])
        return svg_of(figure, f"Size of the segment by day, {_range(sizes)} people")


def _dated(axes: Axes, rows: Sequence[Document]) -> None:
    """A few of the weeks' Mondays below the axis."""
    shown = range(0, len(rows), max(1, -(-len(rows) // MARKS)))
    axes.set_xticks(shown, [rows[place]["week_on"] for place in shown])


def _range(values: Iterable[Any]) -> str:
    told = [value for value in values if value is not None]
    return f"from {min(told):,} to {max(told):,}" if told else "no figure"


def activity(report: Document) -> str:
    """The share of people who did anything, and the revenue, in each week."""
    with axes_of(11, 3, 2) as (figure, (active, revenue)):
        shares = {}
        for group, colour in (("everyone", FAINT), ("segment", HISTORY)):
            of = report["size"][group]
            rows = report["activity"][group]
            shares[group] = [_over(row["people"], of) for row in rows]
            active.plot(range(len(rows)), _gaps(shares[group]), color=colour, label=group)
        active.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        active.set_ylim(bottom=0)
        active.grid(axis="y", color=LINE)
        _dated(active, report["activity"]["segment"])
        active.set_title("Share of people with an event, by week", loc="left", fontsize=11)
        active.legend(frameon=False, fontsize=9, loc="best")
        _revenue(revenue, report)
        says = "Share of people with an event and revenue of the segment, by week; active "
        return svg_of(figure, says + _percents(shares["segment"]))


def _revenue(axes: Axes, report: Document) -> None:
    rows = report["activity"]["segment"]
    places = 10 ** exponent_of(report["currency"] or "USD")
    whole = [(row["revenue_minor"] or 0) / places for row in rows]
    colours = [HISTORY if row["is_whole"] else LINE for row in rows]
    axes.bar(range(len(rows)), whole, 0.8, color=colours)
    axes.yaxis.set_major_formatter(thousands)
    axes.grid(axis="y", color=LINE)
    _dated(axes, rows)
    unit = f" in {report['currency']}" if report["currency"] else ""
    axes.set_title(f"Revenue of the segment{unit}, by week", loc="left", fontsize=11)


def _over(count: int | None, of: int | None) -> float | None:
    return None if count is None or not of else count / of


def _gaps(values: Iterable[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]


def _percents(values: Iterable[float | None]) -> str:
    told = [value for value in values if value is not None]
    return f"from {min(told):.0%} to {max(told):.0%}" if told else "no figure"


def channels(report: Document) -> str:
    """Events by channel in each week: the segment above, everyone beside it."""
    names = [row["channel"] for row in report["channels"]["everyone"]["rows"]]
    shown = names[: len(CHANNEL_COLOURS)]
    with axes_of(11, 2.9, 2) as (figure, places):
        for axes, group in zip(places, ("segment", "everyone"), strict=True):
            _stacked(axes, report, group, shown)
            axes.set_title(f"Events by channel and week: {group}", loc="left", fontsize=11)
        handles, labels = places[1].get_legend_handles_labels()
        figure.legend(handles, labels, frameon=False, ncols=6, loc="outside lower left")
        return svg_of(figure, f"Events by week of the channels {', '.join(shown)}")


def _stacked(axes: Axes, report: Document, group: str, names: list[str]) -> None:
    weeks = report["activity"][group]
    told = report["channels"][group]["weeks"]
    counts = {(row["channel"], row["week_on"]): row["events"] for row in told}
    bottom = [0] * len(weeks)
    for name, colour in zip(names, CHANNEL_COLOURS, strict=False):
        heights = [counts.get((name, week["week_on"]), 0) for week in weeks]
        axes.bar(range(len(weeks)), heights, 0.8, bottom, color=colour, label=name)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    _dated(axes, weeks)
    axes.yaxis.set_major_formatter(thousands)
    axes.grid(axis="y", color=LINE)


def hours(report: Document) -> str:
    """When people of the segment are about, by day of the week and hour."""
    grid = [[0] * 24 for _ in range(7)]
    for row in report["persona"]["numbers"]["segment"]["hours"]:
        grid[row["weekday"] - 1][row["hour"]] = row["events"]
    with axes_of(11, 2.5) as (figure, axes):
        busiest = max(max(row) for row in grid)
        for day, row in enumerate(grid):
            for hour, events in enumerate(row):
                _cell(axes, hour, day, events / max(busiest, 1))
        axes.set_xlim(-0.5, 23.5)
        axes.set_ylim(6.5, -0.5)
        axes.set_yticks(range(7), DAYS)
        axes.set_xticks(range(0, 24, 2), [f"{hour:02d}" for hour in range(0, 24, 2)])
        axes.spines[:].set_visible(False)
        axes.set_xlabel(f"hour of the day in {report['time_zone']}")
        return svg_of(figure, f"Events by weekday and hour; {busiest:,} in the busiest hour")


def _cell(axes: Axes, hour: int, day: int, share: float) -> None:
    """One hour of the week, as full of the page's colour as it is busy: on dark paper, too."""
    if share:
        corner = (hour - 0.5, day - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=HISTORY, alpha=share, linewidth=0))


def conversion(report: Document) -> str:
    """How many journeys take the common steps, in order, and convert; in per cent of the first."""
    told = report["conversion"]
    rows = {group: told[group]["funnel"] for group in ("segment", "everyone")}
    names = [row["step"] or told["event"] for row in rows["segment"]]
    with axes_of(11, 0.8 + 0.62 * max(1, len(names))) as (figure, axes):
        for shift, group, colour in ((-0.2, "segment", HISTORY), (0.2, "everyone", FAINT)):
            for place, row in enumerate(rows[group]):
                _bar(axes, place + shift, row, colour, group if not place else None)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.25)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        if names:
            axes.legend(frameon=False, fontsize=9, loc="lower right")
        return svg_of(figure, "Journeys along the common steps: " + ", ".join(names))


def _bar(axes: Axes, place: float, row: Document, colour: str, label: str | None) -> None:
    share = row["share"] or 0
    axes.barh(place, share, 0.36, color=colour, label=label)
    says = "withheld" if row["journeys"] is None else f"{row['journeys']:,} ({share:.0%})"
    axes.text(share + 0.01, place, says, va="center", fontsize=9, color=INK)


PICTURES = {
    "size": size,
    "activity": activity,
    "channels": channels,
    "hours": hours,
    "conversion": conversion,
}
