"""`serve_segments`: tells why somebody is in a segment, and takes previews and exports as jobs."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

from stamgast.lookup.routes import Request, Response, respond
from stamgast.lookup.segments import explain_api, jobs_api
from stamgast.lookup.segments.desk import SegmentDesk
from stamgast_aws.clients import client, signing_client
from stamgast_aws.disclosures import FirehoseDisclosures, disclosures_to
from stamgast_aws.http_edge import answered
from stamgast_aws.lookup_store import DynamoLookupStore
from stamgast_aws.run_wiring import RunSettings, lake_access
from stamgast_aws.segment_jobs import DynamoSegmentJobs, LambdaWorker, S3Answers
from stamgast_aws.settings import read_settings
from stamgast_aws.token_store import DynamoTokenStore
from stamgast_lake.lake import deployed_lake
from stamgast_lake.segment_records import LakeSegmentRecords

ROUTES = (*explain_api.ROUTES, *jobs_api.ROUTES)
READS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Settings(RunSettings):
    """The function's environment."""

    profiles_table: str
    disclosures_stream: str
    worker_function: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """The adapters of one process."""

    store: DynamoLookupStore
    tokens: DynamoTokenStore
    disclosures: FirehoseDisclosures
    records: LakeSegmentRecords
    jobs: DynamoSegmentJobs
    answers: S3Answers
    worker: LambdaWorker

    def desk(self) -> SegmentDesk:
        """What one request is answered from."""
        lake = self.records.lake
        return SegmentDesk(
            tokens=self.tokens,
            profiles=self.store,
            timelines=self.store,
            records=self.records,
            jobs=self.jobs,
            answers=self.answers,
            workspace=lake.workspace(),
            keyring=lake.keyring(),
            now_ms=lambda: time.time_ns() // 1_000_000,
            begin=self.worker.begin,
            new_id=lambda: uuid4().hex,
            pause=time.sleep,
        )


@cache
def wiring() -> Wiring:
    """The adapters, made on the first request."""
    settings, dynamodb = read_settings(Settings), client("dynamodb")
    return Wiring(
        store=DynamoLookupStore(
            dynamodb, settings.profiles_table, ThreadPoolExecutor(READS_AT_ONCE), time.sleep
        ),
        tokens=DynamoTokenStore(dynamodb, settings.control_table, time.monotonic),
        disclosures=disclosures_to(
            client, settings.disclosures_stream, settings.control_table, time.sleep
        ),
        records=LakeSegmentRecords(deployed_lake(**lake_access(settings))),
        jobs=DynamoSegmentJobs(dynamodb, settings.control_table),
        answers=S3Answers(signing_client(), settings.lake_bucket),
        worker=LambdaWorker(client("lambda"), settings.worker_function),
    )


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answers one request of the HTTP API (payload format 2.0)."""
    request_id = event["requestContext"].get("requestId")
    return answered(event, "question about a segment", lambda request: answer(request, request_id))


def answer(request: Request, request_id: str | None) -> Response:
    """The answer, once it is kept who was explained to whom."""
    desk = wiring().desk()
    response = respond(request, desk, ROUTES)
    wiring().disclosures.keep_all(request_id, desk.disclosures)
    return response
