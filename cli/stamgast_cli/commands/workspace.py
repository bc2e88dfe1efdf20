"""`stamgast workspace`: check the configuration, put it in force, roll it back."""

from pathlib import Path
from shutil import copyfile
from typing import Annotated

import typer

from stamgast_aws.workspaces import UnsoundWorkspaceError
from stamgast_cli.deployment import find
from stamgast_cli.errors import InputError
from stamgast_cli.local.places import default_places
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import compile_folder, publish, store

STARTER = Path(__file__).resolve().parents[1] / "starter"
Folder = Annotated[Path | None, typer.Argument(help="The folder of YAML; left out: that of `up`.")]


def group() -> typer.Typer:
    """Return the verbs."""
    made = typer.Typer(help="The customer's configuration as code.", no_args_is_help=True)
    made.command("init")(init)
    made.command("check")(check)
    made.command("publish")(put_in_force)
    made.command("point")(point)
    return made


def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is new, or empty.")],
    json: Json = False,
) -> None:
    """Write a workspace to begin with: sources, identifiers and a segment, with comments.

    Example: stamgast workspace init ../our-workspace && stamgast up --workspace ../our-workspace
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty", hint="Name a folder that is new, or empty.")
    folder.mkdir(parents=True, exist_ok=True)
    files = sorted(STARTER.glob("*.yaml"))
    for file in files:
        copyfile(file, folder / file.name)
    output = Output(is_json=json)
    output.facts({"folder": folder, "files": [file.name for file in files]})
    output.note(f"Put it in force: stamgast up --workspace {folder}")


def check(folder: Folder = None, json: Json = False) -> None:
    """Validate the whole folder: one clear error a fault, with file and line.

    Example: stamgast workspace check workspace
    """
    compiled = compile_folder(folder or default_places().workspace)
    Output(is_json=json).facts({"valid": True, "version": compiled["version"]})


def put_in_force(folder: Folder = None, stack: Stack = None, json: Json = False) -> None:
    """Store the compiled folder and point the deployment to it; see `stamgast plan` first.

    Example: stamgast workspace publish workspace --stack dev
    """
    compiled = compile_folder(folder or default_places().workspace)
    deployment, output = find(stack), Output(is_json=json)
    before = store(deployment).version()
    version = publish(deployment, compiled)
    output.facts({"version": version})
    if before not in (None, version):
        output.note(f"Before: {before}. `stamgast plan` shows beforehand what a change would do.")


def point(
    version: Annotated[str, typer.Argument(help="A version that was published before.")],
    stack: Stack = None,
    json: Json = False,
) -> None:
    """Put an earlier version back in force.

    Example: stamgast workspace point 3f9a0c1b2d4e
    """
    try:
        store(find(stack)).point_to(version)
    except UnsoundWorkspaceError as error:
        raise InputError(str(error), hint="The version in force stays.") from error
    Output(is_json=json).facts({"version": version})
