"""The run that was begun last: one that nobody closed is closed as failed by the next opening.

What a run has committed and noted is owed to the next as long as `runs` names it and no later run
is done. A run whose every step stopped, its close among them, leaves no row there by itself.
"""

from datetime import datetime
from typing import Any

import orjson
import pyarrow.dataset as ds
from botocore.exceptions import ClientError

from stamgast_lake.lake import Lake
from stamgast_lake.runs import WHOLE, Run, close_run
from stamgast_lake.tables import RUNS

BEGUN_KEY = "runs/begun.json"
STOPPED = "Stopped"


def begin(lake: Lake, run: Run) -> None:
    """Keeps the name of a run that has work, before its first commit."""
    told = {"run_id": run.run_id, "seq": run.seq, "moment": run.moment.isoformat()}
    lake.s3.put_object(Bucket=lake.bucket, Key=BEGUN_KEY, Body=orjson.dumps(told))


def close_left(lake: Lake, run: Run, closed_at: datetime) -> str | None:
    """Closes the run that was begun before this one and never closed; its name, or None."""
    told = _begun(lake)
    if told is None or told["run_id"] == run.run_id:
        return None
    left = Run.of(told)
    if _is_closed(lake, left.run_id):
        return None
    close_run(lake, left, figures={}, error=STOPPED, closed_at=closed_at)
    return left.run_id


def _is_closed(lake: Lake, run_id: str) -> bool:
    where = (ds.field("run_id") == run_id) & (ds.field("stage") == WHOLE)
    return bool(lake.catalogue.dataset(RUNS).count_rows(where))


def _begun(lake: Lake) -> dict[str, Any] | None:
    try:
        answer = lake.s3.get_object(Bucket=lake.bucket, Key=BEGUN_KEY)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    told: dict[str, Any] = orjson.loads(answer["Body"].read())
    return told
