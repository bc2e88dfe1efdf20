"""Objects of the lake's bucket: written anew or taken away with every version that they had."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from stamgast.moments import ms_of

AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object with its entity tag, or a marker that it was deleted, with none."""

    key: str
    version_id: str
    is_latest: bool
    etag: str = ""


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

    def tag(self, key: str) -> str | None:
        """The entity tag of an object, if it is there."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=key).get("Contents", ())
        return next((told["ETag"].strip('"') for told in listed if told["Key"] == key), None)

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

    def versions(self, prefix: str, after: str = "") -> Iterator[Version]:
        """Every version and every marker under a prefix; of a key the newest version first.

        `after` is the key behind which to begin, of which a page may tell once more.
        """
        told = {"KeyMarker": after} if after else {}
        pages = self.s3.get_paginator("list_object_versions").paginate(
            Bucket=self.bucket, Prefix=prefix, **told
        )
        for page in pages:
            for kind in ("Versions", "DeleteMarkers"):
                for told in page.get(kind, ()):
                    tag = told.get("ETag", "").strip('"')
                    yield Version(told["Key"], told["VersionId"], told["IsLatest"], tag)

    def written(self, keys: Iterable[str]) -> dict[str, int]:
        """When the oldest version of each object was written, in ms since 1970."""
        found: dict[str, int] = {}
        for key in sorted(set(keys)):
            told = self.s3.list_object_versions(Bucket=self.bucket, Prefix=key).get("Versions", ())
            at = [ms_of(one["LastModified"].astimezone(UTC)) for one in told if one["Key"] == key]
            found |= {key: min(at)} if at else {}
        return found

    def drop(self, keys: Iterable[str]) -> int:
        """Takes objects away with all their versions; returns how many versions."""
        return self.drop_versions(v for key in sorted(keys) for v in self._of(key))

    def drop_old(self, keys: Iterable[str]) -> int:
        """Takes the noncurrent versions of objects away; returns how many."""
        return self.drop_versions(
            v for key in sorted(keys) for v in self._of(key) if not v.is_latest
        )

    def drop_noncurrent(self, prefix: str) -> int:
        """Takes every version under a prefix away that nobody reads any more, and the markers."""
        live = set(self.keys(prefix))
        return self.drop_versions(
            one for one in self.versions(prefix) if not one.is_latest or one.key not in live
        )

    def drop_versions(self, versions: Iterable[Version]) -> int:
        """Takes these versions away; returns how many."""
        told = [{"Key": one.key, "VersionId": one.version_id} for one in versions]
        for start in range(0, len(told), AT_ONCE):
            part = {"Objects": told[start : start + AT_ONCE], "Quiet": True}
            self.s3.delete_objects(Bucket=self.bucket, Delete=part)
        return len(told)

    def _of(self, key: str) -> Iterator[Version]:
        return (one for one in self.versions(key) if one.key == key)
