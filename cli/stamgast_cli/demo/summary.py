"""The demo's report on the terminal."""

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from stamgast_cli.output import Output


def show(report: dict[str, Any], folder: Path, output: Output) -> None:
    """Prints the report: tables for a person, the whole for a machine."""
    if output.is_json:
        output.document(report)
        return
    console = output.console
    console.print()
    console.print(Text("A year of real purchases, through the whole product", style="bold"))
    console.print(Text(report["about"], style="dim"))
    console.print(_table("What became of every event", _events(report)))
    console.print(_table("Who was recognised (generated truth)", _persons(report)))
    console.print(_table("Who belongs where", _segments(report)))
    if report.get("models"):
        console.print(_table("What models say", _models(report)))
    else:
        console.print("[dim]Models: stamgast demo --models trains them on these purchases.[/]")
    console.print(_table("How fast", _speed(report)))
    console.print(_table("Where the time went", _phases(report)))
    verdict = report["verification"]
    count = len(verdict["checks"])
    if verdict["agrees"]:
        console.print(f"[green]✓[/] {count} figures recomputed from the input: all agree")
    else:
        for check in (one for one in verdict["checks"] if not one["agrees"]):
            console.print(
                f"[red]✗[/] {check['check']}: {check['expected']!s:.80} ≠ {check['found']!s:.80}"
            )
    console.print(f"Report: {folder / 'report.html'}")


def _table(title: str, rows: list[tuple[str, str]]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right")
    for row in rows:
        table.add_row(*row)
    return table


def _events(report: dict[str, Any]) -> list[tuple[str, str]]:
    events = report["events"]
    states = {name: count for name, count in events["states"].items() if count}
    rows = [("sent", f"{events['sent']:,}")]
    rows += [(name, f"{count:,}") for name, count in states.items()]
    rows.append(("revenue", f"{report['revenue']['total_minor'] / 100:,.2f} USD"))
    return rows


def _persons(report: dict[str, Any]) -> list[tuple[str, str]]:
    told = report["persons"]
    return [
        ("households", f"{told['households']:,}"),
        ("persons found", f"{told['persons']:,}"),
        ("households found exactly", f"{told['exact']:,}"),
        ("pair precision", f"{told['precision']:.4f}"),
        ("pair recall", f"{told['recall']:.4f}"),
        ("identifiers of the largest person", f"{report['health']['largest_person']:,}"),
        ("live view that drifts (sample)", f"{report['health']['drift']['share']:.2%}"),
    ]


def _segments(report: dict[str, Any]) -> list[tuple[str, str]]:
    told = report["segments"]
    return [
        (one["segment"], f"{one['people']:,} of {told['people']:,}") for one in told["segments"]
    ]


def _models(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (one["model"], f"{one['state'].replace('_', ' ')}: {one['how_good'] or one['why']}")
        for one in report["models"]
    ]


def _speed(report: dict[str, Any]) -> list[tuple[str, str]]:
    lookup, seen = report["lookup_ms"], report["live"]["seen_after_ms"]
    rows = [
        ("look-up over HTTP, median", f"{lookup['p50']:.1f} ms"),
        ("look-up over HTTP, 95 %", f"{lookup['p95']:.1f} ms"),
    ]
    if seen:
        rows.append(("from sending to seeing it, median", f"{seen['p50']:,.0f} ms"))
    return rows


def _phases(report: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [(one["phase"], f"{one['seconds']:.1f} s") for one in report["phases"]]
    return [*rows, ("in all", f"{report['seconds']:.1f} s")]
