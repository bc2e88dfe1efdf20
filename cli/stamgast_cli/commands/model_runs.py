"""`stamgast model train`, `score`, `promote` and `rollback`: runs of the machine of models."""

import json as json_module
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from stamgast.models.declaration import models_of
from stamgast_cli.commands.running import RunFailedError, follow
from stamgast_cli.deployment import Deployment, find
from stamgast_cli.errors import InputError
from stamgast_cli.options import Json, Stack
from stamgast_cli.output import Output
from stamgast_cli.workspaces import store

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]…", help="Models; without any, all.")
]
Name = Annotated[str, typer.Argument(help="The model's name in models.yaml.")]
Version = Annotated[str, typer.Argument(help="A version, as `stamgast model compare` lists them.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end.")]

LISTS = {"TrainModels": "train", "ScoreProfiles": "shards"}
"""What a run of models works through one by one: models, and shards of people."""
FAILED = (
    "What failed left scores as they were. `stamgast model compare NAME` says which version is in"
    " use now, `stamgast model score NAME` scores everybody by it; `stamgast logs` has the reason."
)


def train(names: Names = None, wait: Wait = True, stack: Stack = None, json: Json = False) -> None:
    """Train models now, whenever they were last; a better version is used and scores everybody.

    Example: stamgast model train stays_away

    A version that abstains, or that is not better than the one in use, is kept out with its reason.
    """
    deployment = find(stack)
    _run({"train": _known(names, deployment)}, deployment, Output(is_json=json), wait=wait)


def score(names: Names = None, wait: Wait = True, stack: Stack = None, json: Json = False) -> None:
    """Score everybody now by the versions in use.

    Example: stamgast model score
    """
    deployment = find(stack)
    _run({"score": _known(names, deployment)}, deployment, Output(is_json=json), wait=wait)


def promote(
    name: Name, version: Version, wait: Wait = True, stack: Stack = None, json: Json = False
) -> None:
    """Use a version from now on, and score everybody by it.

    Example: stamgast model promote stays_away 20261122T031500Z-1a2b3c4d
    """
    deployment = find(stack)
    _known([name], deployment)
    _require(deployment, name, version)
    _run({"choose": {name: version}}, deployment, Output(is_json=json), wait=wait)


def rollback(name: Name, wait: Wait = True, stack: Stack = None, json: Json = False) -> None:
    """Use the version that was in use before, and score everybody by it.

    Example: stamgast model rollback stays_away

    Said twice, it goes forth again: `stamgast model promote` takes any other version.
    """
    deployment, output = find(stack), Output(is_json=json)
    _known([name], deployment)
    version = _require(deployment, name, None)
    output.note(f"{name}: back to version {version}, which was in use before.")
    _run({"choose": {name: version}}, deployment, output, wait=wait)


def start(deployment: Deployment, asked: Mapping[str, Any]) -> str:
    """Start a run of models and return its execution's ARN."""
    now = datetime.now(UTC)
    answer = deployment.client("stepfunctions").start_execution(
        stateMachineArn=deployment.output("ModelsMachineArn"),
        name=f"manual-{now:%Y%m%dT%H%M%S%f}",
        input=json_module.dumps(asked),
    )
    return str(answer["executionArn"])


def _run(asked: Mapping[str, Any], deployment: Deployment, output: Output, *, wait: bool) -> None:
    from stamgast_cli.modelling.asked import tried_in

    arn = start(deployment, asked)
    if not wait:
        output.facts({"execution": arn})
        return
    try:
        told = follow(deployment, arn, output, LISTS)
    except RunFailedError as error:
        raise RunFailedError(str(error), hint=FAILED) from error
    tried = tried_in(deployment, told["run_id"]) if asked.get("train") else []
    if output.is_json:
        output.document({**told, "tried": tried})
        return
    if tried:
        output.rows(("model", "is", "why"), [_became(one) for one in tried])
    output.facts({name: told[name] for name in ("execution", "seconds", "run_id") if name in told})
    names = ("model", "version", "people", "mean", "scored on")
    rows = [
        (name, one["version"], f"{one['people']:,}", _mean(one["mean"]), one["scored_on"])
        for name, one in told.get("figures", {}).get("store_scores", {}).get("scored", {}).items()
    ]
    if rows:
        output.rows(names, rows)
    else:
        output.note("Nobody was scored: `stamgast model card NAME` says why.")


def _became(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return one["model"], one["state"].replace("_", " "), one["why"] or ""


def _mean(told: float | None) -> str:
    return "–" if told is None else f"{told:.4g}"


def _known(names: Iterable[str] | None, deployment: Deployment) -> list[str]:
    """The models that are meant; raises InputError for one that the workspace does not declare."""
    declared = [model.name for model in models_of(store(deployment).current().models)]
    if not declared:
        raise InputError(
            "the workspace declares no model",
            hint="Write workspace/models.yaml (docs/models.md), then `stamgast workspace publish`.",
        )
    wanted = list(names or declared)
    unknown = [name for name in wanted if name not in declared]
    if unknown:
        told = ", ".join(repr(name) for name in unknown)
        raise InputError(f"no model is named {told}", hint=f"There are: {', '.join(declared)}.")
    return wanted


def _require(deployment: Deployment, name: str, version: str | None) -> str:
    """The version that is meant, or the one before that in use; raises InputError without it."""
    from stamgast_cli.modelling.asked import rows_of
    from stamgast_lake.models.plan import UnknownModelError, chosen

    try:
        return str(chosen(rows_of(deployment, name), name, version)["version"])
    except UnknownModelError as error:
        hint = f"`stamgast model compare {name}` lists versions; `train` makes one."
        raise InputError(str(error), hint=hint) from error
