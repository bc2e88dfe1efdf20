"""Begins a run of models: what is due, everybody measured for it, what came true since."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from stamgast.models.card import about
from stamgast.models.declaration import Model, model_of, models_of
from stamgast.models.documents import REALISED
from stamgast.models.states import champions
from stamgast.moments import ms_of
from stamgast.segments.language.days import day_of
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.models.history import past_runs
from stamgast_lake.models.panels import Bench, bench_of, measure
from stamgast_lake.models.plan import (
    Asked,
    Json,
    Planned,
    UnknownModelError,
    chosen,
    is_scoring_due,
    is_training_due,
    pinned,
    put_plan,
    version_of,
)
from stamgast_lake.models.realised import due, realised
from stamgast_lake.models.registry import registered
from stamgast_lake.runs import Run


def prepare_run(lake: Lake, run: Run, asked: Asked) -> Json:
    """Writes the plan and everybody whom it is about; which models are trained, which there are.

    Versions in use are written down here: a run knows them from its beginning to its end.
    """
    declared = {model.name: model for model in models_of(lake.workspace().models)}
    unknown = sorted(asked.names - declared.keys())
    if unknown:
        raise UnknownModelError(f"no model is named {', '.join(unknown)}")
    wanted = {
        name: one for name, one in _wanted(lake, run, asked, declared).items() if one is not None
    }
    runs = past_runs(lake)
    owed = due(runs, run, lake.workspace())
    if not wanted and not owed:
        return {"train": [], "models": [], "has_work": False}
    with session() as engine:
        bench = bench_of(engine, lake, run)
        told = [realised(bench, one) for one in owed]
        lake.put_document(run.run_id, REALISED, orjson.dumps([one for one in told if one]))
        plan = {name: _planned(bench, declared[name], one) for name, one in wanted.items()}
    put_plan(lake, run, plan)
    trained = [name for name, one in plan.items() if one.is_training]
    return {"train": trained, "models": sorted(plan), "has_work": True}


def _wanted(
    lake: Lake, run: Run, asked: Asked, declared: Mapping[str, Model]
) -> dict[str, Json | None]:
    """Of each model that is to be worked at what is to be done; None for the others."""
    rows = registered(lake)
    in_use = {name: pinned(row) for name, row in champions(rows).items()}
    scored = {name: one for past in past_runs(lake) for name, one in past.scored.items()}
    today = day_of(ms_of(run.moment), ZoneInfo(lake.workspace().time_zone))
    told: dict[str, Json | None] = {}
    for name, model in declared.items():
        champion = in_use.get(name)
        choice = pinned(chosen(rows, name, asked.choose[name])) if name in asked.choose else None
        is_training = name in asked.train
        is_scoring = name in asked.score or name in asked.train
        if not asked.names:
            is_training = is_training_due(rows, model, run)
            is_scoring = is_scoring_due(scored.get(name), champion, today)
        does = is_training or choice is not None or (is_scoring and champion is not None)
        work = {"is_training": is_training, "champion": champion, "chosen": choice}
        told[name] = work if does else None
    return told


def _planned(bench: Bench, model: Model, work: Mapping[str, Any]) -> Planned:
    """People measured by the declaration that is trained, and by that of the version in use."""
    scoring = [one for one in (work["chosen"] or work["champion"],) if one is not None]
    definitions = {one["definition"]: model_of(one["declaration"]) for one in scoring}
    if work["is_training"]:
        # Those of one definition share shards: amounts stay in the currency of the one in use.
        used = definitions.get(model.version, model)
        definitions[model.version] = model = replace(model, currency=used.currency)
    shards = {}
    for definition, one in definitions.items():
        is_learnt = work["is_training"] and definition == model.version
        written, shards[definition] = measure(bench, one, is_training=is_learnt)
        if is_learnt or definition == next(iter(definitions)):
            kept = written
    told = (kept.scored_on, kept.learnt_on, kept.history_days)
    champion = work["champion"]
    amounts = None if kept.amounts is None else asdict(kept.amounts)
    model = replace(model, currency=amounts["currency"] if amounts else None)
    return Planned(
        version=version_of(bench.run.run_id),
        declaration=model.document | {"texts": dict(model.texts)},
        is_training=work["is_training"],
        champion=champion,
        chosen=work["chosen"],
        history_days=kept.history_days,
        scored_on=str(kept.scored_on),
        learnt_on=[str(day) for day in kept.learnt_on],
        shards=shards,
        about=about(model, bench.moment_ms, *told, kept.known, amounts, kept.drawn),
    )
