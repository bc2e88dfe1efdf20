"""Files of the drop zone: rows of the erased are left out, and the file is known as taken in."""

import gzip
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from stamgast.erasure.naming import Naming
from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.subject import Subject
from stamgast_lake.archive import GZIP_MAGIC, LakeObject
from stamgast_lake.catalogue import Commit
from stamgast_lake.erasure.archive import Cleaned
from stamgast_lake.erasure.objects import Objects
from stamgast_lake.imports.mapping import mapping_for
from stamgast_lake.imports.rows import UnreadableFileError, format_of, rows_of
from stamgast_lake.imports.texts import UTF_8, encoding_of
from stamgast_lake.inputs import ImportInput, Listing, known
from stamgast_lake.lake import Lake
from stamgast_lake.loading.load import ledger_rows
from stamgast_lake.loading.stage import Taken
from stamgast_lake.tables import RAW_FILES

PREFIX = "import-"
ROWS_A_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class DropErasure:
    """The erasure of some persons from the files that customers dropped."""

    lake: Lake
    subjects: tuple[Subject, ...]
    moment: datetime
    batch: str
    is_dry: bool = False

    def clean(self, receipts: Collection[str]) -> Cleaned:
        """Rewrites the files whose rows gave these receipts, and those that no run has taken in."""
        taken = known(self.lake.catalogue, None, kind="import")
        named = _named(taken, receipts)
        done = Cleaned()
        for given in Listing(self.lake.s3, self.lake.bucket).imports():
            is_taken = given.etag in taken.get(given.key, ())
            if given.key in named or not is_taken:
                done += self._file(given, is_taken=is_taken)
        return done

    def _file(self, given: ImportInput, *, is_taken: bool) -> Cleaned:
        objects = Objects(self.lake.s3, self.lake.bucket)
        with TemporaryDirectory(prefix="stamgast-erase-") as folder:
            file, left = Path(folder) / "file", Path(folder) / "left"
            file.write_bytes(objects.body(given.key))
            encoding = encoding_of(file, self._told_encoding(given))
            rows, gone = self._rewrite(file, left, given.path, encoding)
            if gone and not self.is_dry:
                tag = objects.put(given.key, left.read_bytes())
                if is_taken:
                    self._remember(given, tag, left.stat().st_size, rows)
            elif not self.is_dry:
                objects.drop_old([given.key])
        return Cleaned(1, int(gone > 0), gone)

    def _told_encoding(self, given: ImportInput) -> str:
        source = self.lake.workspace().sources.get(given.source_id)
        mapping = mapping_for(given.path, source.imports) if source else None
        return mapping.encoding if mapping else UTF_8

    def _rewrite(self, file: Path, left: Path, path: str, encoding: str) -> tuple[int, int]:
        """Writes what stays of a file; how many rows stay and how many go."""
        needles = needles_of(self.subjects)
        try:
            form = format_of(path)
        except UnreadableFileError:
            form = ""
        if form == "parquet":
            return without_rows(file, left, needles)
        if not form:
            return self._unreadable(file, left, needles)
        return self._texts(file, left, path, needles, encoding)

    def _texts(
        self, file: Path, left: Path, path: str, needles: Needles, encoding: str
    ) -> tuple[int, int]:
        keys = frozenset().union(*(one.keys for one in self.subjects))
        naming = Naming(self.lake.workspace().identity, self.lake.keyring())
        rows = gone = 0
        with _written_like(file, left) as out:
            first = True
            try:
                for value, text in rows_of(file, path, encoding):
                    line = text or b""
                    if first:
                        out.write(_recoded(_head(file, line, encoding), encoding))
                        first = False
                    if needles.found_in(line) or naming.names(value, keys):
                        gone += 1
                        continue
                    rows += 1
                    out.write(_recoded(line + b"\n", encoding))
            except UnreadableFileError:
                return rows, gone + self._whole(file, needles, encoding)
        return rows, gone

    def _unreadable(self, file: Path, left: Path, needles: Needles) -> tuple[int, int]:
        """A file that nobody can read by rows goes whole if it tells of the erased."""
        left.write_bytes(b"")
        return 0, self._whole(file, needles)

    def _whole(self, file: Path, needles: Needles, encoding: str = UTF_8) -> int:
        return int(needles.found_in(_plain(file, encoding)))

    def _remember(self, given: ImportInput, tag: str, size: int, rows: int) -> None:
        day = self.moment.date().isoformat()
        taken = Taken(LakeObject(given.key, tag, size, "import", day), rows, 0)
        commit = Commit(self.batch, f"dropped {given.tag}")
        self.lake.catalogue.append(RAW_FILES, ledger_rows([taken], self.batch), commit)


def without_rows(file: Path, left: Path, needles: Needles) -> tuple[int, int]:
    """Writes a Parquet file without rows that hold a needle; how many stay and how many go."""
    told = pq.ParquetFile(file)
    rows = gone = 0
    with pq.ParquetWriter(left, told.schema_arrow, compression="zstd") as out:
        for batch in told.iter_batches(ROWS_A_BATCH):
            stays = [not tells(row, needles) for row in batch.to_pylist()]
            out.write_batch(batch.filter(pa.array(stays)))
            rows += sum(stays)
            gone += len(stays) - sum(stays)
    return rows, gone


def tells(value: object, needles: Needles) -> bool:
    """Whether any text in a row, however deep, tells of one of the persons."""
    if isinstance(value, str):
        return needles.is_cell(value)
    if isinstance(value, bytes):
        return needles.found_in(value)
    if isinstance(value, dict):
        return any(tells(inner, needles) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(tells(inner, needles) for inner in value)
    return False


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
    body = gzip.decompress(body) if body[:2] == GZIP_MAGIC else body
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
