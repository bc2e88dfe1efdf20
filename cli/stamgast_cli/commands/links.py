"""`stamgast links`: what models believe of devices and records, and how far to trust them."""

import json as json_module
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from stamgast_cli.commands.link_trying import try_links
from stamgast_cli.commands.running import follow
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output

CURRENT = """
    select kind, round(probability, 3) as probability,
        kind = 'device' or contains(rule, '.') as is_calibrated, rule, a, b, reasons, expires_at
    from links_current where probability >= {least} order by probability desc, a, b limit {most}
"""
SETTLED = """
    select kind, state, round(probability, 3) as probability, rule, a, b, settled_at, settled_by
    from links_settled where probability >= {least} order by settled_at desc, a, b limit {most}
"""
Train = Annotated[
    bool, typer.Option("--train", help="Train a model now, whenever the last one was trained.")
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end.")]
Settled = Annotated[bool, typer.Option("--settled", help="Those that log-ins have settled.")]
Least = Annotated[float, typer.Option("--least", min=0.0, max=1.0, help="From this probability.")]
Most = Annotated[int, typer.Option("--limit", min=1, max=10_000)]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="A page with the curve.")]


def group() -> typer.Typer:
    """Return the group of verbs."""
    told = typer.Typer(help="Provisional links of devices and records.", no_args_is_help=True)
    told.command("run")(run)
    told.command("list")(list_links)
    told.command("report")(report)
    told.command("try")(try_links)
    return told


def run(wait: Wait = True, train: Train = False, stack: Stack = None, json: Json = False) -> None:
    """Score, state, settle and expire links now.

    Example: stamgast links run --train
    """
    output, deployment = Output(is_json=json), find(stack)
    now = datetime.now(UTC)
    answer = deployment.client("stepfunctions").start_execution(
        stateMachineArn=deployment.output("LinksMachineArn"),
        name=f"manual-{now:%Y%m%dT%H%M%S%f}",
        input=json_module.dumps({"train": True} if train else {}),
    )
    arn = str(answer["executionArn"])
    output.facts(follow(deployment, arn, output) if wait else {"execution": arn})


def list_links(
    settled: Settled = False,
    least: Least = 0.0,
    limit: Most = 50,
    stack: Stack = None,
    json: Json = False,
) -> None:
    """List the links that stand, or those that were settled, with probabilities and keys.

    Example: stamgast links list --least 0.8
    """
    from stamgast_cli.lake import select

    sql = (SETTLED if settled else CURRENT).format(least=least, most=limit)
    Output(is_json=json).rows(*select(find(stack), sql))


def report(html: Html = None, stack: Stack = None, json: Json = False) -> None:
    """Say how reliable links are: on log-ins that no model had seen, and on those since.

    Example: stamgast links report --html links.html
    """
    from stamgast_cli.links_page import page_of, summary_of
    from stamgast_lake.links.report import links_report

    output, deployment = Output(is_json=json), find(stack)
    with output.step("Asking the lake"):
        told = links_report(lambda sql: _rows(deployment, sql))
    if html:
        html.write_text(page_of(told), encoding="utf-8")
        output.note(f"Written to {html}")
    if json:
        output.document(told)
        return
    for kind, one in told.items():
        output.rows(("what", "figure"), summary_of(one), title=f"Links of {kind}s")


def _rows(deployment: Deployment, sql: str) -> list[dict[str, Any]]:
    from stamgast_cli.lake import select

    names, rows = select(deployment, sql)
    return [dict(zip(names, row, strict=True)) for row in rows]
