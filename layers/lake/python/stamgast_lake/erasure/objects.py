"""Objects of the lake's bucket: written anew or taken away with every version that they had."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pyiceberg.table import Table

from stamgast_lake.lake import Lake
from stamgast_lake.maintenance import referenced
from stamgast_lake.tables import LakeTable

AT_ONCE = 1_000
YOUNG = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object, or a marker that it was deleted."""

    key: str
    version_id: str
    is_latest: bool


@dataclass(frozen=True, slots=True)
class Objects:
    """The bucket as an erasure works on it."""

    s3: Any
    bucket: str

    def keys(self, prefix: str) -> list[str]:
        """Every object under a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [told["Key"] for page in pages for told in page.get("Contents", ())]

    def stands(self, key: str) -> bool:
        """Whether there is such an object."""
        return key in self.keys(key)

    def body(self, key: str, version_id: str | None = None) -> bytes:
        """The content of an object, or of one of its versions."""
        told = {} if version_id is None else {"VersionId": version_id}
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key, **told)["Body"].read()
        return body

    def put(self, key: str, body: bytes) -> str:
        """Writes an object in the place of all its versions; returns its entity tag."""
        answer = self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        self.drop_old([key])
        tag: str = answer["ETag"].strip('"')
        return tag

    def versions(self, prefix: str) -> Iterator[Version]:
        """Every version and every marker under a prefix."""
        pages = self.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        for page in pages:
            for kind in ("Versions", "DeleteMarkers"):
                for told in page.get(kind, ()):
                    yield Version(told["Key"], told["VersionId"], told["IsLatest"])

    def drop(self, keys: Iterable[str]) -> int:
        """Takes objects away with all their versions; returns how many versions."""
        return self._drop(v for key in sorted(keys) for v in self._of(key))

    def drop_old(self, keys: Iterable[str]) -> int:
        """Takes the noncurrent versions of objects away; returns how many."""
        return self._drop(v for key in sorted(keys) for v in self._of(key) if not v.is_latest)

    def drop_noncurrent(self, prefix: str) -> int:
        """Takes every version under a prefix away that nobody reads any more, and the markers."""
        live = set(self.keys(prefix))
        return self._drop(
            one for one in self.versions(prefix) if not one.is_latest or one.key not in live
        )

    def _of(self, key: str) -> Iterator[Version]:
        return (one for one in self.versions(key) if one.key == key)

    def _drop(self, versions: Iterable[Version]) -> int:
        told = [{"Key": one.key, "VersionId": one.version_id} for one in versions]
        for start in range(0, len(told), AT_ONCE):
            part = {"Objects": told[start : start + AT_ONCE], "Quiet": True}
            self.s3.delete_objects(Bucket=self.bucket, Delete=part)
        return len(told)


def forget_history(lake: Lake, table: LakeTable, moment: datetime) -> int:
    """Leaves a table its newest snapshot alone; returns how many files and versions went.

    Data files and manifests that only older snapshots name are deleted with their versions, and so
    is every noncurrent version under the table's folder, and what an hour before the moment was
    there although no snapshot names it.
    """
    found = lake.catalogue.find(table)
    if not isinstance(found, Table):
        return 0
    before = referenced(found)
    current = found.current_snapshot()
    old = [s.snapshot_id for s in found.snapshots() if current and s != current]
    if old:
        found.maintenance.expire_snapshots().by_ids(old).commit()
    live = _live(found)
    return _delete(lake, found, before - live) + _sweep(lake, found, live, moment - YOUNG)


def _live(found: Table) -> set[str]:
    """What the newest snapshot reads; a manifest also names the files that it took out."""
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
