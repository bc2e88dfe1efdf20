"""`stamgast model`: what is predicted, and how far each prediction can be believed."""

from datetime import UTC, datetime
from os import environ
from pathlib import Path
from typing import Annotated

import typer

from stamgast.models.declaration import Model, models_of
from stamgast.moments import ms_of
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_cli.commands import model_cards, model_runs
from stamgast_cli.commands.model_cards import show
from stamgast_cli.deployment import find
from stamgast_cli.errors import InputError
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import compile_folder, store

Name = Annotated[str, typer.Argument(help="The model's name in models.yaml.")]
Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="A folder of YAML whose models are asked instead of those set."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the card as a page, and its JSON beside."),
]


def group() -> typer.Typer:
    """Return the group of verbs."""
    told = typer.Typer(help="Models that say how good they are.", no_args_is_help=True)
    told.command("list")(list_models)
    told.command("evaluate")(evaluate)
    told.command("train")(model_runs.train)
    told.command("score")(model_runs.score)
    told.command("compare")(model_cards.compare)
    told.command("card")(model_cards.card)
    told.command("explain")(model_cards.explain)
    told.command("promote")(model_runs.promote)
    told.command("rollback")(model_runs.rollback)
    return told


def list_models(folder: Folder = None, stack: Stack = None, json: Json = False) -> None:
    """List the models of the workspace in force, or of a folder.

    Example: stamgast model list --folder workspace
    """
    rows = [
        (one.name, one.kind.value, f"{one.within_days} days", len(one.features), one.title)
        for one in models_of(_workspace(folder, stack).models)
    ]
    names = ("model", "kind", "ahead", "features", "title")
    Output(is_json=json).rows(names, rows)


def evaluate(
    name: Name, out: Out = None, folder: Folder = None, stack: Stack = None, json: Json = False
) -> None:
    """Say how good a model would be: backtests on people and days that it has not seen.

    Example: stamgast model evaluate buys_big_basket --out card.html

    Each past cut-off is predicted from older ones alone and compared with what came, beside named
    baselines. Without enough data, or when no baseline is beaten, the model abstains and says why.
    Nothing is stored.
    """
    # OpenMP reads it when it is loaded: threads that wait for a core that is taken would spin.
    environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # The engine and scikit-learn take longer to load than most verbs to run.
    from stamgast_cli.modelling.card import card_of
    from stamgast_cli.previews import lake_of
    from stamgast_cli.reports.files import write_report
    from stamgast_cli.reports.model_facts import facts_of
    from stamgast_cli.reports.model_page import page_of

    output, deployment = Output(is_json=json), find(stack)
    model = _named(name, _workspace(folder, stack))
    told = card_of(lake_of(deployment), model, ms_of(datetime.now(UTC)), output.steps)
    if out is not None:
        output.note(f"Card: {write_report(told, page_of(told), out)}")
    if json:
        output.document(told)
    elif out is None:
        show(told, output)
    else:
        output.facts({"verdict": facts_of(told)["verdict"]})


def _workspace(folder: Path | None, stack: str | None) -> Workspace:
    if folder is not None:
        return workspace_of(compile_folder(folder))
    return store(find(stack)).current()


def _named(name: str, workspace: Workspace) -> Model:
    models = {model.name: model for model in models_of(workspace.models)}
    if name not in models:
        known = ", ".join(sorted(models)) or "none"
        raise InputError(f"no model is named {name!r}", hint=f"models.yaml has {known}.")
    return models[name]
