"""No export holds a row of the erased, not even one without any field that names them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stamgast.lookup.reader import Reader
from stamgast.lookup.segments.jobs import Job, Kind, State
from stamgast.moments import iso_of
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import workspace_of
from stamgast_aws.live_persons import DynamoLivePersons
from stamgast_aws.segment_jobs import DynamoSegmentJobs
from stamgast_lake.erasure import loose
from stamgast_lake.segment_work import SegmentWork
from tests.lake import erasure_world as worlds
from tests.lake.erasure_world import HOUR_MS, ErasureWorld, erasure_world
from tests.lake.world import NOON_MS

SEGMENTS = "segments:\n  named:\n    rule: traits.city in ('Wqzburgdorf', 'Delftshaven')\n"
GONE, STAYS = "gone-7731", "stays-1122"
CITY = {GONE: "Wqzburgdorf", STAYS: "Delftshaven"}
NAMED, NAMELESS = ("person_id", "traits.city"), ("traits.city",)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ErasureWorld]:
    texts = {"sources.yaml": worlds.SOURCES, "segments.yaml": SEGMENTS}
    monkeypatch.setattr(worlds, "WORKSPACE", workspace_of(compile_files(texts)))
    with erasure_world(tmp_path, monkeypatch) as made:
        for who in (GONE, STAYS):
            told = {"city": CITY[who], "consent": {"email": True}}
            said = {"messageId": who, "timestamp": iso_of(NOON_MS), "userId": who, "traits": told}
            made.send({"type": "identify", **said}, request_id=who)
        made.run()
        yield made


def export(world: ErasureWorld, name: str, form: str, fields: tuple[str, ...]) -> None:
    """An export of everybody, from the question to the file."""
    jobs = DynamoSegmentJobs(world.dynamodb, "control")
    asked = {"segment": "named", "purpose": "email", "fields": list(fields), "format": form}
    jobs.put(Job(name, Kind.EXPORT, Reader("desk", ("*",)), asked, world.now_ms))
    with ThreadPoolExecutor(1) as threads:
        work = SegmentWork(
            lake=world.lake,
            persons=DynamoLivePersons(world.dynamodb, "profiles", threads, lambda _: None),
            jobs=jobs,
            now_ms=lambda: world.now_ms,
            is_time_left=lambda: True,
        )
        assert work.do(name, world.now_ms + HOUR_MS).state is State.DONE


def unpacked(body: bytes) -> bytes:
    """The cells of a Parquet file, any other object as it is."""
    is_packed = body.startswith(b"PAR1")
    return str(pq.read_table(BytesIO(body)).to_pylist()).encode() if is_packed else body


def telling(world: ErasureWorld, text: str) -> set[str]:
    """The exports of which a version of an object holds a text."""
    told: set[str] = set()
    for one in world.s3.list_object_versions(Bucket="lake", Prefix="exports/").get("Versions", ()):
        place = {"Bucket": "lake", "Key": one["Key"], "VersionId": one["VersionId"]}
        if text.encode() in unpacked(world.s3.get_object(**place)["Body"].read()):
            told.add(one["Key"].split("/")[1])
    return told


def exported_and_erased(world: ErasureWorld) -> None:
    for form in ("csv", "parquet"):
        export(world, f"named-{form}", form, NAMED)
        export(world, f"nameless-{form}", form, NAMELESS)
    every = {"named-csv", "named-parquet", "nameless-csv", "nameless-parquet"}
    assert telling(world, CITY[GONE]) == telling(world, CITY[STAYS]) == every
    world.now_ms += 1_000
    world.erase(world.subject(user_id=GONE))


def test_no_version_of_an_export_holds_a_row_of_the_erased(world: ErasureWorld) -> None:
    """CSV and Parquet, with their ids and without anything that names them."""
    exported_and_erased(world)
    assert telling(world, CITY[GONE]) == set()
    files = {key.split("/")[1] for key in kept(world) if loose.FILE.fullmatch(key)}
    assert files == {"named-parquet"}  # of which the row alone went
    world.now_ms += 1_000
    export(world, "later", "csv", NAMELESS)
    world.erase(world.subject(user_id=GONE))
    assert telling(world, CITY[STAYS]) >= {"later", "named-parquet"}


def kept(world: ErasureWorld) -> list[str]:
    listed = world.s3.list_objects_v2(Bucket="lake", Prefix="exports/")
    return [one["Key"] for one in listed.get("Contents", ())]


@pytest.mark.deep
def test_an_erasure_that_looks_for_names_alone_would_be_seen(
    world: ErasureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loose, "nameless_files", lambda *_: set())
    exported_and_erased(world)
    assert telling(world, CITY[GONE]) == {"nameless-csv", "nameless-parquet"}
