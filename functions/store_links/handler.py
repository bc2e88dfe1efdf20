"""Ends a run of links under the run's lease: settles, states, expires, and tells the live view."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast.identity.links import LinkKind
from stamgast_aws.clients import client
from stamgast_aws.leased import under_lease
from stamgast_aws.person_rows import put_rows
from stamgast_aws.run_lease import DynamoRunLease
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.links.run import store_run
from stamgast_lake.publishing.work import PersonRow
from stamgast_lake.runs import Run


@dataclass(frozen=True, slots=True)
class Settings(RunSettings):
    """The function's environment."""

    profiles_table: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers the payload with figures; `busy` while another run holds the lease."""
    return under_lease(_lease(), event, lambda seq: _store(event, seq))


def _store(event: dict[str, Any], seq: int) -> dict[str, Any]:
    days = {LinkKind(kind): told for kind, told in event["expiry_days"].items()}
    run = Run.of({**event, "seq": seq})
    figures = store_run(_lake(), run, days, lambda rows: _put(rows, seq), datetime.now(UTC))
    _logger().info("links stored", run_id=run.run_id, figures=figures)
    return {"figures": {**event.get("figures", {}), "store_links": figures}}


def _put(rows: Iterable[PersonRow], seq: int) -> int:
    return put_rows(client("dynamodb"), read_settings(Settings).profiles_table, rows, seq)


@cache
def _lease() -> DynamoRunLease:
    return run_lease(read_settings(Settings))


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
