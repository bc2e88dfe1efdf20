"""`stamgast record`: the record of processing, from the workspace and the registry of stores."""

from pathlib import Path
from typing import Annotated

import typer

from stamgast.erasure.processing import record_of_processing
from stamgast.workspace.model import workspace_of
from stamgast_cli.local.places import default_places
from stamgast_cli.options import Json
from stamgast_cli.output import Output
from stamgast_cli.workspaces import compile_folder

Folder = Annotated[Path | None, typer.Argument(help="The folder of YAML; left out: workspace/.")]
Out = Annotated[Path | None, typer.Option("--out", help="A file to write; left out: shown.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("record")(record)


def record(folder: Folder = None, out: Out = None, json: Json = False) -> None:
    """Write the record of processing: purposes, identifiers, stores, and how long each holds.

    Example: stamgast record workspace --out docs/record-of-processing.md
    """
    compiled = compile_folder(folder or default_places().workspace)
    text = record_of_processing(workspace_of(compiled))
    output = Output(is_json=json)
    if out is not None:
        out.write_text(text, encoding="utf-8")
        output.facts({"written": out})
    elif json:
        output.document({"record": text})
    else:
        typer.echo(text)
