"""`stamgast segment report`: what a segment is like, over time and against everyone."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stamgast_cli.deployment import find
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import store

Name = Annotated[str, typer.Argument(help="The segment's name in segments.yaml.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write a page with pictures, and its JSON beside."),
]
Weeks = Annotated[int, typer.Option("--weeks", min=1, max=520, help="How far back to look.")]
Conversion = Annotated[str, typer.Option("--conversion", help="The event that journeys lead to.")]
Silence = Annotated[
    int, typer.Option("--silence", min=1, max=365, help="Days without an event end a journey.")
]
Least = Annotated[int, typer.Option("--least", min=1, help="Figures of fewer people are withheld.")]
Purpose = Annotated[
    str | None, typer.Option(help="Count only people whose consent covers this purpose.")
]
SHOWN = 12


def report(
    name: Name,
    out: Out = None,
    weeks: Weeks = 52,
    conversion: Conversion = "Order Completed",
    silence: Silence = 30,
    least: Least = 10,
    purpose: Purpose = None,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Tell what distinguishes a segment, how it went over time, and its ways to conversion.

    Example: stamgast segment report champions --out champions.html

    Example: stamgast segment report slowing_down --conversion "Order Completed" --weeks 26 --json
    """
    # The engine, statistics and pictures take longer to load than most verbs to run.
    from stamgast_cli.lake import opened
    from stamgast_cli.reports.files import write_report
    from stamgast_cli.reports.segment import Asked, segment_report
    from stamgast_cli.reports.segment_page import page_of

    output, deployment = Output(is_json=json), find(stack)
    workspace = store(deployment).current()
    asked = Asked(name, weeks, conversion, silence, least, purpose)
    with output.step(f"looking at {name} and at everyone"), opened(deployment) as lake:
        told = segment_report(lake, workspace, asked)
    if out is not None:
        with output.step("drawing"):
            written = write_report(told, page_of(told), out)
        output.note(f"Report: {written}")
    if json:
        output.document(told)
    elif out is None:
        show(told, output)


def show(told: dict[str, Any], output: Output) -> None:
    """The report in short, on a terminal."""
    from stamgast_cli.reports.words import band_of, count, share, title_of

    size = told["size"]
    least = told["least_people"]
    output.facts(
        {
            "segment": told["title"],
            "as of": f"{told['as_of']}, days in {told['time_zone']}",
            "people": f"{count(size['segment'], is_suppressed=True, least=least)}"
            f" of {size['everyone']:,} ({share(size['share'])})",
            "withheld": f"figures of fewer than {least} people",
        }
    )
    if told["is_suppressed"]:
        return
    for sentence in told["persona"]["words"]:
        output.console.print(f"• {sentence}", markup=False, highlight=False)
    for family, title in (("traits", "Traits"), ("categories", "Categories")):
        rows = [
            [
                f"{title_of(row)} {band_of(row)}",
                share(row["segment_share"]),
                share(row["everyone_share"]),
                f"×{row['lift']:.2f} ({row['lift_low']:.2f}–{row['lift_high']:.2f})",
                "yes" if row["is_of_the_rule"] else "",
            ]
            for row in told[family]["rows"]
            if row["is_distinguishing"]
        ][:SHOWN]
        names = ("what", "segment", "everyone", "lift", "in the rule")
        output.rows(names, rows, title=f"{title}, the surest differences first")
