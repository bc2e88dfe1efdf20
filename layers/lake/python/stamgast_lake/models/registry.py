"""The stage `register_models`: what was trained is kept, and which version is used is decided."""

from collections.abc import Mapping
from typing import Any

import orjson
import pyarrow as pa
from botocore.exceptions import ClientError

from stamgast.models.documents import ARTEFACT, MADE, OUTCOME, PINNED
from stamgast.models.drift import drift_of
from stamgast.models.states import Row, State, champions, newest
from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.models.plan import Planned, pinned, plan_of
from stamgast_lake.runs import Run
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import MODELS

STAGE = "models"
Json = dict[str, Any]


def registered(lake: Lake) -> list[Row]:
    """Every row of the log of versions."""
    rows: list[Row] = lake.catalogue.dataset(MODELS).to_table().to_pylist()
    return rows


def register_run(lake: Lake, run: Run) -> Json:
    """Appends what became of each model, pins who scores; which shards there are to score.

    The caller holds the run's lease. Repeating it changes nothing. A model whose training failed
    keeps the version in use.
    """
    plan, rows = plan_of(lake, run), registered(lake)
    outcomes = {name: _outcome(lake, run, name) for name, one in plan.items() if one.is_training}
    failed = [name for name, outcome in outcomes.items() if outcome is None]
    commit = Commit(run.run_id, STAGE)
    if not lake.catalogue.is_done(MODELS, commit):
        made: list[Json] = []
        for name, one in plan.items():
            made += _rows(lake, run, rows, name, one, outcomes.get(name))
        if made:
            table = pa.Table.from_pylist(made, schema=arrow_schema(MODELS))
            order = [(column, "ascending") for column in MODELS.sort]
            lake.catalogue.append(MODELS, table.sort_by(order).to_reader(), commit)
    in_use, shards = champions(registered(lake)), []
    for name, one in plan.items():
        shards += _pin(lake, run, name, one, in_use.get(name))
    return {"shards": shards, "failed": failed}


def _outcome(lake: Lake, run: Run, name: str) -> Json | None:
    """What training left; None where it failed."""
    try:
        told: Json = orjson.loads(lake.document(run.run_id, OUTCOME.format(model=name)))
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    return told


def _rows(
    lake: Lake,
    run: Run,
    rows: list[Row],
    name: str,
    one: Planned,
    outcome: Json | None,
) -> list[Json]:
    """The rows of one model: the version that was tried, and the one whose place it takes."""
    stamp = {"recorded_at": run.moment, "run_id": run.run_id}
    present = champions(rows).get(name)
    if one.chosen is not None:
        row = newest(rows)[name, one.chosen["version"]]
        why = "it was chosen by hand"
        return _succeeded(present, {**row, **stamp, "state": State.CHAMPION, "why": why})
    if outcome is None:
        return []
    tried = _tried(lake, run, name, one, outcome)
    was = one.champion["version"] if one.champion else None
    if tried["state"] == State.CHAMPION and (present["version"] if present else None) != was:
        why = "another version came into use while it was trained; train it again"
        return [{**tried, "state": State.KEPT_OUT, "why": why}]
    return _succeeded(present, tried)


def _succeeded(present: Row | None, row: Json) -> list[Json]:
    """The row, and a row for the version whose place it takes."""
    if row["state"] != State.CHAMPION or present is None or present["version"] == row["version"]:
        return [row]
    gone = {"state": State.RETIRED, "why": f"version {row['version']} took its place"}
    stamp = {name: row[name] for name in ("recorded_at", "run_id")}
    return [row, {**present, **gone, **stamp}]


def _tried(lake: Lake, run: Run, name: str, one: Planned, outcome: Json) -> Json:
    state, key = _state(outcome), None
    if state is State.CHAMPION and outcome.get("sha256"):
        key = ARTEFACT.format(model=name, version=one.version)
        body = lake.document(run.run_id, MADE.format(model=name))
        lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=body)
    card = {
        **one.about,
        "version": one.version,
        "is_used": outcome["is_used"],
        "why": outcome["why"],
        "report": outcome["report"],
        "now": outcome.get("now"),
    }
    reference = outcome.get("reference")
    return {
        "model": name,
        "version": one.version,
        "state": state.value,
        "why": outcome["why"],
        "kind": one.about["kind"],
        "definition": one.about["definition"],
        "declaration": _json(one.declaration),
        "trained_at": run.moment,
        "scored_on": pa.scalar(one.scored_on).cast(pa.date32()).as_py(),
        "learnt_on": _json(one.learnt_on),
        "artefact": key,
        "sha256": outcome.get("sha256"),
        "reference": None if reference is None else _json(reference),
        "metrics": _json(outcome["report"].get("judgement", {})),
        "card": _json(card),
        "recorded_at": run.moment,
        "run_id": run.run_id,
    }


def _state(outcome: Mapping[str, Any]) -> State:
    if outcome["is_used"]:
        return State.CHAMPION
    return State.KEPT_OUT if "judgement" in outcome["report"] else State.ABSTAINED


def _pin(lake: Lake, run: Run, name: str, one: Planned, row: Row | None) -> list[Json]:
    """Writes down which version scores in this run; the shards of people measured for it."""
    told = pinned(row)
    if told is not None and told["definition"] not in one.shards:
        told = None
    if told is not None and told["version"] == one.version:
        told["since_before"] = _since_before(lake, run, name, one.champion)
    lake.put_document(run.run_id, PINNED.format(model=name), orjson.dumps(told))
    if told is None:
        return []
    return [{"model": name, "shard": shard} for shard in range(one.shards[told["definition"]])]


def _since_before(lake: Lake, run: Run, name: str, before: Json | None) -> Mapping[str, float]:
    """How far people are from those whom the version before first scored, by its own scores."""
    counted = (_outcome(lake, run, name) or {}).get("before")
    return drift_of(before["reference"], [counted]) if before and counted else {}


def _json(told: Any) -> str:
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()
