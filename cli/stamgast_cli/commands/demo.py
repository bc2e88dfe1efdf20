"""`stamgast demo`."""

from typing import Annotated

import typer

from stamgast_cli.options import Json

Households = Annotated[
    int, typer.Option("--households", min=1, help="How many households' last weeks go in live.")
]
Models = Annotated[
    bool, typer.Option("--models", help="Train and score the workspace's models, too.")
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(demo)


def demo(households: Households = 100, models: Models = False, json: Json = False) -> None:
    """Send real purchases through the whole product and report what came out.

    Writes `.stamgast/demo/report.json` and `report.html`.

    Example: stamgast demo --households 20
    """
    from stamgast_cli.demo import run_demo

    run_demo(households=households, with_models=models, is_json=json)
