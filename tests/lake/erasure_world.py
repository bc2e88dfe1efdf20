"""A platform with a real lake: moto's S3 and SQS, Iceberg tables in a folder, live tables."""

import gzip
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
from moto import mock_aws

from stamgast.erasure.envelopes import EnvelopeErasure, mentions
from stamgast.erasure.gate import Gate
from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.request import Kind, RightsRequest
from stamgast.erasure.subject import Subject
from stamgast.identity.cut_request import Order, Requests
from stamgast.identity.cutting import Cutter
from stamgast.identity.decision import Verdict, pair_of
from stamgast.identity.identifiers import Identifier
from stamgast.identity.interpret import interpret
from stamgast.ingestion.accept import accept
from stamgast.ingestion.envelope import encode
from stamgast.moments import moment_of
from stamgast.profile.batch import Message
from stamgast.profile.identify import Identity
from stamgast.profile.loop import LiveLoop
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_aws.cut_store import DynamoCutStore
from stamgast_aws.disclosures import FirehoseDisclosures
from stamgast_aws.erasure_items import DynamoErasure
from stamgast_aws.erasure_queue import SqsDeadLetters
from stamgast_aws.rights_store import StoredRights
from stamgast_aws.run_lease import LEASE_KEY, DynamoRunLease
from stamgast_aws.salt_store import DynamoSalts
from stamgast_aws.tombstone_store import DynamoTombstones
from stamgast_lake.catalogue import Catalogue
from stamgast_lake.engine import session
from stamgast_lake.erasure.archive import tombstones_of
from stamgast_lake.erasure.reapply import JOB, WATCH, Reapplying
from stamgast_lake.erasure.scan import tells_of
from stamgast_lake.erasure.sweep import Sweep, Swept
from stamgast_lake.erasure.work import RightsWork
from stamgast_lake.health import STAGE, measure
from stamgast_lake.imports.run import import_file
from stamgast_lake.lake import Lake
from stamgast_lake.loading.run import load_run
from stamgast_lake.runs import Run, close_run, open_run
from stamgast_lake.tables import TABLES
from stamgast_lake.views import VIEWS, create_statement
from tests.fakes.glue import Glue
from tests.lake.world import KEYRING, STAGES, TIMELINE_DAYS, World, _cursor, receipt

SOURCES = """
sources:
  web: {name: Web}
  shop: {name: Shop, imports: [{match: "*"}]}
"""
WORKSPACE = workspace_of(compile_files({"sources.yaml": SOURCES}))
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@dataclass
class Lines:
    """Where a Firehose stream would put its objects: one a batch, gzipped."""

    world: "ErasureWorld"
    kind: str

    def put(self, lines: Sequence[tuple[str, bytes]]) -> set[str]:
        if lines:
            self.world.archive_lines(self.kind, [line for _, line in lines])
        return set()


class ErasureWorld(World):
    """The world of runs over a bucket with versions, with the gate of erasures before it."""

    def __init__(self, s3: Any, glue: Any, sqs: Any, warehouse: Path) -> None:
        super().__init__(workspace=WORKSPACE)
        # The bucket dates what is dropped by the real clock, and requests come after that.
        self.now_ms = max(self.now_ms, time.time_ns() // 1_000_000 + HOUR_MS)
        self.s3, self.sqs, self.warehouse = s3, sqs, warehouse
        self.objects = self.asked = 0
        self.log = DynamoTombstones(self.dynamodb, "control", lambda _: None)
        catalogue = Catalogue(
            glue=glue, database="lake", warehouse=warehouse.as_uri(), file_properties={}
        )
        self.lake = Lake(
            s3, "lake", catalogue, lambda: WORKSPACE, lambda: KEYRING, self.log, "audit"
        )
        queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
        self.queue = SqsDeadLetters(sqs, queue, wait_seconds=0)
        self.live_tables = DynamoErasure(
            self.dynamodb, "profiles", "control", lambda _: None, lambda: KEYRING
        )

    # what arrives

    def loop(self) -> LiveLoop:
        settings = WORKSPACE.identity
        return LiveLoop(
            raw=Lines(self, "raw"),
            rejected=Lines(self, "rejected"),
            interpret=lambda record: interpret(record, settings, KEYRING),
            identify=Identity(self.identity, settings, KEYRING, self.tell, lambda _: None),
            facts=self.facts,
            timeline_days=TIMELINE_DAYS,
            now_ms=lambda: self.now_ms,
            pause=lambda _: None,
            gate=Gate(self.log, settings, KEYRING),
        )

    def archive_lines(self, kind: str, lines: Sequence[bytes]) -> None:
        self.objects += 1
        at = moment_of(self.now_ms)
        key = f"{kind}/date={at:%Y-%m-%d}/hour={at:%H}/{self.objects:06}.gz"
        self.put(key, gzip.compress(b"\n".join(lines) + b"\n"))

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket="lake", Key=key, Body=body)

    def dead_letter(self, *events: dict[str, Any], **told: Any) -> None:
        body = encode(accept([dict(event) for event in events], receipt(**told)))
        self.sqs.send_message(QueueUrl=self.queue.queue_url, MessageBody=body)

    def redrive(self) -> None:
        for handle, body in list(self.queue.messages()):
            self.loop().process([Message("m", body, self.now_ms)])
            self.sqs.delete_message(QueueUrl=self.queue.queue_url, ReceiptHandle=handle)

    # what runs and erasures do

    def run(self, *_: Any, **__: Any) -> dict[str, Any]:
        run = self.open()
        with mock.patch("stamgast_lake.engine.connect", _cursor):
            inputs = open_run(self.lake, run)
            for given in inputs.imports:
                import_file(self.lake, run.run_id, given)
            figures: dict[str, Any] = {"load_events": load_run(self.lake, run.run_id)}
            for stage in STAGES:
                figures[stage.__name__] = dict(stage(self, run, figures["load_events"]))
            figures[STAGE] = measure(self.lake)
            at = run.moment + timedelta(seconds=1)
            close_run(self.lake, run, figures=figures, error=None, closed_at=at)
        return figures

    def subject(self, **named: str) -> Subject:
        """The person of some identifiers, as a request names them."""
        keys = frozenset(KEYRING.identifier_key(name, value) for name, value in named.items())
        values = {KEYRING.identifier_key(name, value): value for name, value in named.items()}
        return Subject("request", self.now_ms, keys, values)

    def cut(self, *named: tuple[str, str], reason: str = "two customers") -> None:
        """An operator says that these two identifiers are not one person."""
        store = DynamoCutStore(self.dynamodb, "profiles", "control", lambda _: None)
        ids = {KEYRING.identifier_key(*one): Identifier(*one) for one in named}
        order = Order(Verdict.CUT, "privacy-desk", reason, self.now_ms)
        requests = Requests(store, WORKSPACE.identity, KEYRING, lambda _: None)
        job = requests.job([pair_of(*ids)], ids, order)
        assert job is not None
        raw: Any = Lines(self, "raw")
        Cutter(store, raw, WORKSPACE.identity, self.tell, lambda _: None).carry_out(job)

    def erase(self, subject: Subject) -> tuple[Subject, Swept]:
        """Resolves, sets tombstones, and sweeps every store."""
        self.seq += 1
        at = moment_of(self.now_ms)
        sweep = Sweep(self.lake, f"erasure-{self.seq}", self.seq, subject.until_ms, at)
        with mock.patch("stamgast_lake.engine.connect", _cursor):
            whole = sweep.resolve(self.live_tables.resolve(subject))
            whole = self.live_tables.resolve(whole)
            tombstones = tombstones_of([whole])
            self.log.put(tombstones.values())
            self.live_tables.erase(whole)
            swept = sweep.sweep([whole])
            sweep.forget()
        settings = WORKSPACE.identity
        self.queue.erase(EnvelopeErasure(tombstones, needles_of([whole]), settings, KEYRING).left)
        return whole, swept

    def archived(self) -> dict[str, bytes]:
        """The archive as a backup holds it."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="lake")
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        kept = (key for key in keys if key.startswith(("raw/", "rejected/")))
        return {k: self.s3.get_object(Bucket="lake", Key=k)["Body"].read() for k in kept}

    def restore(self, archive: dict[str, bytes]) -> None:
        """Puts the objects of a backup beside what stands, as somebody does who replays it."""
        for key, body in archive.items():
            self.put(key.replace(".gz", "-again.gz"), body)

    def rows(self, view: str) -> list[dict[str, Any]]:
        with session() as engine:
            for name in (*VIEWS[view].reads, view):
                if name in TABLES:
                    engine.register(name, self.lake.catalogue.dataset(TABLES[name]))
                    continue
                for read in VIEWS[name].reads:
                    if read in TABLES:
                        engine.register(read, self.lake.catalogue.dataset(TABLES[read]))
                engine.execute(create_statement(VIEWS[name]).replace("view", "temp view", 1))
            rows: list[dict[str, Any]] = (
                engine.sql(f"select * from {view}").to_arrow_table().to_pylist()
            )
            return rows

    def states(self) -> dict[str, int]:
        """How many receipts are in each state."""
        return dict(Counter(row["state"] for row in self.rows("receipt_states")))

    @property
    def requests(self) -> StoredRights:
        return StoredRights(self.dynamodb, "control", self.s3, "lake")

    def request(self, kind: Kind, **named: str) -> str:
        """A request that was taken and waits."""
        subject, self.asked = self.subject(**named), self.asked + 1
        request_id = f"request-{self.asked:04}"
        keys = tuple(sorted(subject.keys))
        made = RightsRequest(request_id, kind, "desk", "gdpr", keys, self.now_ms)
        assert self.requests.put(made, {"values": dict(subject.values)})
        return request_id

    def work(self) -> RightsWork:
        """What carries requests out, after as many runs as there were."""
        told = {"run_id": {"S": "r"}, "seq": {"N": str(self.seq)}, "expires_at": {"N": "0"}}
        self.dynamodb.put_item(TableName="control", Item={**LEASE_KEY, **told})
        return RightsWork(
            lake=self.lake,
            live=self.live_tables,
            dead_letters=self.queue,
            requests=self.requests,
            lease=DynamoRunLease(client=self.dynamodb, table="control", now=time.time),
            put_tombstones=self.log.put,
            sign=lambda text: {"signature": sha256(text).hexdigest()},
            now_ms=lambda: self.now_ms,
            settle=lambda: None,
            tell=list,
            audit=FirehoseDisclosures(self, "disclosures", lambda _: None, self.salts).keep_all,
        )

    def audited(self) -> bytes:
        """All lines of the audit log."""
        told = self.s3.list_objects_v2(Bucket="audit").get("Contents", ())
        bodies = (self.s3.get_object(Bucket="audit", Key=o["Key"])["Body"].read() for o in told)
        return b"".join(gzip.decompress(body) for body in bodies)

    @property
    def salts(self) -> DynamoSalts:
        return DynamoSalts(self.dynamodb, "control")

    def put_record_batch(self, *, Records: Any, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Firehose's one call, as the audit log's stream answers it."""
        for record in Records:
            self.objects += 1
            key = f"disclosures/date=2026-01-01/hour=00/{self.objects:06}.gz"
            self.s3.put_object(Bucket="audit", Key=key, Body=gzip.compress(record["Data"]))
        return {"RequestResponses": [{"RecordId": "1"} for _ in Records]}

    def compared(self) -> list[str]:
        """The requests that a comparison of all tombstones makes, a part at a time."""
        made: list[str] = []
        reapplying = self._comparison(made, JOB)
        reapplying.ask("desk", "")
        parts = iter([False, False, True])
        while reapplying.go_on(lambda: next(parts, False)):
            assert not reapplying.ask("desk", "")["is_done"]
        assert reapplying.ask("desk", "")["is_done"]
        return made

    def watched(self) -> list[str]:
        """The requests that a night's look at what was put back makes."""
        made: list[str] = []
        watching = self._comparison(made, WATCH)
        watching.watch()
        with mock.patch("stamgast_lake.engine.connect", _cursor):
            assert not watching.go_on(lambda: False)
        self.seq += 4  # what it takes back it takes back under the lease
        return made

    def _comparison(self, made: list[str], name: str) -> Reapplying:
        return Reapplying(
            lake=self.lake,
            live=self.live_tables,
            requests=self.requests,
            begin=lambda: None,
            carry_out=made.extend,
            unsalt=lambda: self.live_tables.unsalt(self.log.gone, KEYRING),
            now_ms=lambda: self.now_ms,
            lease=self.work().lease,
            pause=lambda: None,
            name=name,
        )

    def body(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket="lake", Key=key)["Body"].read()
        return body

    # what a search finds

    def found(self, needles: Needles) -> dict[str, list[str]]:
        """Everything that tells of somebody: objects in any version, files, items, messages."""
        return {
            "objects": sorted(self._objects(needles)),
            "files": sorted(self._files(needles)),
            "items": sorted(self._items(needles)),
            "messages": ["dead"] * mentions((b for _, b in self.queue.messages()), needles),
        }

    def _objects(self, needles: Needles) -> Iterator[str]:
        for bucket in ("lake", "audit"):
            pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
            for one in (told for page in pages for told in page.get("Versions", ())):
                told = {"Bucket": bucket, "Key": one["Key"], "VersionId": one["VersionId"]}
                if tells_of(self.s3.get_object(**told)["Body"], needles):
                    yield one["Key"]

    def _files(self, needles: Needles) -> Iterator[str]:
        for path in self.warehouse.rglob("*"):
            if path.is_file():
                with path.open("rb") as stream:
                    if tells_of(stream, needles):
                        yield str(path.relative_to(self.warehouse))

    def _items(self, needles: Needles) -> Iterator[str]:
        for table in ("profiles", "control"):
            for item in self.dynamodb.items(table):
                if item["PK"]["S"].startswith("ERASED#"):
                    continue
                if needles.found_in(repr(item).encode()):
                    yield f"{table} {item['PK']['S'][:2]} {item['SK']['S'][:2]}"


@contextmanager
def erasure_world(folder: Path, monkeypatch: Any) -> Iterator[ErasureWorld]:
    """A world in an account of its own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    # Each day of the archive costs two listings, and these worlds last for a day or two.
    for module in ("runs", "erasure.archive"):
        monkeypatch.setattr(f"stamgast_lake.{module}.THOROUGH", timedelta(days=4))
    region = "eu-central-1"
    with mock_aws():
        s3: Any = boto3.client("s3", region_name=region)
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": region})
        s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
        place = {"LocationConstraint": region}
        locked = {"CreateBucketConfiguration": place, "ObjectLockEnabledForBucket": True}
        s3.create_bucket(Bucket="audit", **locked)
        kept = {"Mode": "COMPLIANCE", "Days": 1}
        rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": kept}}
        s3.put_object_lock_configuration(Bucket="audit", ObjectLockConfiguration=rule)
        sqs: Any = boto3.client("sqs", region_name=region)
        yield ErasureWorld(s3, Glue(), sqs, folder)


def run_of(seq: int, at_ms: int) -> Run:
    return Run(f"r{seq:04}", seq, moment_of(at_ms))
