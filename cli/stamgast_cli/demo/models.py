"""The models of the demo's workspace: trained on its purchases, beside what needs no model."""

from pathlib import Path
from typing import Any

from stamgast.models.declaration import models_of
from stamgast_cli.commands.model_runs import start
from stamgast_cli.commands.running import follow
from stamgast_cli.deployment import Deployment
from stamgast_cli.modelling.asked import asking
from stamgast_cli.output import Output
from stamgast_cli.reports.files import write_report
from stamgast_cli.reports.model_page import page_of
from stamgast_cli.reports.model_words import how_good
from stamgast_cli.workspaces import store
from stamgast_lake.models.report import card_of, scored, versions

Told = dict[str, Any]


def told(deployment: Deployment, folder: Path, output: Output) -> list[Told]:
    """Trains every declared model, writes its card beside the report; how good each is, in short.

    One that abstains, or that beats no baseline, says so.
    """
    names = [model.name for model in models_of(store(deployment).current().models)]
    follow(deployment, start(deployment, {"train": names}), output)
    return [_one(deployment, name, folder) for name in names]


def _one(deployment: Deployment, name: str, folder: Path) -> Told:
    ask = asking(deployment)
    card, newest = card_of(ask, name) or {}, versions(ask, name)[0]
    if card:
        write_report(card, page_of(card), folder / "models" / f"{name}.html")
    return {
        "model": name,
        "title": card.get("title", name),
        "kind": newest["kind"],
        "state": newest["state"],
        "why": newest["why"],
        "how_good": how_good(newest["metrics"]),
        "people": sum(band["people"] for band in scored(ask, name)),
    }
