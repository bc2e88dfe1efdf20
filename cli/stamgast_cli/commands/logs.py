"""`stamgast logs`: what a function said."""

import time
from typing import Annotated

import typer

from stamgast_cli.deployment import find
from stamgast_cli.errors import InputError
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output

Function = Annotated[str, typer.Argument(help="A function's name, such as process_events.")]
Minutes = Annotated[int, typer.Option("--minutes", min=1, help="How far back.")]
Pattern = Annotated[str, typer.Option("--filter", help="CloudWatch's filter pattern.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("logs")(logs)


def logs(
    function: Function,
    minutes: Minutes = 15,
    pattern: Pattern = "",
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Show the log of one function, the oldest line first.

    Example: stamgast logs load_events --minutes 60 --filter ERROR
    """
    deployment = find(stack)
    client = deployment.client("logs")
    group = f"/stamgast/{deployment.environment}/{function.replace('-', '_')}"
    since_ms = int((time.time() - minutes * 60) * 1000)
    try:
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=since_ms, filterPattern=pattern
        )
        lines = [event["message"].rstrip() for page in pages for event in page["events"]]
    except client.exceptions.ResourceNotFoundException as error:
        raise InputError(
            f"there is no log group {group}", hint="Functions are listed in functions/."
        ) from error
    output = Output(is_json=json)
    if json:
        output.document(lines)
        return
    for line in lines:
        output.console.print(line, markup=False, highlight=False, soft_wrap=True)
