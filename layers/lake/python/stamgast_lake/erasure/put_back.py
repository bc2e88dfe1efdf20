"""Objects put back as they were before an erasure changed them: what the erasure left stands.

Each object that an erasure changes leaves a keyed mark of its entity tag, where erased messages
leave theirs. So a copy is known whatever its words are encoded in, and no value has to be kept.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.dataset as ds

from stamgast.identity.keys import Keyring
from stamgast_lake.archive import IMPORT
from stamgast_lake.erasure.objects import Objects, Version
from stamgast_lake.inputs import IMPORTS, ImportInput
from stamgast_lake.lake import Lake
from stamgast_lake.tables import RAW_FILES

COLUMNS = ["object", "etag", "run_id", "kind", "unreadable"]


@dataclass(frozen=True, slots=True)
class PutBack:
    """Knows what erasures have changed, and takes it back where it lies again, unless it is dry."""

    lake: Lake
    is_dry: bool = False

    def remember(self, etag: str | None) -> None:
        """Marks the tag of an object that an erasure is about to change; None for none."""
        if etag is not None:
            self.lake.tombstones.put_gone(_marks({etag}, self.lake.keyring()))

    def changed(self, etags: Collection[str]) -> set[str]:
        """Those of these tags that objects had before an erasure changed them."""
        marks = _marks(etags, self.lake.keyring())
        return {marks[mark] for mark in self.lake.tombstones.gone(marks)}

    def without_copies(self, arrived: Iterable[ImportInput]) -> Iterator[ImportInput]:
        """Dropped files but those of which the same source has one that an erasure changed.

        Each row of such a file is a copy of one that was taken in; the file goes before it is read.
        """
        given = list(arrived)
        changed = self.changed({one.etag for one in given})
        homes = self._homes(changed) if changed else {}
        for one in given:
            if not self._is_copy(one.key, homes.get(one.etag)):
                yield one

    def take_back(self, written: Mapping[str, str]) -> set[str]:
        """Those of these objects (tags by key) that were put back; what had been left stands again.

        Either an older version does, or another object, of which this one was a copy.
        """
        # A load rewrites copies in the archive, and no copy of a dropped file comes so far.
        ledger = self._tags([key for key in written if not key.startswith(IMPORTS)])
        tags = {key: {tag, *ledger.get(key, ())} for key, tag in written.items()}
        changed = self.changed(set().union(*tags.values())) if tags else set()
        homes = self._homes(changed) if changed else {}
        return {
            key
            for key, tag in written.items()
            if (tag in changed and self._is_older(key))
            or any(self._is_copy(key, homes.get(one)) for one in tags[key] & changed)
        }

    def _is_older(self, key: str) -> bool:
        """Whether an older version is what an erasure left; the newer ones are gone then."""
        objects = Objects(self.lake.s3, self.lake.bucket)
        found = [one for one in objects.versions(key) if one.key == key and one.etag]
        changed = self.changed({one.etag for one in found})
        newer: list[Version] = []
        for one in found:
            if one.etag not in changed:
                objects.drop_versions(() if self.is_dry else newer)
                return True
            newer.append(one)
        return False

    def _is_copy(self, key: str, home: str | None) -> bool:
        """Whether another object of its source stands, of which this was a copy; it is gone then.

        The same file given to another source has messages of its own.
        """
        objects = Objects(self.lake.s3, self.lake.bucket)
        if home is None or home == key or _source(home) != _source(key):
            return False
        if objects.tag(home) is None:
            return False
        objects.drop(() if self.is_dry else [key])
        return True

    def _tags(self, keys: Collection[str]) -> dict[str, set[str]]:
        """The tags under which the ledger knows these objects."""
        found: dict[str, set[str]] = {}
        for row in self._rows(ds.field("object").isin(sorted(keys))):
            found.setdefault(row["object"], set()).add(row["etag"])
        return found

    def _homes(self, etags: Collection[str]) -> dict[str, str]:
        """The object that was taken in first with each of these tags, and could be read."""
        first: dict[str, tuple[str, str]] = {}
        for row in self._rows(ds.field("etag").isin(sorted(etags))):
            found = (row["run_id"], row["object"])
            first[row["etag"]] = min(found, first.get(row["etag"], found))
        return {etag: key for etag, (_, key) in first.items()}

    def _rows(self, where: ds.Expression) -> Iterator[dict[str, Any]]:
        """Rows of the ledger, but of files that no run could read to their end."""
        dataset = self.lake.catalogue.dataset(RAW_FILES)
        for batch in dataset.to_batches(columns=COLUMNS, filter=where):
            rows = batch.to_pylist()
            yield from (one for one in rows if one["kind"] != IMPORT or not one["unreadable"])


def _source(key: str) -> str:
    """The folder of the source that a dropped file lies in; the same of all of the archive."""
    return ImportInput(key, "", 0, "").source_id


def _marks(etags: Collection[str], keyring: Keyring) -> dict[str, str]:
    return {keyring.identifier_key("object", etag): etag for etag in etags}
