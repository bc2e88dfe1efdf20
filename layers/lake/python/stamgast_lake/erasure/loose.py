"""Objects beside tables and archive: documents of runs, exports, results, what models were fed.

Rows of Parquet files are left out; any other object that tells of the erased is taken away whole,
for each can be made anew or lives for days only.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.subject import Subject
from stamgast_lake.erasure.archive import Cleaned
from stamgast_lake.erasure.objects import Objects
from stamgast_lake.erasure.parquet import MAGIC, without_rows
from stamgast_lake.erasure.scan import document_tells
from stamgast_lake.lake import Lake

LIST = re.compile(r"exports/(?P<export>[^/]+)/selected/")
FILE = re.compile(r"exports/(?P<export>[^/]+)/[^/]+\.(csv|parquet)")


@dataclass(frozen=True)
class LooseErasure:
    """The erasure of some persons from objects of any form."""

    lake: Lake
    subjects: tuple[Subject, ...]
    is_dry: bool = False

    def clean(self, prefixes: Sequence[str]) -> Cleaned:
        """Reads every object under the prefixes, and takes the erased out of those that tell."""
        objects, done = Objects(self.lake.s3, self.lake.bucket), Cleaned()
        for prefix in prefixes:
            keys = objects.keys(prefix)
            told = [key for key in keys if self._is_told(key)]
            nameless = nameless_files(keys, told)
            done += Cleaned(len(keys), len(told) + len(nameless), len(nameless))
            if self.is_dry:
                done += Cleaned(0, 0, len(told))
                continue
            objects.drop(nameless)  # before the lists by which they are known
            done += Cleaned(0, 0, sum(self._without(key, objects.body(key)) for key in told))
            objects.drop_noncurrent(prefix)
        return done

    def clear(self, prefix: str) -> Cleaned:
        """Takes every object under a prefix away, and counts those that tell.

        A result of a query may hold somebody's name and no identifier: nobody knows whose it is,
        and it can be asked for again.
        """
        objects = Objects(self.lake.s3, self.lake.bucket)
        keys = objects.keys(prefix)
        told = sum(self._is_told(key) for key in keys)
        if not self.is_dry:
            objects.drop(keys)
            objects.drop_noncurrent(prefix)
        return Cleaned(len(keys), len(keys), told)

    @cached_property
    def _needles(self) -> Needles:
        return needles_of(self.subjects)

    def _is_told(self, key: str) -> bool:
        body = Objects(self.lake.s3, self.lake.bucket).body(key)
        return document_tells(body, self._needles) or self._needles.is_name(key)

    def _without(self, key: str, body: bytes) -> int:
        objects = Objects(self.lake.s3, self.lake.bucket)
        if not body.startswith(MAGIC):
            objects.drop([key])
            return 1
        with TemporaryDirectory(prefix="stamgast-erase-") as folder:
            file, left = Path(folder) / "file", Path(folder) / "left"
            file.write_bytes(body)
            _, gone = without_rows(file, left, self._needles)
            objects.put(key, left.read_bytes())
        return gone


def nameless_files(keys: Collection[str], told: Collection[str]) -> set[str]:
    """Files of exports that hold somebody without naming them: nobody knows which row is theirs.

    The list of whom an export selected names them, none of its files does.
    """
    found = {key: file for key in keys if (file := FILE.fullmatch(key))}
    named = {found[key]["export"] for key in told if key in found}
    listed = {one["export"] for key in told if (one := LIST.match(key))} - named
    return {key for key, file in found.items() if file["export"] in listed}
