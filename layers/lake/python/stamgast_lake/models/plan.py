"""What a run of models is asked, and what it makes of that: which version of which model."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson

from stamgast.models.declaration import Model
from stamgast.models.documents import PLAN
from stamgast.models.states import Row, before, newest
from stamgast_lake.lake import Lake
from stamgast_lake.runs import Run

Json = dict[str, Any]
PINNED = ("version", "artefact", "sha256", "definition", "reference")


class UnknownModelError(Exception):
    """No model of this name, or no version of it that could score."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked of a run; of the schedule it is nothing, and what is due is done.

    `train` and `score` name models, whenever they were last; `choose` a model and the version that
    is to be used from now on, None for the one before.
    """

    train: tuple[str, ...] = ()
    score: tuple[str, ...] = ()
    choose: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Asked":
        """What an execution's input asks."""
        return cls(
            tuple(event.get("train", ())), tuple(event.get("score", ())), event.get("choose", {})
        )

    @property
    def names(self) -> set[str]:
        """The models that it names."""
        return {*self.train, *self.score, *self.choose}


@dataclass(frozen=True, slots=True)
class Planned:
    """A model in a run, as the run pinned it at its beginning."""

    version: str
    declaration: Json
    is_training: bool
    champion: Json | None
    chosen: Json | None
    history_days: int
    scored_on: str
    learnt_on: Sequence[str]
    shards: Mapping[str, int]
    about: Json


def version_of(run_id: str) -> str:
    """The version of what this run trains."""
    return run_id.removeprefix("models-")


def plan_of(lake: Lake, run: Run) -> dict[str, Planned]:
    """The plan that the run's beginning wrote."""
    told = orjson.loads(lake.document(run.run_id, PLAN))
    return {name: Planned(**one) for name, one in told.items()}


def put_plan(lake: Lake, run: Run, plan: Mapping[str, Planned]) -> None:
    """Keeps the plan."""
    told = orjson.dumps({name: asdict(one) for name, one in plan.items()})
    lake.put_document(run.run_id, PLAN, told)


def pinned(row: Row | None) -> Json | None:
    """What scoring needs of a registered version."""
    if row is None or row["artefact"] is None:
        return None
    told = {name: row[name] for name in PINNED}
    reference = orjson.loads(row["reference"]) if row["reference"] else None
    return {**told, "reference": reference, "declaration": orjson.loads(row["declaration"])}


def chosen(rows: Sequence[Row], model: str, version: str | None) -> Row:
    """The version to use from now on; raises UnknownModelError where there is none."""
    if version is None:
        row = before(rows, model)
        if row is None:
            raise UnknownModelError(f"{model} has no version before the one in use")
        return row
    found = newest(rows).get((model, version))
    if found is None or found["artefact"] is None:
        raise UnknownModelError(f"{model} has no version {version} that could score")
    return found


def is_training_due(rows: Sequence[Row], model: Model, run: Run) -> bool:
    """Whether this declaration was not tried for so many days."""
    since = run.moment - timedelta(days=model.train_every_days)
    tried = (row for row in rows if row["model"] == model.name)
    return not any(r["definition"] == model.version and r["trained_at"] > since for r in tried)


def is_scoring_due(scored: Mapping[str, Any] | None, champion: Json | None, today: date) -> bool:
    """Whether the version in use has not scored this day's cut-off."""
    if champion is None:
        return False
    if scored is None:
        return True
    return (scored["scored_on"], scored["version"]) != (str(today), champion["version"])
