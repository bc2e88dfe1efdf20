"""`change_identity`: cuts two identifiers apart, lifts a cut, and tells what became of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from stamgast.identity.cutting import Cutter
from stamgast.lookup.cut_api import ROUTES, CutDesk
from stamgast.lookup.routes import Request, Response, respond
from stamgast_aws.clients import client
from stamgast_aws.cut_store import DynamoCutStore
from stamgast_aws.disclosures import FirehoseDisclosures, disclosures_to
from stamgast_aws.event_bus import EventBridgeBus
from stamgast_aws.firehose_archive import FirehoseArchive
from stamgast_aws.http_edge import answered
from stamgast_aws.jitter import full_jitter
from stamgast_aws.secrets import SecretsManagerKeyring
from stamgast_aws.settings import read_settings
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_aws.workspaces import S3WorkspaceStore

LEAST_LEFT_MS = 8_000


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
    disclosures_stream: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """The adapters of one process."""

    store: DynamoCutStore
    archive: FirehoseArchive
    disclosures: FirehoseDisclosures
    bus: EventBridgeBus
    tokens: DynamoTokenStore
    workspaces: S3WorkspaceStore
    keyring: SecretsManagerKeyring

    def desk(self, is_time_left: Callable[[], bool]) -> CutDesk:
        """What one request is answered from."""
        workspace = self.workspaces.current()
        tell = self.bus.publish_identity
        return CutDesk(
            tokens=self.tokens,
            store=self.store,
            cutter=Cutter(
                self.store, self.archive, workspace.identity, tell, full_jitter, is_time_left
            ),
            workspace=workspace,
            keyring=self.keyring.get(),
            now_ms=time.time_ns() // 1_000_000,
        )


@cache
def wiring() -> Wiring:
    """The adapters, made on the first request."""
    settings, dynamodb = read_settings(Settings), client("dynamodb")
    return Wiring(
        store=DynamoCutStore(
            dynamodb, settings.profiles_table, settings.control_table, full_jitter
        ),
        archive=FirehoseArchive(client("firehose"), settings.raw_stream, full_jitter),
        disclosures=disclosures_to(
            client, settings.disclosures_stream, settings.control_table, full_jitter
        ),
        bus=EventBridgeBus(client("events"), settings.event_bus),
        tokens=DynamoTokenStore(dynamodb, settings.control_table, time.monotonic),
        workspaces=S3WorkspaceStore(
            s3=client("s3"),
            dynamodb=dynamodb,
            bucket=settings.lake_bucket,
            table=settings.control_table,
            now=time.monotonic,
        ),
        keyring=SecretsManagerKeyring(client("secretsmanager"), settings.workspace_secret),
    )


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Answers one request of the HTTP API (payload format 2.0)."""

    def is_time_left() -> bool:
        return context.get_remaining_time_in_millis() > LEAST_LEFT_MS

    request_id = event["requestContext"].get("requestId")
    return answered(
        event, "change of identity", lambda request: answer(request, request_id, is_time_left)
    )


def answer(request: Request, request_id: str | None, is_time_left: Callable[[], bool]) -> Response:
    """The answer, once it is kept of whom it tells; what was changed stays changed without it."""
    desk = wiring().desk(is_time_left)
    response = respond(request, desk, ROUTES)
    wiring().disclosures.keep_all(request_id, desk.disclosures)
    return response
