"""A whole platform in one process: the live loop, the archive, the stages of runs, and readers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial, reduce
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any
from unittest import mock

import pyarrow as pa
from botocore.exceptions import ClientError
from duckdb import DuckDBPyConnection

from stamgast.identity.assurance import Assurance
from stamgast.identity.codec import root_of
from stamgast.identity.event import Event
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.identity.live import drain
from stamgast.identity.plan import IdentityChange
from stamgast.identity.root import Root, RootState
from stamgast.identity.settings import IdentitySettings, Kind, Namespace, paths
from stamgast.ingestion.accept import accept
from stamgast.ingestion.envelope import encode
from stamgast.ingestion.verdicts import Receipt
from stamgast.moments import moment_of
from stamgast.profile.batch import Message
from stamgast.profile.facts import NOTHING, Facts, merge
from stamgast.profile.identify import Identity
from stamgast.profile.loop import LiveLoop
from stamgast.profile.steps import read_facts
from stamgast.profile.timeline_items import entries_of, place_of
from stamgast.raw.record import RawRecord
from stamgast.raw.unfold import unfold
from stamgast.segments.changes import MembershipChange
from stamgast.segments.live.rules import LiveRules
from stamgast.workspace.model import Workspace
from stamgast_aws.dynamo_values import attributes_of
from stamgast_aws.fact_store import DynamoFactStore
from stamgast_aws.identity_jobs import DynamoJobStore
from stamgast_aws.live_wiring import live_rules
from stamgast_aws.person_rows import DynamoPersonRows
from stamgast_aws.recent_cuts import recent_cuts
from stamgast_lake.archive import LakeObject
from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import EngineSettings, connect, session
from stamgast_lake.identity import resolve_run
from stamgast_lake.lake import Lake
from stamgast_lake.loading.load import Loader
from stamgast_lake.loading.redelivered import note_redelivered
from stamgast_lake.loading.stage import Reading, stage
from stamgast_lake.profiles import unify_run
from stamgast_lake.publishing.run import Place, publish_run
from stamgast_lake.publishing.work import Publisher
from stamgast_lake.runs import Run
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.segments import evaluate_run
from stamgast_lake.tables import RUNS
from tests.fakes.dynamodb import DynamoDB
from tests.fakes.lake_catalogue import MemoryCatalogue
from tests.schedules.identity_oracle import MERGES, PERSON, SERVES, USERS

NOON_MS = 1_795_262_400_000
SETTINGS = IdentitySettings(
    (
        Namespace("u", Kind.LINKED, 0, SERVES["u"], paths("userId"), most=USERS),
        Namespace("e", Kind.PERSISTENT, 1, SERVES["e"], paths("traits.email", "properties.email")),
        Namespace("d", Kind.EPHEMERAL, 2, SERVES["d"], paths("anonymousId")),
    ),
    person_limit=PERSON,
    merge_limit=MERGES,
)
KEYRING = Keyring(1, b"a secret of the tests")
WORKSPACE = Workspace("1", "UTC", {}, SETTINGS)
TIMELINE_DAYS = 90
Stage = Callable[["World", Run, dict[str, int]], Mapping[str, int]]


@cache
def _database() -> DuckDBPyConnection:
    """One for all runs: to open one takes as long as a small stage."""
    return connect(EngineSettings(512, 1, Path(gettempdir())))


def _cursor(_settings: EngineSettings) -> DuckDBPyConnection:
    """A connection with temporary tables of its own, as each stage opens; stages make no other."""
    cursor = _database().cursor()
    cursor.execute("set TimeZone = 'UTC'")
    return cursor


class MemoryObjects:
    """The part of an S3 client that runs use for their documents."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self.bodies[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.bodies:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")
        return {"Body": BytesIO(self.bodies[Key])}


@dataclass
class Archive:
    """Where the live loop archives; takes everything."""

    lines: list[bytes] = field(default_factory=list)

    def put(self, lines: Sequence[tuple[str, bytes]]) -> set[str]:
        self.lines += [line for _, line in lines]
        return set()


@dataclass
class World:
    """Everything that outlives a function: the tables, the archive, the lake."""

    dynamodb: DynamoDB = field(default_factory=lambda: DynamoDB("profiles", "control"))
    catalogue: MemoryCatalogue = field(default_factory=MemoryCatalogue)
    archive: Archive = field(default_factory=Archive)
    told: list[IdentityChange] = field(default_factory=list)
    told_memberships: list[MembershipChange] = field(default_factory=list)
    untold: int = 0
    loaded: int = 0
    seq: int = 0
    now_ms: int = NOON_MS
    workspace: Workspace = WORKSPACE

    def __post_init__(self) -> None:
        self.dynamodb.is_quick = True
        self.lake = Lake(
            MemoryObjects(),
            "bucket",
            self.catalogue,  # type: ignore[arg-type]
            lambda: self.workspace,
            lambda: KEYRING,
        )
        self.identity = DynamoJobStore(self.dynamodb, "profiles", "control", lambda _: None)
        self.facts = DynamoFactStore(self.dynamodb, "profiles", lambda _: None)

    # what arrives

    def send(self, *events: Mapping[str, Any], **told: Any) -> None:
        """One request through the live loop, which archives it."""
        body = encode(accept([dict(event) for event in events], receipt(**told)))
        self.loop().process([Message("m", body, self.now_ms)])

    def put_file(self, *events: Mapping[str, Any], **told: Any) -> None:
        """Events that come by file: archived, and seen by the next run first."""
        told = {"request_id": "import-f", "source_id": "shop", **told}
        raw, _ = unfold(accept([dict(event) for event in events], receipt(**told)))
        self.archive.lines += [record.to_json() for record in raw]

    def loop(self) -> LiveLoop:
        settings = self.workspace.identity
        return LiveLoop(
            raw=self.archive,
            rejected=Archive(),
            interpret=lambda record: interpret(record, settings, KEYRING),
            identify=Identity(self.identity, settings, KEYRING, self.tell, lambda _: None),
            facts=self.facts,
            timeline_days=TIMELINE_DAYS,
            now_ms=lambda: self.now_ms,
            pause=lambda _: None,
            live=self.live(),
        )

    def live(self) -> LiveRules | None:
        """The live rules of the workspace, if it has any."""
        return live_rules(
            self.workspace,
            self.dynamodb,
            "profiles",
            self.tell_memberships,
            lambda: self.now_ms,
            lambda _: None,
        )

    def tell_memberships(self, changes: Sequence[MembershipChange]) -> int:
        self.told_memberships += changes
        return self.untold

    def tell(self, changes: Sequence[IdentityChange]) -> int:
        self.told += changes
        return 0

    # what runs do

    def run(self, stages: Sequence[Stage] = (), moment_ms: int | None = None) -> dict[str, Any]:
        """One whole run over what is new."""
        drain(self.identity, self.workspace.identity, lambda _: None)
        run = self.open(moment_ms)
        with mock.patch("stamgast_lake.engine.connect", _cursor):
            figures = {"load_events": self.load(run)}
            for one in stages or STAGES:
                figures[one.__name__] = dict(one(self, run, figures["load_events"]))
        self.close(run)
        return figures

    def open(self, moment_ms: int | None = None) -> Run:
        self.seq += 1
        self.now_ms = max(self.now_ms, moment_ms or 0)
        return Run(f"r{self.seq:04}", self.seq, moment_of(moment_ms or self.now_ms))

    def load(self, run: Run) -> dict[str, int]:
        """Loads the lines that were archived since the last load."""
        lines, self.loaded = self.archive.lines[self.loaded :], len(self.archive.lines)
        one = LakeObject(f"raw/date=2026-11-20/hour=12/{run.run_id}", "e", 1, "raw", "2026-11-20")
        with TemporaryDirectory() as folder:
            staged = Path(folder) / "staged"
            staged.mkdir()
            reading = Reading(self.workspace.identity, KEYRING)
            with session(EngineSettings(512, 1, Path(folder))) as engine:
                taken = stage([(one, b"\n".join(lines))], reading, staged)
                engine.execute(
                    f"create temp view staged as select * from read_parquet('{staged}/*.parquet')"
                )
                loader = Loader(
                    self.catalogue,  # type: ignore[arg-type]
                    engine,
                    run.run_id,
                    note=partial(note_redelivered, self.lake, run.run_id),
                )
                return loader.load(taken)

    def close(self, run: Run, status: str = "done") -> None:
        row = {
            "run_id": run.run_id,
            "seq": run.seq,
            "moment": run.moment,
            "stage": "run",
            "status": status,
            "error": None,
            "inputs": 1,
            "figures": "{}",
            "workspace_version": self.workspace.version,
            "closed_at": run.moment + timedelta(seconds=1),
        }
        rows = pa.Table.from_pylist([row], schema=arrow_schema(RUNS)).to_reader()
        self.catalogue.append(RUNS, rows, Commit(run.run_id, "close"))

    def publish(self, run: Run, place: Place | None = None, **told: Any) -> Any:
        is_late = told.pop("is_late", lambda: False)
        with ThreadPoolExecutor(1) as threads:
            publisher = Publisher(
                self.lake,
                self.identity,
                self.facts,
                DynamoPersonRows(self.dynamodb, "profiles", lambda _: None),
                self.tell,
                self.tell_memberships,
                TIMELINE_DAYS,
                lambda _: None,
                is_late,
                threads,
                recent_cuts(self.dynamodb, "profiles", "control"),
                1,
                self.live(),
            )
            return publish_run(publisher, run, place or Place(), **told)

    # what readers see

    def roots(self) -> dict[str, Root]:
        """Every person that stands."""
        heads = {
            item["PK"]["S"][2:]: attributes_of(item)
            for item in self.dynamodb.items("profiles")
            if item["PK"]["S"].startswith("P#") and item["SK"]["S"] == "@"
        }
        roots = {person_id: root_of(person_id, told) for person_id, told in heads.items()}
        return {p: root for p, root in roots.items() if root.state is RootState.ACTIVE}

    def persons(self) -> dict[str, frozenset[str]]:
        """The identifiers of every live person, as pointers lead there."""
        roots = self.roots()
        keys = {key for root in roots.values() for key in root.members}
        pointers = self.identity.read_pointers(keys)
        assert pointers.keys() == keys
        return {person_id: frozenset(root.members) for person_id, root in roots.items()}

    def profiles(self) -> dict[str, Facts]:
        """The facts of every live person as the reader folds them."""
        found = {}
        for person_id, root in self.roots().items():
            facts = read_facts(self.facts, sorted(root.anchors), lambda _: None)
            found[person_id] = reduce(merge, facts.values(), NOTHING)
        return found

    def cells(self) -> dict[str, dict[str, Any]]:
        """What the live view says of each person's recency, frequency and money."""
        return {
            item["PK"]["S"][2:]: attributes_of(item)
            for item in self.dynamodb.items("profiles")
            if item["SK"]["S"] == "R#rfm"
        }

    def entries(self) -> set[tuple[str, str]]:
        """The lines of timelines: the anchor's partition and the place of each."""
        return {
            (item["PK"]["S"], place_of(entry))
            for item in self.dynamodb.items("profiles")
            if item["SK"]["S"].startswith("X#")
            for entry in entries_of(attributes_of(item))
        }

    def events(self) -> list[Event]:
        """The canonical copy of each message in the archive."""
        best: dict[str, Event] = {}
        for line in self.archive.lines:
            record = RawRecord.from_json(line)
            event = interpret(record, self.workspace.identity, KEYRING)
            had = best.get(event.message_key)
            if had is None or _age(event) < _age(had):
                best[event.message_key] = event
        return [event for event in best.values() if event.anchor is not None]


def _age(event: Event) -> tuple[int, str]:
    return event.received_ms, event.receipt_id


def receipt(
    request_id: str = "r",
    received_ms: int = NOON_MS,
    source_id: str = "web",
    assurance: Assurance = Assurance.VERIFIED,
) -> Receipt:
    return Receipt(request_id, received_ms, source_id, assurance)


def resolve(world: World, run: Run, load: dict[str, int]) -> Mapping[str, int]:
    return resolve_run(world.lake, run, load.get("displaced", 0))


def unify(world: World, run: Run, load: dict[str, int]) -> Mapping[str, int]:
    return unify_run(world.lake, run, load.get("displaced", 0))


def evaluate(world: World, run: Run, _load: dict[str, int]) -> Mapping[str, int]:
    return evaluate_run(world.lake, run)


def publish(world: World, run: Run, _load: dict[str, int]) -> Mapping[str, int]:
    figures: Mapping[str, int] = world.publish(run).figures
    return figures


STAGES: tuple[Stage, ...] = (resolve, unify, evaluate, publish)


def latest(rows: Iterable[Mapping[str, Any]], key: str) -> dict[str, Mapping[str, Any]]:
    """The newest row of each key of a log."""
    ordered = sorted(rows, key=lambda row: (row["recorded_at"], row["run_id"]))
    return {row[key]: row for row in ordered}
