"""What the tests of the lake share: records as ingestion makes them, loads over memory."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from duckdb import DuckDBPyConnection

from stamgast.identity.assurance import Assurance
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import DEFAULT
from stamgast.ingestion.accept import accept
from stamgast.ingestion.verdicts import Receipt
from stamgast.raw.unfold import unfold
from stamgast_lake.archive import LakeObject
from stamgast_lake.loading.audit import audit
from stamgast_lake.loading.load import Loader
from stamgast_lake.loading.stage import Reading, stage
from stamgast_lake.query import LakeSession
from tests.fakes.lake_catalogue import MemoryCatalogue

NOON_MS = 1_767_268_800_000
READING = Reading(DEFAULT, Keyring(1, b"a secret of the tests"))


def request(
    events: Sequence[dict[str, Any]],
    *,
    request_id: str = "r1",
    received_ms: int = NOON_MS,
    source_id: str = "web",
    assurance: Assurance = Assurance.CLAIMED,
) -> list[tuple[str, bytes]]:
    """The archive's lines of one request, each with its kind."""
    receipt = Receipt(request_id, received_ms, source_id, assurance)
    raw, rejected = unfold(accept([dict(event) for event in events], receipt))
    return [
        *(("raw", record.to_json()) for record in raw),
        *(("rejected", record.to_json()) for record in rejected),
    ]


def track(message_id: str | None, **told: Any) -> dict[str, Any]:
    """A track call as a client sends it."""
    event = {"type": "track", "event": "Seen", "userId": "u1", "timestamp": NOON_MS - 1000, **told}
    return event if message_id is None else {**event, "messageId": message_id}


class LoadBench:
    """Loads lists of lines as runs over an in-memory catalogue, in one session for all."""

    def __init__(self, connection: DuckDBPyConnection, folder: Path) -> None:
        self.catalogue = MemoryCatalogue()
        self._connection, self._folder = connection, folder

    def load(
        self, run_id: str, lines: Sequence[tuple[str, bytes]], *, name: str = ""
    ) -> dict[str, int]:
        """One run with one object for each kind of line."""
        objects = [
            (
                LakeObject(f"{kind}/date=2026-01-01/{name or run_id}", "e", 1, kind, "2026-01-01"),
                b"\n".join(line for of, line in lines if of == kind),
            )
            for kind in ("raw", "rejected")
        ]
        with TemporaryDirectory(dir=self._folder) as staged:
            taken = stage(objects, READING, Path(staged))
            self._connection.execute(
                "create or replace temp view staged as"
                f" select * from read_parquet('{staged}/*.parquet')"
            )
            return Loader(self.catalogue, self._connection, run_id).load(taken)  # type: ignore[arg-type]  # the fake

    def audit(self, run_id: str) -> int:
        """The daily audit, as a run's load begins with it."""
        catalogue: Any = self.catalogue
        return audit(catalogue, self._connection, run_id, lambda _: None)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The answer of a query over the tables and views as they are now."""
        opened = LakeSession(self._connection, self.catalogue, None, "")  # type: ignore[arg-type]  # the fake
        return opened.rows(sql)
