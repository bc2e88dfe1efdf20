"""Files of the drop zone: rows of the erased are left out, and the file is known as taken in."""

import gzip
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

from stamgast.erasure.file_names import fits_always, is_renamed, renamed
from stamgast.erasure.naming import Naming
from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.subject import Subject
from stamgast_lake.archive import GZIP_MAGIC, LakeObject
from stamgast_lake.catalogue import Commit
from stamgast_lake.erasure.archive import Cleaned
from stamgast_lake.erasure.arrived import mapped_alike
from stamgast_lake.erasure.objects import Objects
from stamgast_lake.erasure.parquet import Goes, is_parquet, left_of_rows, tells
from stamgast_lake.erasure.put_back import PutBack
from stamgast_lake.erasure.scan import file_tells, inflatable
from stamgast_lake.imports.mapping import mapping_for
from stamgast_lake.imports.rows import UnreadableFileError, format_of, rows_of
from stamgast_lake.imports.texts import UTF_8, encoding_of
from stamgast_lake.inputs import ImportInput, Listing, known
from stamgast_lake.lake import Lake
from stamgast_lake.loading.load import ledger_rows
from stamgast_lake.loading.stage import Taken
from stamgast_lake.tables import RAW_FILES

PREFIX = "import-"


@dataclass(frozen=True)
class DropErasure:
    """The erasure of some persons from the files that customers dropped."""

    lake: Lake
    subjects: tuple[Subject, ...]
    moment: datetime
    batch: str
    is_dry: bool = False

    def told(
        self, receipts: Collection[str], seen: Collection[str] = ()
    ) -> dict[str, tuple[ImportInput, bool]]:
        """The files whose rows gave these receipts, and those that no run has taken in, by key.

        Those `seen` to hold something as well; and a file whose name tells of the erased. Each with
        whether a run has taken it in.
        """
        taken = known(self.lake.catalogue, None, kind="import")
        named = {*_named(taken, receipts), *seen}
        found = dict[str, tuple[ImportInput, bool]]()
        for given in Listing(self.lake.s3, self.lake.bucket).imports():
            is_taken = given.etag in taken.get(given.key, ())
            key = self._key(given, is_taken=is_taken)
            is_told = given.key in named or is_renamed(given.key) or key != given.key
            if is_told or not is_taken:
                found[given.key] = given, is_taken
        return found

    def clean(self, files: Iterable[tuple[ImportInput, bool]]) -> Cleaned:
        """Rewrites these files without the rows of the erased; one that is named so is moved."""
        done = Cleaned()
        for given, is_taken in files:
            done += self._file(given, is_taken=is_taken)
        return done

    def leave_out(self, given: ImportInput, numbers: Collection[int]) -> int:
        """Rewrites a file without the rows of these numbers, which standing tombstones kept away.

        A file that is another one by now is left alone.
        """
        objects, barred = Objects(self.lake.s3, self.lake.bucket), frozenset(numbers)
        if objects.tag(given.key) != given.etag:
            return 0
        return self._rewritten(given, given.key, lambda number, *_: number in barred).lines

    def empty(self, given: ImportInput) -> int:
        """Takes out of a file that was taken in what nobody can unpack; how many pieces went.

        Of whom it does not tell nobody can say, and no run has loaded it.
        """
        stream = self.lake.s3.get_object(Bucket=self.lake.bucket, Key=given.key)["Body"]
        is_packed = file_tells(stream, self._needles)
        return self._file(given, is_taken=True).lines if is_packed else 0

    def _key(self, given: ImportInput, *, is_taken: bool) -> str:
        """The file's key, or where its name tells of the erased the one that it gets."""
        fits = fits_always if is_taken else mapped_alike(self.lake, given.key)
        return renamed(given.key, self._needles, self.lake.keyring(), fits)

    def _file(self, given: ImportInput, *, is_taken: bool) -> Cleaned:
        key = self._key(given, is_taken=is_taken)
        return self._rewritten(given, key, self._goes, is_taken=is_taken)

    def _rewritten(
        self, given: ImportInput, key: str, goes: Goes, *, is_taken: bool = True
    ) -> Cleaned:
        objects, is_moved = Objects(self.lake.s3, self.lake.bucket), key != given.key
        with TemporaryDirectory(prefix="stamgast-erase-") as folder:
            file, left = Path(folder) / "file", Path(folder) / "left"
            file.write_bytes(objects.body(given.key))
            encoding = encoding_of(file, self._told_encoding(given))
            rows, gone = self._rewrite(file, left, given.path, encoding, goes)
            if (gone or is_moved) and not self.is_dry:
                PutBack(self.lake).remember(given.etag if gone else None)
                tag = objects.put(key, (left if gone else file).read_bytes())
                if is_taken:
                    self._remember(replace(given, key=key), tag, left.stat().st_size, rows)
                objects.drop([given.key] if is_moved else [])
            elif not self.is_dry:
                objects.drop_old([key])
        return Cleaned(1, int(gone > 0 or is_moved), gone + int(is_moved))

    def _told_encoding(self, given: ImportInput) -> str:
        source = self.lake.workspace().sources.get(given.source_id)
        mapping = mapping_for(given.path, source.imports) if source else None
        return mapping.encoding if mapping else UTF_8

    @cached_property
    def _needles(self) -> Needles:
        return needles_of(self.subjects)

    @cached_property
    def _goes(self) -> Goes:
        """Whether a row tells of the erased, by its text or by what its values spell."""
        keys = frozenset[str]().union(*(one.keys for one in self.subjects))
        naming, needles = Naming(self.lake.workspace().identity, self.lake.keyring()), self._needles

        def goes(_number: int, value: object, text: bytes | None) -> bool:
            if text is None:
                return tells(value, needles) or naming.names(value, keys)
            return needles.found_in(text) or naming.names(value, keys)

        return goes

    def _rewrite(
        self, file: Path, left: Path, path: str, encoding: str, goes: Goes
    ) -> tuple[int, int]:
        """Writes what stays of a file; how many rows stay and how many go."""
        if is_parquet(file):
            return left_of_rows(file, left, goes)
        try:
            is_text = format_of(path) != "parquet"
        except UnreadableFileError:
            is_text = False
        if is_text:
            return self._texts(file, left, path, goes, encoding)
        return self._unreadable(file, left, path)

    def _texts(
        self, file: Path, left: Path, path: str, goes: Goes, encoding: str
    ) -> tuple[int, int]:
        rows = gone = 0
        in_head: int | None = None
        with _written_like(file, left) as out:
            try:
                for value, text in rows_of(file, path, encoding):
                    line = text or b""
                    if in_head is None:
                        head = _head(file, line, encoding)
                        in_head = self._is_told_by(head)
                        out.write(b"" if in_head else _recoded(head, encoding))
                    if goes(rows + gone, value, line):
                        gone += 1
                        continue
                    rows += 1
                    out.write(_recoded(line + b"\n", encoding))
            except UnreadableFileError:
                return rows, gone + self._whole(file, encoding)
        return rows, gone + (self._whole(file, encoding) if in_head is None else in_head)

    def _is_told_by(self, head: bytes) -> int:
        """Whether what stands before the first row tells of the erased: somebody's row, then."""
        return int(self._needles.found_in(head))

    def _unreadable(self, file: Path, left: Path, path: str) -> tuple[int, int]:
        """A file that nobody can read by rows goes whole if it, or its name, tells of the erased.

        Of one that has given its name up to an erasure nothing stays either.
        """
        left.write_bytes(b"")
        is_named = is_renamed(path) or self._needles.is_name(path)
        return 0, int(is_named and file.stat().st_size > 0) or self._whole(file)

    def _whole(self, file: Path, encoding: str = UTF_8) -> int:
        with file.open("rb") as stream:
            if file_tells(stream, self._needles):
                return 1
        return int(self._needles.found_in(_plain(file, encoding)))

    def _remember(self, given: ImportInput, tag: str, size: int, rows: int) -> None:
        day = self.moment.date().isoformat()
        taken = Taken(LakeObject(given.key, tag, size, "import", day), rows, 0)
        commit = Commit(self.batch, f"dropped {given.tag}")
        self.lake.catalogue.append(RAW_FILES, ledger_rows([taken], self.batch), commit)


def _named(taken: dict[str, set[str]], receipts: Collection[str]) -> set[str]:
    """The files from which these receipts came, in whatever version they were taken in."""
    tags = {one.removeprefix(PREFIX).rpartition(":")[0] for one in receipts if _is_import(one)}
    return {
        key
        for key, etags in taken.items()
        if any(ImportInput(key, etag, 0, "").tag in tags for etag in etags)
    }


def _is_import(receipt_id: str) -> bool:
    return receipt_id.startswith(PREFIX)


def _plain(file: Path, encoding: str) -> bytes:
    body = file.read_bytes()
    body = b"".join(inflatable(iter([body]))) if body[:2] == GZIP_MAGIC else body
    return body if encoding == UTF_8 else body.decode(encoding, "replace").encode()


def _recoded(text: bytes, encoding: str) -> bytes:
    """A text of UTF-8 in the encoding of its file."""
    return text if encoding == UTF_8 else text.decode().encode(encoding, "replace")


def _head(file: Path, first: bytes, encoding: str) -> bytes:
    """What stands before the first row: the header of a CSV file."""
    body = _plain(file, encoding)
    return body[: body.index(first)] if first in body else b""


@contextmanager
def _written_like(file: Path, left: Path) -> Iterator[IO[bytes]]:
    """A file to write into that is gzipped if the other is."""
    with file.open("rb") as told:
        is_zipped = told.read(2) == GZIP_MAGIC
    with gzip.open(left, "wb") if is_zipped else left.open("wb") as out:
        yield cast("IO[bytes]", out)
