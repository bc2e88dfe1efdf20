"""Takes events in over HTTP: one request becomes one durable message, or a refusal."""

from dataclasses import dataclass
from functools import cache
from time import time_ns
from typing import TYPE_CHECKING, Any

from stamgast.ingestion.collect import Collector, Outcome
from stamgast.ingestion.key_cache import KeyCache
from stamgast.ingestion.rate import RateLimiter
from stamgast.ingestion.tracking_plan import TrackingPlan, tracking_plan_of
from stamgast_aws.clients import client
from stamgast_aws.event_queue import SqsEventQueue
from stamgast_aws.key_store import DynamoKeyStore
from stamgast_aws.line_log import LineLog
from stamgast_aws.process import settle
from stamgast_aws.rate_ledger import DynamoRateLedger
from stamgast_aws.rest_api import proxy_answer, request_of
from stamgast_aws.settings import read_settings

if TYPE_CHECKING:
    from stamgast_aws.workspaces import S3WorkspaceStore

READ_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment."""

    control_table: str
    event_queue_url: str
    lake_bucket: str


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answers one proxy event of the REST API."""
    started_ns = time_ns()
    request = request_of(event)
    outcome = _collector().collect(request, started_ns // 1_000_000)
    _log(outcome, request.request_id, (time_ns() - started_ns) / 1e6)
    return proxy_answer(outcome.answer)


@cache
def _collector() -> Collector:
    settings = _settings()
    dynamodb, sqs = client("dynamodb", READ_SECONDS), client("sqs", READ_SECONDS)
    settle()
    return Collector(
        keys=KeyCache(DynamoKeyStore(dynamodb, settings.control_table)),
        limiter=RateLimiter(DynamoRateLedger(dynamodb, settings.control_table)),
        queue=SqsEventQueue(sqs, settings.event_queue_url),
        plan=_plan,
    )


def _plan() -> TrackingPlan:
    """The tracking plan in force, which strict mode alone asks for; raises ConnectionError."""
    # Imported on use: nearly every request does without, and a cold start is the dearer for it.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return tracking_plan_of(_workspaces().current().tracking_plan)
    except LookupError:  # nothing was ever published, so nothing is planned
        return tracking_plan_of({})
    except (BotoCoreError, ClientError) as error:
        raise ConnectionError(type(error).__name__) from error


@cache
def _workspaces() -> "S3WorkspaceStore":
    from stamgast_aws.workspaces import S3WorkspaceStore

    settings = _settings()
    return S3WorkspaceStore(
        s3=client("s3", READ_SECONDS),
        dynamodb=client("dynamodb", READ_SECONDS),
        bucket=settings.lake_bucket,
        table=settings.control_table,
        now=lambda: time_ns() / 1e9,
    )


@cache
def _settings() -> Settings:
    return read_settings(Settings)


def _log(outcome: Outcome, request_id: str, elapsed_ms: float) -> None:
    """One line a request, without a value that a client sent."""
    LineLog().info(
        "request",
        request_id=request_id,
        route=outcome.route,
        status=outcome.answer.status,
        code=outcome.code,
        source_id=outcome.source_id,
        accepted=outcome.accepted,
        rejected=outcome.rejected,
        messages=outcome.messages,
        elapsed_ms=round(elapsed_ms, 2),
    )
