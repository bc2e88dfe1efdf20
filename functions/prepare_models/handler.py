"""Begins a run of models: what is due, everybody measured for it, what came of old scores."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast_aws.run_wiring import RunSettings, lake_access
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.models.plan import Asked
from stamgast_lake.models.prepare import prepare_run
from stamgast_lake.runs import Run


class Settings(RunSettings):
    """The function's environment."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers the run, whether it has work, and which models are to be trained.

    `train`, `score` and `choose` in the event name models; of the schedule's nothing, what is due
    is done. Nothing is committed, so no lease is needed.
    """
    now = datetime.now(UTC)
    moment = datetime.fromisoformat(event["moment"]) if "moment" in event else now
    run_id = event.get("run_id") or f"models-{now:%Y%m%dT%H%M%SZ}-{context.aws_request_id[:8]}"
    run = Run(run_id, 0, moment.astimezone(UTC))
    told = prepare_run(_lake(), run, Asked.of(event))
    _logger().info("models prepared", run_id=run_id, figures=told)
    return {"run_id": run_id, "moment": run.moment.isoformat(), "tries": 0, **told}


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
