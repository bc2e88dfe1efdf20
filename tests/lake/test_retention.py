"""Archives, logs and receipts end after their days; what nobody has read, or holds, does not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pyarrow as pa
import pytest
from moto import mock_aws

from stamgast.retention import Retention
from stamgast_lake.catalogue import Commit
from stamgast_lake.erasure.archive import ArchiveErasure
from stamgast_lake.lake import Lake
from stamgast_lake.retention.done import Done
from stamgast_lake.retention.history import end_rows
from stamgast_lake.retention.objects import end_objects
from stamgast_lake.retention.plan import planned_endings
from stamgast_lake.retention.run import retain_daily
from stamgast_lake.schemas import arrow_schema
from stamgast_lake.tables import EGRESS_RECEIPTS, MEMBERSHIPS, RAW_FILES, RUNS, LakeTable
from tests.fakes.lake_catalogue import MemoryCatalogue
from tests.lake.world import KEYRING, WORKSPACE

BUCKET = "lake"
TODAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = {"raw_events": 10, "rejected_events": 5, "imports": 3, "history": 30, "egress_receipts": 30}


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        workspace = replace(WORKSPACE, retention=Retention(DAYS))
        catalogue: Any = MemoryCatalogue()
        yield Lake(s3, BUCKET, catalogue, lambda: workspace, lambda: KEYRING)


def put(lake: Lake, key: str, *, is_read: bool = True, kind: str = "raw", day: date = TODAY) -> str:
    """An object in two versions, of which a run has read the newest."""
    for body in (b"{}\n", b"{ }\n"):
        tag = lake.s3.put_object(Bucket=BUCKET, Key=key, Body=body)["ETag"].strip('"')
    if is_read:
        row = {"object": key, "etag": tag, "kind": kind, "bytes": 1, "lines": 1, "unreadable": 0}
        append(lake, RAW_FILES, key, {**row, "arrived_on": day})
    return key


def append(lake: Lake, table: LakeTable, name: str, *rows: dict[str, Any]) -> None:
    told = [{"run_id": "r1", **row} for row in rows]
    batch = pa.Table.from_pylist(told, schema=arrow_schema(table)).to_reader()
    lake.catalogue.append(table, batch, Commit(name, "test"))


def versions(lake: Lake) -> set[str]:
    told = lake.s3.list_object_versions(Bucket=BUCKET)
    return {one["Key"] for kind in ("Versions", "DeleteMarkers") for one in told.get(kind, ())}


def archive(lake: Lake, kind: str, days: int, *, is_read: bool = True) -> str:
    day = TODAY - timedelta(days=days)
    key = f"{kind}/date={day}/hour=01/{is_read}"
    return put(lake, key, is_read=is_read, kind=kind, day=day)


def test_objects_past_their_days_go_with_every_version_and_what_nobody_read_stays(
    lake: Lake,
) -> None:
    gone = {archive(lake, "raw", 11), archive(lake, "rejected", 6)}
    kept = {archive(lake, "raw", 10), archive(lake, "rejected", 5)}
    kept |= {archive(lake, "raw", 12, is_read=False)}
    assert end_objects(lake, TODAY) == len(gone)
    assert versions(lake) == kept
    assert end_objects(lake, TODAY) == 0


def test_dropped_files_end_by_when_they_came(lake: Lake) -> None:
    put(lake, "imports/shop/a.csv", kind="import")
    put(lake, "imports/shop/b.csv", is_read=False)
    later = datetime.now(UTC).date() + timedelta(days=4)
    assert end_objects(lake, later - timedelta(days=1)) == 0
    assert end_objects(lake, later) == 1
    assert versions(lake) == {"imports/shop/b.csv"}


def test_a_plan_counts_what_would_end_and_changes_nothing(lake: Lake) -> None:
    settled(lake, "r1")
    archive(lake, "raw", 11)
    append(lake, MEMBERSHIPS, "a", member("a", 90), member("a", 60, "left"))
    there = versions(lake)
    found = {one.name: (one.days, one.ends, one.what) for one in planned_endings(lake, TODAY)}
    assert found == {
        "raw_events": (10, 1, "objects"),
        "rejected_events": (5, 0, "objects"),
        "imports": (3, 0, "objects"),
        "history": (30, 1, "rows"),
        "egress_receipts": (30, 0, "rows"),
    }
    assert versions(lake) == there
    assert told(lake) == {"a90", "a60"}


def test_an_erasure_passes_over_an_archive_that_has_ended(lake: Lake) -> None:
    key = archive(lake, "raw", 11)
    end_objects(lake, TODAY)
    erasure = ArchiveErasure(lake, ())
    assert erasure.raw([key]).read == 0
    assert erasure.told([key]).others == frozenset()


def settled(lake: Lake, *run_ids: str, failed: str = "") -> None:
    for seq, run_id in enumerate((*run_ids, failed) if failed else run_ids):
        row = {"seq": seq, "moment": NOON, "stage": "run", "inputs": 0, "figures": "{}"}
        status = "failed" if run_id == failed else "done"
        told = {"status": status, "workspace_version": "1", "closed_at": NOON, "run_id": run_id}
        append(lake, RUNS, run_id, {**row, **told})


def member(person: str, days: int, change: str = "entered", run_id: str = "r1") -> dict[str, Any]:
    at = NOON - timedelta(days=days)
    return {
        "person_id": person,
        "segment": "s",
        "change": change,
        "rule_version": "1",
        "at": at,
        "because": "facts",
        "change_id": f"{person}{days}",
        "recorded_at": at,
        "run_id": run_id,
    }


def told(lake: Lake) -> set[str]:
    catalogue: Any = lake.catalogue
    return {row["change_id"] for row in catalogue.rows(MEMBERSHIPS)}


def end(lake: Lake, today: date = TODAY, done: Done | None = None) -> int:
    return end_rows(lake, "r9", 9, today, done or Done())


def test_of_a_log_the_row_that_held_at_the_limit_stays_with_all_that_is_newer(lake: Lake) -> None:
    settled(lake, "r1")
    rows = [member("a", d, c) for d, c in ((90, "entered"), (60, "left"), (31, "entered"))]
    append(lake, MEMBERSHIPS, "a", *rows, member("a", 5, "left"), member("b", 90))
    assert end(lake) == 2
    assert told(lake) == {"a31", "a5", "b90"}
    assert end(lake) == 0


def test_a_row_of_a_run_that_failed_replaces_none(lake: Lake) -> None:
    settled(lake, "r1", failed="r2")
    append(lake, MEMBERSHIPS, "a", member("a", 90), member("a", 60, "left", "r2"))
    assert end(lake) == 0
    assert told(lake) == {"a90", "a60"}


def test_logs_are_looked_through_once_a_week(lake: Lake) -> None:
    settled(lake, "r1")
    done = Done()
    assert end(lake, done=done) == 0
    append(lake, MEMBERSHIPS, "a", member("a", 90), member("a", 60, "left"))
    assert end(lake, TODAY + timedelta(days=6), done) == 0
    assert end(lake, TODAY + timedelta(days=7), done) == 1


def test_receipts_of_egress_end_by_their_day(lake: Lake) -> None:
    for days in (31, 30):
        at = NOON - timedelta(days=days)
        row = {"egress_id": f"e{days}", "kind": "export", "person_id": "p", "recipient": "t"}
        row |= {"purpose": "email", "is_allowed": True, "reason": "consent_granted"}
        row |= {"as_of": at, "decided_at": at, "egress_on": at.date()}
        append(lake, EGRESS_RECEIPTS, f"e{days}", row)
    assert end(lake) == 1
    catalogue: Any = lake.catalogue
    assert [row["egress_id"] for row in catalogue.rows(EGRESS_RECEIPTS)] == ["e30"]


def test_a_day_is_done_once_and_another_version_of_the_workspace_is_another_day(
    lake: Lake,
) -> None:
    archive(lake, "raw", 11)
    assert retain_daily(lake, "r1", 1, NOON)["ended_objects"] == 1
    archive(lake, "raw", 12)
    assert retain_daily(lake, "r2", 2, NOON)["ended_objects"] == 0
    other = replace(lake.workspace(), version="2")
    changed = replace(lake, workspace=lambda: other)
    assert retain_daily(changed, "r3", 3, NOON)["ended_objects"] == 1


def test_without_days_nothing_is_read(lake: Lake) -> None:
    idle = replace(lake, workspace=lambda: WORKSPACE, s3=None)
    assert set(retain_daily(idle, "r1", 1, NOON).values()) == {0}
