"""`stamgast model compare`, `card` and `explain`: versions, one whole, one person's scores."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stamgast.workspace.model import models_in
from stamgast_cli.commands.asking import Who, identifier_of
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.errors import InputError
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import store

Name = Annotated[str, typer.Argument(help="The model's name in models.yaml.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the card as a page, and its JSON beside."),
]
Version = Annotated[str | None, typer.Option("--version", help="Another than the version in use.")]
PERSON = "select person_id from identity_current where identifier = '{key}'"
NOT_TRAINED = "`stamgast model train {name}` trains it; `stamgast model evaluate {name}` tries it."


def compare(name: Name, stack: Stack = None, json: Json = False) -> None:
    """List a model's versions: which is used, which was kept out and why, how good each is.

    Example: stamgast model compare stays_away
    """
    from stamgast_cli.modelling.asked import asking
    from stamgast_cli.reports.model_words import COMPARED, compared
    from stamgast_lake.models.report import versions

    output, deployment = Output(is_json=json), find(stack)
    told = versions(asking(deployment), _plain(name))
    if not told:
        raise _unknown(name, None, deployment)
    if json:
        output.document(told)
    else:
        output.rows(COMPARED, [compared(one) for one in told])


def card(
    name: Name, out: Out = None, version: Version = None, stack: Stack = None, json: Json = False
) -> None:
    """Show the card of the version in use, or of the newest that was tried.

    Example: stamgast model card stays_away --out card.html

    With how its scores moved since it was trained, and what came true of them.
    """
    from stamgast_cli.modelling.asked import asking
    from stamgast_cli.reports.files import write_report
    from stamgast_cli.reports.model_page import page_of
    from stamgast_lake.models.report import card_of

    output, deployment = Output(is_json=json), find(stack)
    told = card_of(asking(deployment), _plain(name), version and _plain(version))
    if told is None:
        raise _unknown(name, version, deployment)
    if out is not None:
        output.note(f"Card: {write_report(told, page_of(told), out)}")
    if json:
        output.document(told)
    elif out is None:
        show(told, output)


def explain(who: Who, stack: Stack = None, json: Json = False) -> None:
    """Say what each model says of a person, and what moved it most.

    Example: stamgast model explain email:ada@example.com
    """
    from stamgast_aws.secrets import SecretsManagerKeyring
    from stamgast_cli.modelling.asked import asking
    from stamgast_lake.models.report import explained

    deployment, output = find(stack), Output(is_json=json)
    named = identifier_of(who, store(deployment).current())
    keyring = SecretsManagerKeyring(
        deployment.client("secretsmanager"), deployment.output("WorkspaceSecret")
    ).get()
    ask = asking(deployment)
    found = ask(PERSON.format(key=keyring.identifier_key(named.namespace, named.value)))
    if not found:
        raise InputError("no run has seen this identifier", hint="`stamgast run`, then ask again.")
    told = explained(ask, found[0]["person_id"])
    if json:
        output.document({"person_id": found[0]["person_id"], "scores": told})
    elif not told:
        output.note("No model scores this person: not in its population, or none is in use.")
    for one in [] if json else told:
        title = f"{one['model']}: {one['value']:.4g}, percentile {one['percentile']:g}"
        if one["reasons"]:
            rows = [_reason(row) for row in one["reasons"]]
            output.rows(("what", "says", "moves"), rows, title=title)
        else:
            output.facts({title: "its kind gives no reasons"})


def show(told: dict[str, Any], output: Output) -> None:
    """Print a card."""
    from stamgast_cli.reports.model_facts import facts_of
    from stamgast_cli.reports.model_words import figures_of

    output.facts(facts_of(told))
    for title, names, rows in figures_of(told):
        output.rows(names, rows, title=title)


MOVES = "log_odds", "money", "uplift", "because"


def _reason(row: dict[str, Any]) -> tuple[str, str, str]:
    what = row.get("feature") or row.get("item") or "–"
    says = row.get("value", row.get("probability"))
    moves = next((row[one] for one in MOVES if one in row), "")
    return str(what), "unknown" if says is None else str(says), str(moves)


def _unknown(name: str, version: str | None, deployment: Deployment) -> InputError:
    """What to say of a model, or a version, that the log does not tell of."""
    declared = sorted(models_in(store(deployment).current()))
    if name not in declared:
        told = ", ".join(declared) or "none"
        return InputError(f"no model is named {name!r}", hint=f"models.yaml has {told}.")
    if version is not None:
        hint = f"`stamgast model compare {name}` lists the versions."
        return InputError(f"{name} has no version {version}", hint=hint)
    return InputError(f"model {name!r} was never trained", hint=NOT_TRAINED.format(name=name))


def _plain(name: str) -> str:
    """A name that may stand in a query; raises InputError for one that no model could have."""
    if not name.replace("_", "").replace("-", "").isalnum():
        raise InputError(f"{name!r} is no name of a model", hint="`stamgast model list` has them.")
    return name
