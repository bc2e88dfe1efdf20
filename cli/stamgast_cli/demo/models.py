"""The models of the demo's workspace: trained on its purchases, beside what needs no model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from stamgast.models.declaration import Model, models_of
from stamgast_cli.commands.model_runs import LISTS, start
from stamgast_cli.commands.running import follow
from stamgast_cli.deployment import Deployment
from stamgast_cli.errors import StamgastError
from stamgast_cli.modelling.asked import asking
from stamgast_cli.output import Output
from stamgast_cli.reports.files import write_report
from stamgast_cli.reports.model_page import page_of
from stamgast_cli.reports.model_words import how_good
from stamgast_cli.workspaces import store
from stamgast_lake.models.report import card_of, scored, versions

Told = dict[str, Any]
Ask = Callable[[str], list[Told]]


def told(deployment: Deployment, folder: Path, output: Output) -> list[Told]:
    """Trains every declared model, writes its card beside the report; how good each is, in short.

    One that abstains, that beats no baseline, or whose training failed, says so.
    """
    declared = models_of(store(deployment).current().models)
    fault = _trained(deployment, [model.name for model in declared], output)
    ask = asking(deployment)
    return [one_of(ask, model, folder, fault) for model in declared]


def _trained(deployment: Deployment, names: list[str], output: Output) -> str | None:
    """Why the run of models failed; None where it did not. Models that were trained stand."""
    try:
        follow(deployment, start(deployment, {"train": names}), output, LISTS)
    except StamgastError as error:
        output.note(f"The run of models failed: {error}")
        return str(error)
    return None


def one_of(ask: Ask, model: Model, folder: Path, fault: str | None) -> Told:
    """What the lake knows of a model; without any version of it, why there is none."""
    card, tried = card_of(ask, model.name), versions(ask, model.name)
    if card is None or not tried:
        why = fault or "it was not tried"
        return _row(model, model.title, {"state": "not_trained", "why": why, "metrics": {}}, 0)
    write_report(card, page_of(card), folder / "models" / f"{model.name}.html")
    people = sum(band["people"] for band in scored(ask, model.name))
    page = {"card": f"models/{model.name}.html"}
    return _row(model, card["title"], tried[0], people) | page


def _row(model: Model, title: str, newest: Told, people: int) -> Told:
    return {
        "model": model.name,
        "title": title or model.name,
        "kind": model.kind.value,
        "state": newest["state"],
        "why": newest["why"],
        "how_good": how_good(newest["metrics"]),
        "people": people,
    }
