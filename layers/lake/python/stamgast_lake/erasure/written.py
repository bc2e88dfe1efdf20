"""What was written to the archive and the drop zone since an erasure, judged as if it came now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import pyarrow.dataset as ds

from stamgast.erasure.tombstones import Tombstones
from stamgast.moments import moment_of
from stamgast_lake.archive import IMPORT
from stamgast_lake.erasure.archive import ArchiveErasure
from stamgast_lake.erasure.dropped import DropErasure
from stamgast_lake.erasure.notes import Written
from stamgast_lake.erasure.put_back import PutBack
from stamgast_lake.inputs import ImportInput
from stamgast_lake.lake import Lake
from stamgast_lake.tables import RAW_FILES

BATCH = "put-back"


@dataclass(frozen=True)
class Judging:
    """Takes back what was put back, and takes out what tombstones keep away, at one moment."""

    lake: Lake
    moment: datetime
    is_dry: bool = False

    def changed(self, written: Sequence[Written]) -> set[str]:
        """Those of these objects in which something was found that an erasure had taken away."""
        back = PutBack(self.lake, self.is_dry).take_back({one.key: one.etag for one in written})
        left = (one for one in written if one.key not in back)
        return back | {one.key for one in left if self._lines(one)}

    def is_refused(self, one: Written) -> bool:
        """Whether a run could not read a dropped file to its end, so that no row tells its age."""
        return (one.key, one.etag) in self._refused

    def _lines(self, one: Written) -> int:
        archive = ArchiveErasure(self.lake, (), self.is_dry, self._standing)
        if one.key.startswith("raw/"):
            return archive.raw([one.key]).lines
        if one.key.startswith("rejected/"):
            return archive.rejected([one.key]).lines
        return self._unpacked(one) if self._was_erased(one) else 0

    def _was_erased(self, one: Written) -> bool:
        """Whether no run could read it and an erasure took its like; another is its owner's."""
        return self.is_refused(one) and bool(PutBack(self.lake).changed({one.etag}))

    def _unpacked(self, one: Written) -> int:
        given = ImportInput(one.key, one.etag, one.bytes, moment_of(one.at_ms).isoformat())
        return DropErasure(self.lake, (), self.moment, BATCH, self.is_dry).empty(given)

    @cached_property
    def _standing(self) -> Tombstones:
        return self.lake.tombstones.all()

    @cached_property
    def _refused(self) -> set[tuple[str, str]]:
        dataset = self.lake.catalogue.dataset(RAW_FILES)
        where = (ds.field("kind") == IMPORT) & (ds.field("unreadable") > 0)
        rows = dataset.to_table(columns=["object", "etag"], filter=where).to_pylist()
        return {(row["object"], row["etag"]) for row in rows}
