"""Closes a run: writes its rows, and lets the next one begin."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from time import sleep
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from stamgast.identity.explain.drift import drift_of
from stamgast.store_error import StoreError
from stamgast_aws.clients import client
from stamgast_aws.identity_store import DynamoIdentityStore
from stamgast_aws.run_lease import DynamoRunLease, LeaseLostError
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_lake.health import (
    STAGE,
    HealthError,
    emitted,
    findings_of,
    is_due,
    known_pairs,
    measure,
    sample,
)
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.maintenance import maintain_daily
from stamgast_lake.models.history import shifted
from stamgast_lake.runs import DONE, Run, close_run


@dataclass(frozen=True, slots=True)
class Settings(RunSettings):
    """The function's environment."""

    profiles_table: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with the run's status; a failed run leaves what was committed."""
    run, error = Run.of(event), _error_of(event)
    status = close_run(
        _lake(),
        run,
        figures={**event.get("figures", {}), **({} if error else _health(run))},
        error=error,
        closed_at=datetime.now(UTC),
    )
    try:
        if status == DONE:
            _logger().info("upkeep", figures=maintain_daily(_lake(), run))
    finally:
        _release(run)
    _logger().info("run closed", run_id=run.run_id, seq=run.seq, run_status=status)
    return {**event, "status": status}


def _health(run: Run) -> dict[str, Any]:
    """The figures of identity, where this run measures them; never what a run fails by."""
    try:
        if not is_due(_lake(), run):
            return {}
        drift = drift_of(_store(), sample(_lake(), run.run_id), partial(known_pairs, _lake()))
        figures = {**measure(_lake()), "drift": drift, "models_shifted": shifted(_lake())}
        limit = _lake().workspace().identity.person_limit
    except (BotoCoreError, ClientError, HealthError, StoreError) as error:
        _logger().warning("identity's health not measured", error=type(error).__name__)
        return {}
    figures["findings"] = findings_of(figures, limit)
    for metric, figure in emitted(figures).items():
        _metrics().add_metric(name=metric, unit=MetricUnit.Count, value=figure)
    _metrics().flush_metrics()
    return {STAGE: figures}


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
def _store() -> DynamoIdentityStore:
    told = read_settings(Settings)
    return DynamoIdentityStore(client("dynamodb"), told.profiles_table, told.control_table, sleep)


@cache
def _metrics() -> Metrics:
    return Metrics()


@cache
def _lease() -> DynamoRunLease:
    return run_lease(read_settings(Settings))


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
