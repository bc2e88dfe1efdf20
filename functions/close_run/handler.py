"""Closes a run: writes its rows, and lets the next one begin."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast_aws.run_lease import DynamoRunLease, LeaseLostError
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.maintenance import maintain_daily
from stamgast_lake.runs import DONE, Run, close_run


class Settings(RunSettings):
    """The function's environment."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with the run's status; a failed run leaves what was committed."""
    run = Run.of(event)
    status = close_run(
        _lake(),
        run,
        figures=event.get("figures", {}),
        error=_error_of(event),
        closed_at=datetime.now(UTC),
    )
    try:
        if status == DONE:
            _logger().info("upkeep", figures=maintain_daily(_lake(), run))
    finally:
        _release(run)
    _logger().info("run closed", run_id=run.run_id, seq=run.seq, run_status=status)
    return {**event, "status": status}


def _release(run: Run) -> None:
    try:
        _lease().release(run.run_id, run.seq)
    except LeaseLostError:
        _logger().warning("lease lost before the close", run_id=run.run_id, seq=run.seq)


def _error_of(event: dict[str, Any]) -> str | None:
    """The name of what went wrong; causes stay in the logs, for they may quote data."""
    if event.get("status") != "failed":
        return None
    told = event.get("error")
    name = told.get("Error") or told.get("code") if isinstance(told, dict) else told
    return str(name or "unknown")[:200]


@cache
def _lease() -> DynamoRunLease:
    return run_lease(read_settings(Settings))


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
