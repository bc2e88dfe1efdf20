"""Takes a batch of queue messages through archive, identity and facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from time import time_ns
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from stamgast.erasure.gate import Gate
from stamgast.identity.interpret import interpret
from stamgast.ingestion.never_stored import never_stored_of
from stamgast.ingestion.tracking_plan import tracking_plan_of
from stamgast.metrics import Metric
from stamgast.profile.batch import Message
from stamgast.profile.identify import Identity
from stamgast.profile.loop import LiveLoop, Outcome
from stamgast.profile.slices import process_in_time
from stamgast.workspace.model import Workspace
from stamgast_aws.clients import client
from stamgast_aws.disclosures import consented, disclosures_to
from stamgast_aws.event_bus import EventBridgeBus
from stamgast_aws.fact_store import DynamoFactStore
from stamgast_aws.firehose_archive import FirehoseArchive
from stamgast_aws.identity_store import DynamoIdentityStore
from stamgast_aws.jitter import full_jitter
from stamgast_aws.live_wiring import live_rules
from stamgast_aws.secrets import SecretsManagerKeyring
from stamgast_aws.settings import read_settings
from stamgast_aws.tombstone_store import DynamoTombstones
from stamgast_aws.workspaces import S3WorkspaceStore

if TYPE_CHECKING:  # a workspace without live rules tells of nobody
    from stamgast.egress.telling import ConsentedTelling


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's environment."""

    profiles_table: str
    control_table: str
    disclosures_stream: str
    raw_stream: str
    rejected_stream: str
    workspace_secret: str
    lake_bucket: str
    event_bus: str
    timeline_days: str


@runtime_checkable
class Clocked(Protocol):
    """What is used of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """Until the function is ended."""
        ...


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answers SQS with the messages that it shall deliver again."""
    messages = [_message(record) for record in event["Records"]]
    process = _loop(_workspaces().current()).process
    left_ms = context.get_remaining_time_in_millis if isinstance(context, Clocked) else _now_ms
    outcomes = process_in_time(process, messages, left_ms)
    _tell(outcomes, len(messages))
    returned = set().union(*(one.returned for one in outcomes))
    return {"batchItemFailures": [{"itemIdentifier": one} for one in sorted(returned)]}


def _message(record: Mapping[str, Any]) -> Message:
    told = record["attributes"]
    sent_ms, tries = int(told["SentTimestamp"]), int(told["ApproximateReceiveCount"])
    return Message(record["messageId"], record["body"], sent_ms, tries)


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


@cache
def _keyrings() -> SecretsManagerKeyring:
    return SecretsManagerKeyring(client("secretsmanager"), _settings().workspace_secret)


def _loop(workspace: Workspace) -> LiveLoop:
    settings, keyring, dynamodb = _settings(), _keyrings().get(), client("dynamodb")
    telling = _telling(workspace, EventBridgeBus(client("events"), settings.event_bus))
    return LiveLoop(
        raw=FirehoseArchive(client("firehose"), settings.raw_stream, full_jitter),
        rejected=FirehoseArchive(client("firehose"), settings.rejected_stream, full_jitter),
        interpret=lambda record: interpret(record, workspace.identity, keyring),
        identify=_identity(workspace),
        facts=DynamoFactStore(dynamodb, settings.profiles_table, full_jitter),
        timeline_days=workspace.retention.timeline_days(int(settings.timeline_days)),
        now_ms=_now_ms,
        pause=full_jitter,
        live=live_rules(
            workspace,
            dynamodb,
            settings.profiles_table,
            telling.of_unsilenced,
            _now_ms,
            full_jitter,
            withhold=telling.withhold,
        ),
        plan=tracking_plan_of(workspace.tracking_plan),
        never=never_stored_of(workspace.never_stored, keyring.identifier_key),
        gate=Gate(
            DynamoTombstones(dynamodb, settings.control_table, full_jitter),
            workspace.identity,
            keyring,
        ),
    )


def _telling(workspace: Workspace, bus: EventBridgeBus) -> "ConsentedTelling":
    settings = _settings()
    kept = disclosures_to(client, settings.disclosures_stream, settings.control_table, full_jitter)
    told = (workspace, kept, client("dynamodb"), settings.profiles_table, _now_ms, full_jitter)
    return consented(bus.publish_memberships, *told)


def _identity(workspace: Workspace) -> Identity:
    settings = _settings()
    return Identity(
        store=DynamoIdentityStore(
            client("dynamodb"), settings.profiles_table, settings.control_table, full_jitter
        ),
        settings=workspace.identity,
        keyring=_keyrings().get(),
        tell=EventBridgeBus(client("events"), settings.event_bus).publish_identity,
        pause=full_jitter,
    )


def _now_ms() -> int:
    return time_ns() // 1_000_000


@cache
def _logger() -> Logger:
    return Logger()


@cache
def _metrics() -> Metrics:
    return Metrics()


def _tell(outcomes: Sequence[Outcome], messages: int) -> None:
    """One log line and one metrics line a batch."""
    received = [one.oldest_received_ms for one in outcomes if one.oldest_received_ms]
    lag_ms = _now_ms() - min(received) if received else 0
    told = [one.figures() for one in outcomes]
    figures = {
        **{name: sum(one[name] for one in told) for name in Outcome().figures()},
        Metric.WORKSPACE_BEHIND: int(_workspaces().is_behind),
        Metric.LIVE_LAG_SECONDS: round(lag_ms / 1000, 3),
    }
    metrics = _metrics()
    for name, figure in figures.items():
        if figure:
            is_time = name is Metric.LIVE_LAG_SECONDS
            unit = MetricUnit.Seconds if is_time else MetricUnit.Count
            metrics.add_metric(name=name, unit=unit, value=figure)
    if any(figures.values()):
        metrics.flush_metrics()
    _logger().info("batch", messages=messages, figures=figures)
