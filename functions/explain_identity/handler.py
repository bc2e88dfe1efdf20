"""`explain_identity`: answers operators why a person is one person, and how identity is doing."""

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from stamgast.lookup.explain_api import ROUTES, ExplainDesk
from stamgast.lookup.routes import respond
from stamgast_aws.clients import client
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


@dataclass(frozen=True, slots=True)
class Wiring:
    """The adapters of one process."""

    store: DynamoIdentityStore
    tokens: DynamoTokenStore
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
        records=LakeRecords(deployed_lake(**lake_access(settings))),
    )


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers one request of the HTTP API (payload format 2.0)."""
    return answered(event, "explanation", lambda request: respond(request, wiring().desk(), ROUTES))
