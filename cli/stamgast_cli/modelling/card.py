"""The card of a model: what it predicts, of whom, how well, and where it fails."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from stamgast.models.declaration import Kind, Model
from stamgast.moments import iso_of
from stamgast_lake.features.run import Written, write_panel
from stamgast_lake.lake import Lake
from stamgast_learn.faults import AbstainedError
from stamgast_learn.lifetime.judged import judge as judge_values
from stamgast_learn.predict.panel import read_panel
from stamgast_learn.predict.run import Order, learn_run, score_run

Step: TypeAlias = Callable[[str], AbstractContextManager[None]]
Json: TypeAlias = dict[str, Any]
TRIAL = "trial"
LIMITS = (
    "Persons are those that identity knows today, in the past, too.",
    "Of features that tell the same, the reasons name the one that was split on first.",
    "Who was scored high was often treated differently since; outcomes include that treatment.",
)


def card_of(lake: Lake, model: Model, moment_ms: int, step: Step) -> Json:
    """The card of a model as it would be if it were trained now; nothing is stored."""
    with TemporaryDirectory(prefix="stamgast-model-") as folder:
        path = Path(folder) / "panel.parquet"
        with step("measuring people at each cut-off"):
            written = write_panel(lake, model, moment_ms, path)
        with step("learning from older cut-offs, judging by later ones"):
            told = _values(model, path) if _is_value(model) else _odds(model, written, path, folder)
    return {**_about(model, written, moment_ms), **told}


def _is_value(model: Model) -> bool:
    return model.kind is Kind.LIFETIME_VALUE


def _names(model: Model) -> tuple[str, ...]:
    return tuple(feature.name for feature in model.features)


def _odds(model: Model, written: Written, path: Path, folder: str) -> Json:
    order = Order(
        model=model.name,
        version=TRIAL,
        features=_names(model),
        within_days=model.within_days,
        least_of_each=model.least_of_each,
        margin=model.margin,
        history_days=written.history_days,
        is_training=True,
        is_look_alike=model.kind is Kind.LOOK_ALIKE,
    )
    outcome, made = learn_run(order, path, None)
    told: Json = {"is_used": outcome.is_used, "why": outcome.why, "report": dict(outcome.report)}
    if made is not None:
        scores = Path(folder) / "scores.parquet"
        told["now"] = score_run(
            made, path, order.features, scores, is_look_alike=order.is_look_alike
        )
    return told


def _values(model: Model, path: Path) -> Json:
    panel = read_panel(path, _names(model)).labelled
    try:
        judgement = judge_values(panel, model.within_days, model.margin)
    except AbstainedError as error:
        return {"is_used": False, "why": str(error), "report": {"rows": len(panel)}}
    return {"is_used": True, "why": None, "report": {"judgement": judgement.to_json()}}


def _about(model: Model, written: Written, moment_ms: int) -> Json:
    texts: Mapping[str, str | None] = model.texts
    return {
        "model": model.name,
        "kind": model.kind.value,
        "title": model.title,
        "description": model.description,
        "definition": model.version,
        "within_days": model.within_days,
        "target": texts.get("target"),
        "population": texts.get("population"),
        "exclude": texts.get("exclude"),
        "seed": model.seed,
        "purpose": model.purpose,
        "features": {feature.name: feature.text for feature in model.features},
        "as_of": iso_of(moment_ms),
        "made_at": iso_of(int(datetime.now(UTC).timestamp() * 1000)),
        "scored_on": str(written.scored_on),
        "learnt_on": [str(day) for day in written.learnt_on],
        "history_days": written.history_days,
        "limits": list(LIMITS),
    }
