"""What is new, exactly once: the listing of recent hours and of the drop zone, minus the ledger."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
import pyarrow.dataset as ds

from stamgast_lake.archive import LakeObject
from stamgast_lake.catalogue import Catalogue, one_of
from stamgast_lake.tables import RAW_FILES

RECENT = timedelta(hours=26)
THOROUGH = timedelta(days=35)
MOST_OBJECTS = 20_000
MOST_IMPORTS = 200
ARCHIVE_KINDS = ("raw", "rejected")
IMPORTS = "imports/"


@dataclass(frozen=True, slots=True)
class ImportInput:
    """A file of the drop zone: its key, entity tag and size, and when it was put there."""

    key: str
    etag: str
    bytes: int
    received_at: str

    @property
    def source_id(self) -> str:
        """The folder below `imports/` that it lies in."""
        return self.key.removeprefix(IMPORTS).partition("/")[0]

    @property
    def path(self) -> str:
        """Its path below the source's folder, which mappings match."""
        return self.key.removeprefix(IMPORTS).partition("/")[2]

    @property
    def tag(self) -> str:
        """Sixteen characters that stand for this version of this file."""
        return sha256(f"{self.key}\0{self.etag}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Inputs:
    """The list of a run, written before anything in it is read."""

    run_id: str
    seq: int
    moment: str
    workspace_version: str
    is_thorough: bool
    objects: tuple[LakeObject, ...]
    imports: tuple[ImportInput, ...]

    @property
    def count(self) -> int:
        """How many objects and files the run takes in."""
        return len(self.objects) + len(self.imports)

    def to_json(self) -> bytes:
        """The document that is kept under `runs/`."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> "Inputs":
        """Reads what `to_json` wrote."""
        told: dict[str, Any] = orjson.loads(text)
        told["objects"] = tuple(LakeObject(**one) for one in told["objects"])
        told["imports"] = tuple(ImportInput(**one) for one in told["imports"])
        return cls(**told)


@dataclass(frozen=True, slots=True)
class Listing:
    """What one listing of the bucket may hold: the archive's hours, and the drop zone whole."""

    s3: Any
    bucket: str

    def archive(self, moment: datetime, span: timedelta) -> Iterator[LakeObject]:
        """The archive's objects that arrived in the span before the moment, or after it."""
        since = (moment - span).astimezone(UTC)
        first_hour = since.strftime("date=%Y-%m-%d/hour=%H/")
        for kind in ARCHIVE_KINDS:
            for on in _days(since, moment + timedelta(days=1)):
                for told in self._list(f"{kind}/date={on}/"):
                    if told["Key"].removeprefix(f"{kind}/") >= first_hour:
                        yield lake_object(told, kind, on)

    def imports(self) -> Iterator[ImportInput]:
        """Every file of the drop zone; folders and empty objects are none."""
        for told in self._list(IMPORTS):
            path = told["Key"].removeprefix(IMPORTS).partition("/")[2]
            if path and told["Size"]:
                yield ImportInput(
                    key=told["Key"],
                    etag=told["ETag"].strip('"'),
                    bytes=told["Size"],
                    received_at=told["LastModified"].astimezone(UTC).isoformat(),
                )

    def _list(self, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        for page in pages:
            yield from page.get("Contents", ())


def lake_object(told: dict[str, Any], kind: str, arrived_on: str) -> LakeObject:
    """An object of the archive as S3's listing tells it."""
    return LakeObject(told["Key"], told["ETag"].strip('"'), told["Size"], kind, arrived_on)


def _days(since: datetime, until: datetime) -> Iterator[str]:
    day = since.date()
    while day <= until.date():
        yield day.isoformat()
        day += timedelta(days=1)


def new_objects(catalogue: Catalogue, listed: Iterable[LakeObject]) -> tuple[LakeObject, ...]:
    """The listed objects that no run has taken in, in the order of their keys, bounded."""
    found = sorted(listed, key=lambda one: one.key)
    seen = known(catalogue, {one.arrived_on for one in found})
    return tuple(one for one in found if one.key not in seen)[:MOST_OBJECTS]


def new_imports(catalogue: Catalogue, listed: Iterable[ImportInput]) -> tuple[ImportInput, ...]:
    """The files whose key and entity tag no run has taken in, oldest first, bounded."""
    found = sorted(listed, key=lambda one: (one.received_at, one.key))
    seen = known(catalogue, None, kind="import") if found else {}
    return tuple(one for one in found if one.etag not in seen.get(one.key, ()))[:MOST_IMPORTS]


def known(
    catalogue: Catalogue,
    days: set[str] | None,
    *,
    kind: str | None = None,
    without_run: str | None = None,
) -> dict[str, set[str]]:
    """Entity tags by key of the ledger's objects of these days (None: of all) and this kind."""
    if days is not None and not days:
        return {}
    where = None if days is None else one_of("arrived_on", days)
    matching = None if kind is None else ds.field("kind") == kind
    dataset = catalogue.dataset(RAW_FILES, where)
    tags: dict[str, set[str]] = {}
    for batch in dataset.to_batches(columns=["object", "etag", "run_id"], filter=matching):
        for row in batch.to_pylist():
            if row["run_id"] != without_run:
                tags.setdefault(row["object"], set()).add(row["etag"])
    return tags
