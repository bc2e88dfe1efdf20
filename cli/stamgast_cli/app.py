"""The command `stamgast` and its verbs."""

import sys
from functools import cache

import typer
from botocore.exceptions import BotoCoreError, ClientError
from httpx import HTTPError
from rich.console import Console
from rich.text import Text

from stamgast_cli.commands import (
    access,
    asking,
    consent,
    cost,
    demo,
    doctor,
    identity,
    lifecycle,
    links,
    logs,
    models,
    plan,
    record,
    redrive,
    replay,
    rights,
    running,
    segments,
    sending,
    sources,
    workspace,
)
from stamgast_cli.errors import StamgastError


@cache
def application() -> typer.Typer:
    """Return the command with every verb."""
    app = typer.Typer(
        name="stamgast",
        help="A customer data platform on this machine, and the same verbs for a deployed stack.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    verbs = (lifecycle, demo, sending, running, asking, plan, cost, redrive, replay, doctor, logs)
    for module in verbs:
        module.register(app)
    rights.register(app)
    record.register(app)
    app.add_typer(access.sources(), name="source")
    app.add_typer(access.tokens(), name="token")
    app.add_typer(consent.group(), name="consent")
    app.add_typer(links.group(), name="links")
    app.add_typer(workspace.group(), name="workspace")
    app.add_typer(identity.group(), name="identity")
    app.add_typer(segments.group(), name="segment")
    app.add_typer(models.group(), name="model")
    app.add_typer(sources.group(), name="sources")
    return app


def main() -> None:
    """Run the command; a failure says what to do next and ends with 1."""
    try:
        application()()
    except StamgastError as error:
        _fail(str(error), error.hint)
    except (ClientError, BotoCoreError) as error:
        _fail(str(error), "Is the stack deployed, and do your credentials reach it?")
    except HTTPError as error:
        _fail(f"no answer over HTTP: {error}", "See `stamgast status`.")
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}", "Name another place.")


def _fail(message: str, hint: str) -> None:
    console = Console(stderr=True)
    console.print(Text(f"✗ {message}", style="red"), soft_wrap=True)
    if hint:
        console.print(Text(f"  {hint}"), soft_wrap=True)
    sys.exit(1)
