"""Opening and closing a run: what it takes in, and the rows that say how it went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
import pyarrow.dataset as ds
from botocore.exceptions import ClientError

from stamgast_lake.catalogue import Commit
from stamgast_lake.erasure.arrived import without_names
from stamgast_lake.erasure.put_back import PutBack
from stamgast_lake.inputs import (
    RECENT,
    THOROUGH,
    Inputs,
    Listing,
    new_imports,
    new_objects,
)
from stamgast_lake.lake import Lake
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import RUNS

INPUTS = "inputs.json"
THOROUGH_KEY = "runs/thorough.json"
WHOLE = "run"
CLOSE = "close"
LINKS_STAGE, MODELS_STAGE = "links", "models"
DONE, FAILED = "done", "failed"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that holds the lease: its name, its number, and its now."""

    run_id: str
    seq: int
    moment: datetime

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Run":
        """The run that a state machine's payload names."""
        moment = datetime.fromisoformat(event["moment"]).astimezone(UTC)
        return cls(event["run_id"], int(event["seq"]), moment)


def open_run(lake: Lake, run: Run) -> Inputs:
    """Lists what is new and writes the list; from here on the run reads nothing else."""
    if lake.catalogue.find(RUNS) is None:
        lake.catalogue.create_all()
    listing = Listing(lake.s3, lake.bucket)
    is_thorough = _thorough_on(lake) != run.moment.date().isoformat()
    span = THOROUGH if is_thorough else RECENT
    arrived = PutBack(lake).without_copies(new_imports(lake.catalogue, listing.imports()))
    inputs = Inputs(
        run_id=run.run_id,
        seq=run.seq,
        moment=run.moment.isoformat(),
        workspace_version=lake.workspace().version,
        is_thorough=is_thorough,
        objects=new_objects(lake.catalogue, listing.archive(run.moment, span)),
        imports=tuple(without_names(lake, arrived)),
    )
    lake.put_document(run.run_id, INPUTS, inputs.to_json())
    if is_thorough:
        told = orjson.dumps({"on": run.moment.date().isoformat()})
        lake.s3.put_object(Bucket=lake.bucket, Key=THOROUGH_KEY, Body=told)
    return inputs


def displaced(event: Mapping[str, Any]) -> int:
    """How many messages the run's load replaced by an earlier copy, from a payload."""
    return int(event.get("figures", {}).get("load_events", {}).get("displaced", 0))


def inputs_of(lake: Lake, run_id: str) -> Inputs:
    """The list that the run's opening wrote."""
    return Inputs.from_json(lake.document(run_id, INPUTS))


def _thorough_on(lake: Lake) -> str | None:
    try:
        answer = lake.s3.get_object(Bucket=lake.bucket, Key=THOROUGH_KEY)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    on: str = orjson.loads(answer["Body"].read())["on"]
    return on


def is_owed(lake: Lake, run: Run) -> bool:
    """Whether a run has work although nothing is new.

    So it is when the run closed last had failed; when a day of the workspace's time zone has begun
    since, for windows pass without an event; when the workspace says something else now; and when a
    run of models has scored people since, for segments read scores.
    """
    last = _closed_last(lake)
    if last is None:
        return False
    workspace = lake.workspace()
    zone = ZoneInfo(workspace.time_zone)
    days = [moment.astimezone(zone).date() for moment in (last["moment"], run.moment)]
    is_other = last["workspace_version"] != workspace.version
    is_scored = _closed_last(lake, MODELS_STAGE, last["moment"]) is not None
    return bool(last["status"] == FAILED or is_other or days[0] < days[1] or is_scored)


def _closed_last(
    lake: Lake, stage: str = WHOLE, after: datetime | None = None
) -> dict[str, Any] | None:
    columns = ["seq", "status", "moment", "workspace_version"]
    dataset = lake.catalogue.dataset(RUNS)
    rows = dataset.to_table(columns=columns, filter=ds.field("stage") == stage).to_pylist()
    rows = [row for row in rows if after is None or row["moment"] > after]
    return max(rows, key=lambda row: row["seq"], default=None)


def close_run(
    lake: Lake, run: Run, *, figures: Mapping[str, Any], error: str | None, closed_at: datetime
) -> str:
    """Writes a row for the run and one for each stage that told figures; returns the status."""
    status = DONE if error is None else FAILED
    inputs = inputs_of(lake, run.run_id)
    shared = {
        "run_id": run.run_id,
        "seq": run.seq,
        "moment": run.moment,
        "inputs": inputs.count,
        "workspace_version": inputs.workspace_version,
        "closed_at": closed_at,
    }
    rows = [{**shared, **_stage_row(stage, told)} for stage, told in sorted(figures.items())]
    whole = {"stage": WHOLE, "status": status, "error": error, "figures": "{}"}
    table = pa.Table.from_pylist([*rows, {**shared, **whole}], schema=arrow_schema(RUNS))
    lake.catalogue.append(RUNS, table.to_reader(), Commit(run.run_id, CLOSE))
    return status


def close_stage(
    lake: Lake, run: Run, stage: str, figures: Mapping[str, Any], closed_at: datetime
) -> None:
    """A row of a run that is of one stage alone; later runs know its moment and what it did."""
    row = {
        "run_id": run.run_id,
        "seq": run.seq,
        "moment": run.moment,
        "inputs": 0,
        "workspace_version": lake.workspace().version,
        "closed_at": closed_at.astimezone(UTC),
        **_stage_row(stage, figures),
    }
    rows = pa.Table.from_pylist([row], schema=arrow_schema(RUNS)).to_reader()
    lake.catalogue.append(RUNS, rows, Commit(run.run_id, stage))


def _stage_row(stage: str, told: object) -> dict[str, object]:
    return {
        "stage": stage,
        "status": DONE,
        "error": None,
        "figures": orjson.dumps(told, default=str).decode(),
    }
