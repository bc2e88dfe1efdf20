"""Ends a run of models under the run's lease: logs what differs, and tells the live view."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from stamgast.metrics import Metric
from stamgast_aws.clients import client
from stamgast_aws.leased import under_lease
from stamgast_aws.person_rows import put_rows
from stamgast_aws.recent_cuts import recent_cuts
from stamgast_aws.run_lease import DynamoRunLease
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.models.store import store_run
from stamgast_lake.publishing.work import PersonRow
from stamgast_lake.runs import Run


@dataclass(frozen=True, slots=True)
class Settings(RunSettings):
    """The function's environment."""

    profiles_table: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with figures; `busy` while another run holds the lease."""
    told = under_lease(_lease(), event, lambda seq: _store(event, seq))
    if told["status"] == "done":
        del told["shards"]
    return told


def _store(event: dict[str, Any], seq: int) -> dict[str, Any]:
    told, run = read_settings(Settings), Run.of({**event, "seq": seq})
    cuts = recent_cuts(client("dynamodb"), told.profiles_table, told.control_table)
    figures = store_run(_lake(), run, lambda rows: _put(rows, seq), cuts, datetime.now(UTC))
    _measure(figures, event.get("failed", ()))
    _logger().info("scores stored", run_id=event["run_id"], figures=figures)
    return {"figures": {"store_scores": figures}}


def _measure(figures: dict[str, Any], failed: Iterable[str]) -> None:
    told = {Metric.MODELS_SHIFTED: figures["shifted"], Metric.MODELS_NOT_TRAINED: len([*failed])}
    for metric, figure in told.items():
        if figure:
            _metrics().add_metric(name=metric, unit=MetricUnit.Count, value=figure)
    if any(told.values()):
        _metrics().flush_metrics()


def _put(rows: Iterable[PersonRow], seq: int) -> int:
    return put_rows(client("dynamodb"), read_settings(Settings).profiles_table, rows, seq)


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
