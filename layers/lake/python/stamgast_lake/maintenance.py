"""Upkeep of the tables under the run's lease: compaction, expiry of snapshots, orphaned files."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from duckdb import DuckDBPyConnection
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from stamgast.erasure.stores import SNAPSHOT_DAYS
from stamgast_lake.catalogue import Catalogue, Commit, commit_of
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.loading.rows import in_order
from stamgast_lake.retention.history import ending_tables
from stamgast_lake.runs import Run, inputs_of
from stamgast_lake.tables import ICEBERG, LakeTable

MANY_FILES = 8
SMALL_BYTES = 128 * 1024 * 1024
MOST_PARTITIONS = 400
KEPT = timedelta(days=SNAPSHOT_DAYS)
ROWS_A_BATCH = 8_192
DELETED_AT_ONCE = 1_000


def maintain_daily(lake: Lake, run: Run) -> dict[str, int] | None:
    """The figures of the upkeep after the first run of a day; None after any other."""
    is_due = inputs_of(lake, run.run_id).is_thorough
    return maintain(lake, run.run_id, run.moment) if is_due else None


def maintain(lake: Lake, run_id: str, moment: datetime) -> dict[str, int]:
    """Compacts what has fallen to pieces, expires snapshots of over three days, sweeps orphans."""
    figures = {"compacted": 0, "expired": 0, "swept": 0}
    ending = ending_tables(lake.workspace().retention)
    for table in ICEBERG:
        figures["compacted"] += compact(lake.catalogue, table, run_id)
        is_ending = table.name in ending
        expired = expire(lake.catalogue, table, moment - KEPT, is_ending=is_ending)
        figures["expired"] += expired
        if expired:
            figures["swept"] += sweep(lake, table, moment - KEPT)
    return figures


def compact(catalogue: Catalogue, table: LakeTable, run_id: str) -> int:
    """Rewrites partitions of many small files as one file each; returns how many partitions.

    Partitions go together into one commit while they are small together, for a commit costs more
    than a small file.
    """
    crowded = [group for group in _partitions(catalogue.files(table)) if _is_crowded(group)]
    crowded = crowded[:MOST_PARTITIONS]
    if crowded:
        with session() as connection:
            for number, files in enumerate(_together(crowded)):
                _rewrite(catalogue, connection, table, files, Commit(run_id, f"compact {number}"))
    return len(crowded)


def _together(groups: Iterable[tuple[DataFile, ...]]) -> Iterator[tuple[DataFile, ...]]:
    held: tuple[DataFile, ...] = ()
    for group in groups:
        if held and _bytes(held) + _bytes(group) > SMALL_BYTES:
            yield held
            held = ()
        held += group
    if held:
        yield held


def _bytes(files: Iterable[DataFile]) -> int:
    return sum(file.file_size_in_bytes for file in files)


def _partitions(files: Iterable[DataFile]) -> Iterator[tuple[DataFile, ...]]:
    groups: dict[str, list[DataFile]] = defaultdict(list)
    for file in files:
        groups[str(file.partition)].append(file)
    for _, group in sorted(groups.items()):
        yield tuple(group)


def _is_crowded(files: tuple[DataFile, ...]) -> bool:
    return len(files) >= MANY_FILES and _bytes(files) <= SMALL_BYTES


def _rewrite(
    catalogue: Catalogue,
    connection: DuckDBPyConnection,
    table: LakeTable,
    files: tuple[DataFile, ...],
    commit: Commit,
) -> None:
    connection.register("pieces", catalogue.dataset_of(table, files))
    query = in_order(table, "select * from pieces")
    rows = connection.sql(query).to_arrow_reader(ROWS_A_BATCH)
    catalogue.replace(table, rows, files, commit)


def expire(
    catalogue: Catalogue, table: LakeTable, before: datetime, *, is_ending: bool = False
) -> int:
    """Drops snapshots older than `before` but for the newest of each stage; returns how many.

    Of a table whose rows end after some days the newest of all alone stays: an older one would
    keep the files of what ended.
    """
    found = catalogue.find(table)
    if found is None:
        return 0
    told = () if is_ending else _commits(found)
    newest = {commit.stage: s.snapshot_id for s, commit in told}
    kept = {*newest.values(), *(ref.snapshot_id for ref in found.metadata.refs.values())}
    limit = int(before.timestamp() * 1000)
    old = [
        s.snapshot_id
        for s in found.snapshots()
        if s.timestamp_ms < limit and s.snapshot_id not in kept
    ]
    if old:
        found.maintenance.expire_snapshots().by_ids(old).commit()
    return len(old)


def _commits(table: Table) -> Iterator[tuple[Any, Commit]]:
    for snapshot in sorted(table.snapshots(), key=lambda one: one.sequence_number or 0):
        commit = commit_of(snapshot.summary)
        if commit is not None:
            yield snapshot, commit


def sweep(lake: Lake, table: LakeTable, before: datetime) -> int:
    """Deletes data files and manifests that no snapshot names and that are older than `before`."""
    found = lake.catalogue.find(table)
    if found is None:
        return 0
    prefix = found.location().removeprefix(f"s3://{lake.bucket}/") + "/"
    pages = lake.s3.get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix=prefix)
    old = [
        told["Key"]
        for page in pages
        for told in page.get("Contents", ())
        if told["LastModified"] < before and not told["Key"].endswith(".json")
    ]
    named = {path.removeprefix(f"s3://{lake.bucket}/") for path in referenced(found)}
    orphans = [key for key in old if key not in named]
    for start in range(0, len(orphans), DELETED_AT_ONCE):
        keys = [{"Key": key} for key in orphans[start : start + DELETED_AT_ONCE]]
        lake.s3.delete_objects(Bucket=lake.bucket, Delete={"Objects": keys, "Quiet": True})
    return len(orphans)


def referenced(table: Table) -> set[str]:
    """Every manifest list, manifest and data file that one of the table's snapshots names."""
    paths: set[str] = set()
    for snapshot in table.snapshots():
        paths.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in paths:
                paths.add(manifest.manifest_path)
                entries = manifest.fetch_manifest_entry(table.io, discard_deleted=False)
                paths.update(entry.data_file.file_path for entry in entries)
    return paths
