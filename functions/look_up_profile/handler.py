"""`look_up_profile`: answers one look-up over the HTTP API."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

from stamgast.lookup import own_api, segment_api
from stamgast.lookup.routes import Desk, Request, Response, respond
from stamgast_aws.clients import client
from stamgast_aws.disclosures import disclosures_to
from stamgast_aws.http_edge import answered
from stamgast_aws.lookup_store import DynamoLookupStore
from stamgast_aws.secrets import SecretsManagerKeyring
from stamgast_aws.settings import read_settings
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_aws.workspaces import S3WorkspaceStore

ROUTES = (*segment_api.ROUTES, *own_api.ROUTES)
READS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the function reads."""

    profiles_table: str
    control_table: str
    disclosures_stream: str
    workspace_secret: str
    lake_bucket: str


class Wiring:
    """The adapters of one process."""

    def __init__(self, settings: Settings) -> None:
        dynamodb = client("dynamodb")
        self.store = DynamoLookupStore(
            dynamodb, settings.profiles_table, ThreadPoolExecutor(READS_AT_ONCE), time.sleep
        )
        self.tokens = DynamoTokenStore(dynamodb, settings.control_table, time.monotonic)
        self.workspaces = S3WorkspaceStore(
            s3=client("s3"),
            dynamodb=dynamodb,
            bucket=settings.lake_bucket,
            table=settings.control_table,
            now=time.monotonic,
        )
        self.disclosures = disclosures_to(
            client, settings.disclosures_stream, settings.control_table, time.sleep
        )
        self.keyring = SecretsManagerKeyring(client("secretsmanager"), settings.workspace_secret)

    def desk(self) -> Desk:
        """What one request is answered from."""
        return Desk(
            profiles=self.store,
            timelines=self.store,
            tokens=self.tokens,
            workspace=self.workspaces.current(),
            keyring=self.keyring.get(),
            now_ms=time.time_ns() // 1_000_000,
        )


@cache
def wiring() -> Wiring:
    """The adapters, made on the first request."""
    return Wiring(read_settings(Settings))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers one request of the HTTP API (payload format 2.0)."""
    request_id = event["requestContext"].get("requestId")
    return answered(event, "look-up", lambda request: answer(request, request_id))


def answer(request: Request, request_id: str | None) -> Response:
    """The answer to a look-up, once it is kept what was shown and what was withheld."""
    desk = wiring().desk()
    response = respond(request, desk, ROUTES)
    wiring().disclosures.keep_all(request_id, desk.disclosures)
    return response
