"""Past runs of models as `runs` keeps them: what each scored, how it drifted, what came true."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import pyarrow.dataset as ds

from stamgast.models.drift import has_shifted
from stamgast_lake.lake import Lake
from stamgast_lake.runs import MODELS_STAGE
from stamgast_lake.tables import RUNS


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that was stored: by model what it scored, and what it found had come true."""

    run_id: str
    moment: datetime
    scored: Mapping[str, Mapping[str, Any]]
    realised: tuple[Mapping[str, Any], ...]


def past_runs(lake: Lake) -> list[PastRun]:
    """Every stored run of models, the oldest first."""
    columns = ["run_id", "moment", "figures"]
    asked = lake.catalogue.dataset(RUNS)
    rows = asked.to_table(columns=columns, filter=ds.field("stage") == MODELS_STAGE).to_pylist()
    return [_past(row) for row in sorted(rows, key=lambda row: (row["moment"], row["run_id"]))]


def _past(row: Mapping[str, Any]) -> PastRun:
    told = orjson.loads(row["figures"])
    realised = tuple(told.get("realised", ()))
    return PastRun(row["run_id"], row["moment"], told.get("scored", {}), realised)


def shifted(lake: Lake) -> int:
    """How many models say other things of people than when they were trained."""
    newest = {name: one for past in past_runs(lake) for name, one in past.scored.items()}
    return sum(map(has_shifted, newest.values()))
