"""What a deployment's lake says of models."""

from collections.abc import Callable
from typing import Any

from stamgast_cli.deployment import Deployment
from stamgast_cli.lake import select

Rows = list[dict[str, Any]]
OF_MODEL = "select * from models where model = '{model}'"
OF_VERSION = "select model, state, why from models where version = '{version}' order by model"


def asking(deployment: Deployment) -> Callable[[str], Rows]:
    """A function that asks the lake, and answers rows by the names of their columns."""

    def ask(sql: str) -> Rows:
        names, rows = select(deployment, sql)
        return [dict(zip(names, row, strict=True)) for row in rows]

    return ask


def rows_of(deployment: Deployment, model: str) -> Rows:
    """Every row of the log of a model's versions."""
    return asking(deployment)(OF_MODEL.format(model=model))


def tried_in(deployment: Deployment, run_id: str) -> Rows:
    """What became of each version that a run trained: the model, its state, and why."""
    from stamgast_lake.models.plan import version_of

    return asking(deployment)(OF_VERSION.format(version=version_of(run_id)))
