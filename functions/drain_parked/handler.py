"""Finishes what was left open: jobs of dead runs, cuts under way, parked changes of identity."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from time import time_ns
from typing import Any, Protocol

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from stamgast.identity.corrections import finish_jobs
from stamgast.identity.cutting import Cutter, resume_cuts
from stamgast.identity.live import Settlement, drain
from stamgast.metrics import Metric
from stamgast.workspace.model import Workspace
from stamgast_aws.clients import client
from stamgast_aws.cut_store import DynamoCutStore
from stamgast_aws.event_bus import EventBridgeBus
from stamgast_aws.firehose_archive import FirehoseArchive
from stamgast_aws.jitter import full_jitter
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
    raw_stream: str


def handler(_event: Mapping[str, Any], context: Context) -> dict[str, int]:
    """Answers how many jobs and cuts ended, and how many changes were made and left parked."""
    store, settings = _store(), _workspace().identity
    jobs = finish_jobs(store, full_jitter)

    def is_time_left() -> bool:
        return context.get_remaining_time_in_millis() > LEAST_LEFT_MS

    cutter = Cutter(store, _archive(), settings, _bus().publish_identity, full_jitter, is_time_left)
    cuts = resume_cuts(cutter)
    settled = drain(store, settings, full_jitter, is_time_left=is_time_left)
    untold = _bus().publish_identity(settled.changes)
    _tell(settled, untold)
    changed = len(settled.changes)
    return {"jobs": jobs, "cuts": cuts, "changed": changed, "parked": settled.parked}


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


def _store() -> DynamoCutStore:
    settings = _settings()
    return DynamoCutStore(
        client("dynamodb"), settings.profiles_table, settings.control_table, full_jitter
    )


def _bus() -> EventBridgeBus:
    return EventBridgeBus(client("events"), _settings().event_bus)


def _archive() -> FirehoseArchive:
    return FirehoseArchive(client("firehose"), _settings().raw_stream, full_jitter)


@cache
def _metrics() -> Metrics:
    return Metrics()


def _tell(settled: Settlement, untold: int) -> None:
    figures = {
        Metric.IDENTITY_CHANGED: len(settled.changes),
        Metric.IDENTITY_PARKED: settled.parked,
        Metric.LINKS_REFUSED: len(settled.refused),
        Metric.CHANGES_NOT_PUBLISHED: untold,
    }
    for name, figure in figures.items():
        if figure:
            _metrics().add_metric(name=name, unit=MetricUnit.Count, value=figure)
    if any(figures.values()):  # a metric that reports has a fixed charge, even when it reports 0
        _metrics().flush_metrics()
    Logger().info("drained", figures=figures)
