"""Finishes what was left open: jobs that a dead run began, and parked changes of identity."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import random
from time import sleep, time_ns
from typing import Any, Protocol

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from stamgast.identity.corrections import finish_jobs
from stamgast.identity.live import Settlement, drain
from stamgast.metrics import Metric
from stamgast.workspace.model import Workspace
from stamgast_aws.clients import client
from stamgast_aws.event_bus import EventBridgeBus
from stamgast_aws.identity_jobs import DynamoJobStore
from stamgast_aws.settings import read_settings
from stamgast_aws.workspaces import S3WorkspaceStore

LEAST_LEFT_MS = 20_000


class Context(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int:
        """How long the invocation may go on."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment."""

    profiles_table: str
    control_table: str
    workspace_secret: str
    lake_bucket: str
    event_bus: str


def handler(_event: Mapping[str, Any], context: Context) -> dict[str, int]:
    """Answers how many jobs ended, and how many changes were made, told and left parked."""
    store = _store()
    jobs = finish_jobs(store, _pause)
    settled = drain(
        store,
        _workspace().identity,
        _pause,
        is_time_left=lambda: context.get_remaining_time_in_millis() > LEAST_LEFT_MS,
    )
    untold = EventBridgeBus(client("events"), _settings().event_bus).publish_identity(
        settled.changes
    )
    _tell(settled, untold)
    return {"jobs": jobs, "changed": len(settled.changes), "parked": settled.parked}


@cache
def _settings() -> Settings:
    return read_settings(Settings)


@cache
def _workspaces() -> S3WorkspaceStore:
    return S3WorkspaceStore(
        s3=client("s3"),
        dynamodb=client("dynamodb"),
        bucket=_settings().lake_bucket,
        table=_settings().control_table,
        now=lambda: time_ns() / 1e9,
    )


def _workspace() -> Workspace:
    return _workspaces().current()


def _store() -> DynamoJobStore:
    settings = _settings()
    return DynamoJobStore(
        client("dynamodb"), settings.profiles_table, settings.control_table, _pause
    )


def _pause(seconds: float) -> None:
    sleep(random() * seconds)  # noqa: S311  (jitter, no secret)


@cache
def _metrics() -> Metrics:
    return Metrics()


def _tell(settled: Settlement, untold: int) -> None:
    figures = {
        Metric.IDENTITY_CHANGED: len(settled.changes),
        Metric.IDENTITY_PARKED: settled.parked,
        Metric.CHANGES_NOT_PUBLISHED: untold,
    }
    for name, figure in figures.items():
        if figure:
            _metrics().add_metric(name=name, unit=MetricUnit.Count, value=figure)
    if any(figures.values()):  # a metric that reports has a fixed charge, even when it reports 0
        _metrics().flush_metrics()
    Logger().info("drained", figures=figures)
