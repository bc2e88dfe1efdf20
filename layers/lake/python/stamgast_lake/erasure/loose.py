"""Objects beside tables and archive: documents of runs, exports, results, what models were fed.

Rows of Parquet files are left out; any other object that tells of the erased is taken away whole,
for each can be made anew or lives for days only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from stamgast.erasure.needles import needles_of
from stamgast.erasure.subject import Subject
from stamgast_lake.erasure.archive import Cleaned
from stamgast_lake.erasure.objects import Objects
from stamgast_lake.erasure.parquet import MAGIC, without_rows
from stamgast_lake.erasure.scan import document_tells
from stamgast_lake.lake import Lake


@dataclass(frozen=True, slots=True)
class LooseErasure:
    """The erasure of some persons from objects of any form."""

    lake: Lake
    subjects: tuple[Subject, ...]
    is_dry: bool = False

    def clean(self, prefixes: Sequence[str]) -> Cleaned:
        """Reads every object under the prefixes, and takes the erased out of those that tell."""
        objects, needles = Objects(self.lake.s3, self.lake.bucket), needles_of(self.subjects)
        done = Cleaned()
        for prefix in prefixes:
            for key in objects.keys(prefix):
                body = objects.body(key)
                is_told = document_tells(body, needles) or needles.is_name(key)
                lines = self._without(key, body) if is_told and not self.is_dry else int(is_told)
                done += Cleaned(1, int(is_told), lines)
            if not self.is_dry:
                objects.drop_noncurrent(prefix)
        return done

    def _without(self, key: str, body: bytes) -> int:
        objects = Objects(self.lake.s3, self.lake.bucket)
        if not body.startswith(MAGIC):
            objects.drop([key])
            return 1
        with TemporaryDirectory(prefix="stamgast-erase-") as folder:
            file, left = Path(folder) / "file", Path(folder) / "left"
            file.write_bytes(body)
            _, gone = without_rows(file, left, needles_of(self.subjects))
            objects.put(key, left.read_bytes())
        return gone
