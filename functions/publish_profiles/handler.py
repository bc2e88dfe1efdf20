"""Brings the live view to what the run says; asks to be called again when its time runs out."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from time import time_ns
from typing import Any

from aws_lambda_powertools.logging import Logger

from stamgast_aws.clients import client
from stamgast_aws.disclosures import consented, disclosures_to
from stamgast_aws.event_bus import EventBridgeBus
from stamgast_aws.fact_store import DynamoFactStore
from stamgast_aws.identity_jobs import DynamoJobStore
from stamgast_aws.jitter import full_jitter
from stamgast_aws.live_wiring import live_rules
from stamgast_aws.person_rows import DynamoPersonRows
from stamgast_aws.recent_cuts import recent_cuts
from stamgast_aws.run_lease import DynamoRunLease
from stamgast_aws.run_wiring import RunSettings, lake_access, run_lease
from stamgast_aws.settings import read_settings
from stamgast_lake.lake import Lake, deployed_lake
from stamgast_lake.publishing.run import Place, publish_run
from stamgast_lake.publishing.work import Publisher
from stamgast_lake.runs import Run

THREADS = 8
MARGIN_MS = 120_000
STAGE = "publish_profiles"


@dataclass(frozen=True, slots=True)
class Settings(RunSettings):
    """The function's environment."""

    profiles_table: str
    event_bus: str
    disclosures_stream: str
    timeline_days: str


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers the payload with figures; `more` says that `place` is where to go on."""
    run = Run.of(event)
    _lease().renew(run.run_id, run.seq)
    told = event.get("figures", {})
    place = Place(**event["place"]) if event.get("more") else Place()
    with ThreadPoolExecutor(THREADS) as threads:
        published = publish_run(
            _publisher(threads, context),
            run,
            place,
            is_whole=bool(event.get("everything")),
            figures=told.get(STAGE) if event.get("more") else None,
        )
    left = published.left
    _logger().info("published", run_id=run.run_id, figures=published.figures, more=bool(left))
    return {
        **event,
        "figures": {**told, STAGE: dict(published.figures)},
        "more": left is not None,
        "place": asdict(left or Place()),
    }


def _publisher(threads: ThreadPoolExecutor, context: Any) -> Publisher:
    told, dynamodb = read_settings(Settings), client("dynamodb")
    bus = EventBridgeBus(client("events"), told.event_bus)
    telling = consented(
        bus.publish_memberships,
        _lake().workspace(),
        disclosures_to(client, told.disclosures_stream, told.control_table, full_jitter),
        dynamodb,
        told.profiles_table,
        _now_ms,
        full_jitter,
    )
    return Publisher(
        lake=_lake(),
        identity=DynamoJobStore(dynamodb, told.profiles_table, told.control_table, full_jitter),
        facts=DynamoFactStore(dynamodb, told.profiles_table, full_jitter),
        rows=DynamoPersonRows(dynamodb, told.profiles_table, full_jitter),
        tell=bus.publish_identity,
        tell_memberships=telling,
        timeline_days=_lake().workspace().retention.timeline_days(int(told.timeline_days)),
        pause=full_jitter,
        is_late=lambda: context.get_remaining_time_in_millis() < MARGIN_MS,
        threads=threads,
        cuts=recent_cuts(dynamodb, told.profiles_table, told.control_table),
        parallel=THREADS,
        live=live_rules(
            _lake().workspace(),
            dynamodb,
            told.profiles_table,
            telling.of_unsilenced,
            _now_ms,
            full_jitter,
            is_run=True,
            withhold=telling.withhold,
        ),
    )


def _now_ms() -> int:
    return time_ns() // 1_000_000


@cache
def _lease() -> DynamoRunLease:
    return run_lease(read_settings(Settings))


@cache
def _lake() -> Lake:
    return deployed_lake(**lake_access(read_settings(Settings)))


@cache
def _logger() -> Logger:
    return Logger()
