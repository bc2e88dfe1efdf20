"""The paths about segments over a whole platform in one process; jobs are worked off at once."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from botocore.exceptions import ClientError

from functions.serve_segments.handler import ROUTES
from stamgast.lookup.reader import Action, Reader
from stamgast.lookup.routes import Request, Response, respond
from stamgast.lookup.segments.desk import SegmentDesk
from stamgast_aws.live_persons import DynamoLivePersons
from stamgast_aws.lookup_store import DynamoLookupStore
from stamgast_aws.segment_jobs import DynamoSegmentJobs, S3Answers
from stamgast_lake.segment_records import LakeSegmentRecords
from stamgast_lake.segment_work import SegmentWork
from tests.lake.world import KEYRING, World

OPERATOR = Reader("operator", ("*",), ("*",), tuple(Action))
HOUR_MS = 3_600_000


class MemoryBucket:
    """The part of an S3 client that exports use."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: Any) -> None:  # noqa: N803
        self.bodies[Key] = Body if isinstance(Body, bytes) else Body.read()

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.bodies:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")
        return {"Body": BytesIO(self.bodies[Key])}

    def generate_presigned_url(self, operation: str, Params: Any, ExpiresIn: int) -> str:  # noqa: N803
        return f"memory:{Params['Key']}?expires={ExpiresIn}"


@dataclass
class Tokens:
    """Tokens by their text."""

    readers: dict[str, Reader] = field(default_factory=lambda: {"t": OPERATOR})

    def find(self, token: str) -> Reader | None:
        return self.readers.get(token)


@dataclass
class Counter:
    """Where operators ask about segments."""

    world: World
    rows_a_part: int = 100
    at_once: int = 10
    is_time_left: Callable[[], bool] = lambda: True
    is_working: bool = True

    def __post_init__(self) -> None:
        self.bucket = MemoryBucket()
        self.world.lake = type(self.world.lake)(
            self.bucket,
            "bucket",
            self.world.catalogue,  # type: ignore[arg-type]
            lambda: self.world.workspace,
            lambda: KEYRING,
        )
        self.tokens = Tokens()
        self.begun: list[str] = []
        self.clock_ms = self.world.now_ms
        self.jobs = DynamoSegmentJobs(self.world.dynamodb, "control")
        self.threads = ThreadPoolExecutor(1)

    def work(self) -> SegmentWork:
        persons = DynamoLivePersons(self.world.dynamodb, "profiles", self.threads, lambda _: None)
        return SegmentWork(
            lake=self.world.lake,
            persons=persons,
            jobs=self.jobs,
            now_ms=self.now,
            is_time_left=self.is_time_left,
            rows_a_part=self.rows_a_part,
            at_once=self.at_once,
        )

    def now(self) -> int:
        self.clock_ms += 1
        return self.clock_ms

    def begin(self, job_id: str) -> None:
        self.begun.append(job_id)
        if self.is_working:
            self.work().do(job_id, self.clock_ms + HOUR_MS)

    def pause(self, seconds: float) -> None:
        self.clock_ms += int(seconds * 1000)

    def desk(self) -> SegmentDesk:
        store = DynamoLookupStore(self.world.dynamodb, "profiles", self.threads, lambda _: None)
        return SegmentDesk(
            tokens=self.tokens,
            profiles=store,
            timelines=store,
            records=LakeSegmentRecords(self.world.lake),
            jobs=self.jobs,
            answers=S3Answers(self.bucket, "bucket"),
            workspace=self.world.workspace,
            keyring=KEYRING,
            now_ms=self.now,
            begin=self.begin,
            new_id=lambda: f"job{len(self.begun)}",
            pause=self.pause,
        )

    def ask(self, path: str, body: Mapping[str, Any], token: str = "t") -> Response:
        return respond(
            Request("POST", f"/v1/segments:{path}", {}, token, json.dumps(body)),
            self.desk(),
            ROUTES,
        )

    def job(self, job_id: str, token: str = "t") -> Response:
        request = Request("GET", f"/v1/segments/jobs/{job_id}", {}, token)
        return respond(request, self.desk(), ROUTES)

    def answer(self, path: str, **body: Any) -> dict[str, Any]:
        """What is found, where all is well."""
        response = self.ask(path, body)
        assert response.status == 200, response.body
        told: dict[str, Any] = dict(response.body)
        return told["answer"] if "job" in told else told

    def file(self, answer: Mapping[str, Any], place: int = 0) -> bytes:
        return self.bucket.bodies[f"exports/{answer['export']}/{answer['files'][place]['name']}"]
