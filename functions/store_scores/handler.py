"""Ends a run of models under the run's lease: logs what differs, and tells the live view."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from stamgast.metrics import Metric
from stamgast_aws.clients import client
from stamgast_aws.jitter import full_jitter
from stamgast_aws.person_rows import DynamoPersonRows
from stamgast_aws.run_lease import DynamoRunLease
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.models.store import store_run
from stamgast_lake.publishing.work import PersonRow
from stamgast_lake.runs import Run

THREADS = 8


@dataclass(frozen=True, slots=True)
class Settings(RunSettings):
    """The function's environment."""

    profiles_table: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with figures; `busy` while another run holds the lease."""
    run_id, tries = event["run_id"], int(event.get("tries", 0)) + 1
    seq = _lease().acquire(run_id)
    if seq is None:
        return {**event, "status": "busy", "tries": tries}
    run = Run.of({**event, "seq": seq})
    try:
        figures = store_run(_lake(), run, lambda rows: _put(rows, seq), datetime.now(UTC))
    finally:
        _lease().release(run_id, seq)
    _measure(figures, event.get("failed", ()))
    _logger().info("scores stored", run_id=run_id, figures=figures)
    told = {name: one for name, one in event.items() if name != "shards"}
    return {**told, "status": "done", "tries": tries, "figures": {"store_scores": figures}}


def _measure(figures: dict[str, Any], failed: Iterable[str]) -> None:
    told = {Metric.MODELS_SHIFTED: figures["shifted"], Metric.MODELS_NOT_TRAINED: len([*failed])}
    for metric, figure in told.items():
        if figure:
            _metrics().add_metric(name=metric, unit=MetricUnit.Count, value=figure)
    if any(told.values()):
        _metrics().flush_metrics()


def _put(rows: Iterable[PersonRow], seq: int) -> int:
    store = DynamoPersonRows(
        client("dynamodb"), read_settings(Settings).profiles_table, full_jitter
    )
    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(lambda row: store.put(row, seq), rows))


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
