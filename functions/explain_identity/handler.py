"""`explain_identity`: answers operators why a person is one person, and how identity is doing."""

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from stamgast.lookup.explain_api import ROUTES, ExplainDesk
from stamgast.lookup.routes import Request, Response, respond
from stamgast_aws.clients import client
from stamgast_aws.disclosures import FirehoseDisclosures, disclosures_to
from stamgast_aws.http_edge import answered
from stamgast_aws.identity_store import DynamoIdentityStore
from stamgast_aws.run_wiring import RunSettings, lake_access
from stamgast_aws.settings import read_settings
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_lake.explain_records import LakeRecords
from stamgast_lake.lake import deployed_lake


@dataclass(frozen=True, slots=True)
class Settings(RunSettings):
    """The function's environment."""

    profiles_table: str
    disclosures_stream: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """The adapters of one process."""

    store: DynamoIdentityStore
    tokens: DynamoTokenStore
    disclosures: FirehoseDisclosures
    records: LakeRecords

    def desk(self) -> ExplainDesk:
        """What one request is answered from."""
        return ExplainDesk(
            tokens=self.tokens,
            store=self.store,
            records=self.records,
            workspace=self.records.lake.workspace(),
            keyring=self.records.lake.keyring(),
            now_ms=time.time_ns() // 1_000_000,
            pause=time.sleep,
        )


@cache
def wiring() -> Wiring:
    """The adapters, made on the first request."""
    settings, dynamodb = read_settings(Settings), client("dynamodb")
    return Wiring(
        store=DynamoIdentityStore(
            dynamodb, settings.profiles_table, settings.control_table, time.sleep
        ),
        tokens=DynamoTokenStore(dynamodb, settings.control_table, time.monotonic),
        disclosures=disclosures_to(
            client, settings.disclosures_stream, settings.control_table, time.sleep
        ),
        records=LakeRecords(deployed_lake(**lake_access(settings))),
    )


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers one request of the HTTP API (payload format 2.0)."""
    request_id = event["requestContext"].get("requestId")
    return answered(event, "explanation", lambda request: answer(request, request_id))


def answer(request: Request, request_id: str | None) -> Response:
    """The answer, once it is kept who was explained to whom."""
    desk = wiring().desk()
    response = respond(request, desk, ROUTES)
    wiring().disclosures.keep_all(request_id, desk.disclosures)
    return response
