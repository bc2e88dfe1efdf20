"""Opens a run of the authoritative loop: takes the lease and lists what is new."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast_aws.run_lease import DynamoRunLease
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_lake.begun import begin, close_left
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.loading.load import STAGE
from stamgast_lake.loading.unheld import may_wait
from stamgast_lake.runs import Run, is_owed, open_run


class Settings(RunSettings):
    """The function's environment."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers the run and how much it takes in; 0 inputs when there is nothing to do.

    Files of the drop zone are told by their tags: executions are kept for months, and a name may
    tell of somebody. The machine hands over its `input` and the `execution` that this run is.
    `everything` in the input publishes every person and anchor anew, into a view that was lost.
    """
    now, execution = datetime.now(UTC), event.get("execution")
    # An execution of the version before hands over its input alone.
    event = event.get("input", event)
    moment = datetime.fromisoformat(event["moment"]) if "moment" in event else now
    run_id = event.get("run_id") or f"{now:%Y%m%dT%H%M%SZ}-{context.aws_request_id[:8]}"
    held = _lease().read()
    seq = _lease().acquire(run_id, execution)
    if seq is None:
        _logger().info("run held by another", run_id=run_id)
        return {"run_id": run_id, "inputs": 0, "imports": [], "status": "busy"}
    was_abandoned = held is not None and held.expires_at_s > 0 and held.run_id != run_id
    try:
        return _opened(Run(run_id, seq, moment.astimezone(UTC)), was_abandoned, event)
    except Exception:
        _lease().release(run_id, seq)
        raise


def _opened(run: Run, was_abandoned: bool, event: dict[str, Any]) -> dict[str, Any]:
    lake = _lake()
    inputs = open_run(lake, run)
    left = close_left(lake, run, datetime.now(UTC))
    if left is not None:
        _logger().warning("run left open by another is closed", run_id=run.run_id, left=left)
    everything = bool(event.get("everything"))
    is_asked = everything or bool(event.get("force"))
    is_wanted = was_abandoned or is_asked or is_owed(lake, run) or may_wait(lake, STAGE)
    figures = {"objects": len(inputs.objects), "imports": len(inputs.imports)}
    _logger().info(
        "run opened", run_id=run.run_id, seq=run.seq, is_wanted=is_wanted, figures=figures
    )
    if inputs.count or is_wanted:
        begin(lake, run)
    else:
        _lease().release(run.run_id, run.seq)
    return {
        "run_id": run.run_id,
        "seq": run.seq,
        "moment": inputs.moment,
        "inputs": inputs.count or int(is_wanted),
        "imports": [one.tag for one in inputs.imports],
        "everything": everything,
        "figures": {"open_run": figures},
    }


@cache
def _lease() -> DynamoRunLease:
    return run_lease(read_settings(Settings))


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
