"""The history of a table: older snapshots, and each file and version that only those name.

A manifest also lists the files that its commit took out, with the least and the greatest value of
each column in them (its first 16 characters, so that a short address stands there whole).
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta

from pyiceberg.table import Table

from stamgast_lake.erasure.objects import Objects
from stamgast_lake.lake import Lake
from stamgast_lake.maintenance import referenced
from stamgast_lake.tables import LakeTable
from stamgast_lake.transactions import HeldTransaction

YOUNG = timedelta(hours=1)


def forget_history(lake: Lake, table: LakeTable, moment: datetime) -> int:
    """Leaves a table its newest snapshot alone; returns how many files and versions went.

    Data files and manifests that only older snapshots name are deleted with their versions, and so
    is every noncurrent version under the table's folder, and what an hour before the moment was
    there although no snapshot names it.
    """
    found = lake.catalogue.find(table)
    if not isinstance(found, Table):
        return 0
    _without_removed(found)
    before = referenced(found)
    current = found.current_snapshot()
    old = [s.snapshot_id for s in found.snapshots() if current and s != current]
    if old:
        found.maintenance.expire_snapshots().by_ids(old).commit()
    live = _live(found)
    return _delete(lake, found, before - live) + _sweep(lake, found, live, moment - YOUNG)


def _without_removed(found: Table) -> None:
    """Commits nothing, so that the newest snapshot names no manifest of files that are gone."""
    current = found.current_snapshot()
    if current and any(one.deleted_files_count for one in current.manifests(found.io)):
        with HeldTransaction(found) as transaction, transaction.update_snapshot().fast_append():
            pass


def _live(found: Table) -> set[str]:
    """What the newest snapshot reads."""
    current = found.current_snapshot()
    if current is None:
        return set()
    paths = {current.manifest_list}
    for manifest in current.manifests(found.io):
        paths.add(manifest.manifest_path)
        entries = manifest.fetch_manifest_entry(found.io, discard_deleted=True)
        paths.update(entry.data_file.file_path for entry in entries)
    return paths


def _sweep(lake: Lake, found: Table, live: Collection[str], before: datetime) -> int:
    """Takes away what nobody names: an erasure that was cut short may have left it."""
    root = f"s3://{lake.bucket}/"
    if not found.location().startswith(root):
        return 0
    prefix = found.location().removeprefix(root) + "/"
    pages = lake.s3.get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix=prefix)
    named = {path.removeprefix(root) for path in live}
    orphans = [
        told["Key"]
        for page in pages
        for told in page.get("Contents", ())
        if told["LastModified"] < before and not told["Key"].endswith(".json")
    ]
    return Objects(lake.s3, lake.bucket).drop(key for key in orphans if key not in named)


def _delete(lake: Lake, found: Table, paths: Collection[str]) -> int:
    root = f"s3://{lake.bucket}/"
    objects = Objects(lake.s3, lake.bucket)
    inside = [path.removeprefix(root) for path in paths if path.startswith(root)]
    for path in paths:
        if not path.startswith(root):
            with suppress(FileNotFoundError):  # an erasure before it took it away
                found.io.delete(path)
    gone = objects.drop(inside)
    location = found.location()
    if location.startswith(root):
        gone += objects.drop_noncurrent(location.removeprefix(root) + "/")
    return max(gone, len(paths))
