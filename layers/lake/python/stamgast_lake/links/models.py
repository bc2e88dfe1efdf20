"""The models of links as the lake keeps them: the newest in use, when one was last tried."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa

from stamgast.identity.links import LinkKind
from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.runs import Run
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import LINK_MODELS

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a run learnt of a kind: a version, whether it is used, why not, and how it fared."""

    version: str
    is_used: bool
    why: str | None
    model: Row | None
    report: Row


def newest(lake: Lake, kind: LinkKind, *, is_used: bool = False) -> Row | None:
    """The newest row of a kind, or of those in use; None before the first."""
    rows = [
        row
        for row in lake.catalogue.dataset(LINK_MODELS).to_table().to_pylist()
        if row["kind"] == kind and (row["is_used"] or not is_used)
    ]
    return max(rows, key=lambda row: (row["trained_at"], row["run_id"]), default=None)


def model_in_use(lake: Lake, kind: LinkKind) -> Row | None:
    """The model that states a kind's links now, as data."""
    row = newest(lake, kind, is_used=True)
    if row is None or row["model"] is None:
        return None
    told: Row = orjson.loads(row["model"])
    return told


def is_training_due(lake: Lake, kind: LinkKind, moment: datetime, every_days: int) -> bool:
    """Whether so many days have passed since a model of this kind was last tried."""
    row = newest(lake, kind)
    return row is None or row["trained_at"] <= moment - timedelta(days=every_days)


def keep_model(lake: Lake, run: Run, kind: LinkKind, tried: Tried) -> None:
    """Appends what a run learnt; once a run and kind."""
    row = {
        "kind": kind.value,
        "version": tried.version,
        "trained_at": run.moment,
        "is_used": tried.is_used,
        "why": tried.why,
        "model": None if tried.model is None else orjson.dumps(tried.model).decode(),
        "report": orjson.dumps(tried.report).decode(),
        "run_id": run.run_id,
    }
    rows = pa.Table.from_pylist([row], schema=arrow_schema(LINK_MODELS)).to_reader()
    lake.catalogue.append(LINK_MODELS, rows, Commit(run.run_id, f"model {kind}"))
