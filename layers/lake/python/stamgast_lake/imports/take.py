"""Takes one file of the drop zone into the archive: bounded memory, the same bytes on a repeat."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from stamgast.erasure.gate import Gate
from stamgast.identity.assurance import Assurance
from stamgast.identity.event import Event
from stamgast.identity.interpret import interpret
from stamgast.identity.keys import Keyring
from stamgast.ingestion.accept import accept
from stamgast.ingestion.never_stored import never_stored_of
from stamgast.ingestion.tracking_plan import planned, tracking_plan_of
from stamgast.ingestion.verdicts import Envelope, Receipt
from stamgast.moments import ms_of
from stamgast.raw.record import RawRecord, RejectedRecord
from stamgast.raw.unfold import unfold
from stamgast.workspace.import_mapping import ImportMapping
from stamgast.workspace.model import Workspace
from stamgast_lake.archive import LakeObject
from stamgast_lake.imports.mapping import mapper, mapping_for
from stamgast_lake.imports.objects import ObjectWriter
from stamgast_lake.imports.rows import Row, UnreadableFileError, format_of, rows_of
from stamgast_lake.inputs import ImportInput

CHUNK_ROWS = 1_000
COPY_BYTES = 1024 * 1024
NO_SOURCE = "unknown"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file; `fault` says why its rest could not be read.

    `barred` are the numbers of the rows that erasures keep away.
    """

    tag: str
    rows: int
    accepted: int
    rejected: int
    fault: str | None
    objects: tuple[LakeObject, ...]
    barred: tuple[int, ...] = ()

    def to_json(self) -> bytes:
        """The document that is kept under `runs/`."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> "Imported":
        """Reads what `to_json` wrote."""
        told: dict[str, Any] = orjson.loads(text)
        told["objects"] = tuple(LakeObject(**one) for one in told["objects"])
        told["barred"] = tuple(told.get("barred", ()))
        return cls(**told)


class FileImport:
    """One file on its way; the moment at which it was put is when its rows were received."""

    def __init__(
        self,
        *,
        s3: Any,
        bucket: str,
        workspace: Workspace,
        given: ImportInput,
        gate: Gate | None = None,
        keyring: Keyring | None = None,
    ) -> None:
        keyed = keyring.identifier_key if keyring else _unkeyed
        self._never = never_stored_of(workspace.never_stored, keyed)
        self._gate = gate
        self._s3, self._bucket, self._given = s3, bucket, given
        self._workspace = workspace
        self._plan = tracking_plan_of(workspace.tracking_plan)
        received = datetime.fromisoformat(given.received_at)
        self._received_ms = ms_of(received)
        on, hour = received.strftime("%Y-%m-%d"), received.strftime("%H")
        self._raw, self._rejected = (
            ObjectWriter(s3, bucket, kind, on, hour, given.tag) for kind in ("raw", "rejected")
        )
        self._rows = self._accepted = self._refused = 0
        self._barred: list[int] = []

    def take(self) -> Imported:
        """Reads the whole file; a fault in the file is told, and what was read before it counts."""
        fault = None
        try:
            self._take_rows()
        except UnreadableFileError as error:
            fault = str(error)
            self._refuse_file(fault)
        self._raw.flush()
        self._rejected.flush()
        objects = (*self._raw.written, *self._rejected.written)
        counts = (self._rows, self._accepted, self._refused)
        return Imported(self._given.tag, *counts, fault, objects, tuple(sorted(self._barred)))

    def _take_rows(self) -> None:
        mapping = self._mapping()
        form = format_of(self._given.path)
        with TemporaryDirectory(prefix="stamgast-import-") as folder:
            file = Path(folder) / "file"
            receipt = self._receipt(self._download(file))
            map_row = mapper(mapping, form)
            for chunk in chunks(rows_of(file, self._given.path, mapping.encoding)):
                self._take_chunk(chunk, map_row, receipt)

    @property
    def _source_id(self) -> str:
        """The file's source; the name of a folder that is none of the workspace's is not kept."""
        told = self._given.source_id
        return told if told in self._workspace.sources else NO_SOURCE

    def _mapping(self) -> ImportMapping:
        source = self._workspace.sources.get(self._given.source_id)
        if source is None:
            raise UnreadableFileError("the folder names no source of the workspace")
        mapping = mapping_for(self._given.path, source.imports)
        if mapping is None:
            raise UnreadableFileError("no mapping of the source matches the file's path")
        return mapping

    def _download(self, file: Path) -> str:
        """Copies the object to the disk and returns the hash of its content."""
        content = sha256()
        body = self._s3.get_object(
            Bucket=self._bucket, Key=self._given.key, IfMatch=self._given.etag
        )["Body"]
        with file.open("wb") as copy:
            for block in body.iter_chunks(COPY_BYTES):
                content.update(block)
                copy.write(block)
        return content.hexdigest()

    def _receipt(self, content: str) -> Receipt:
        return Receipt(
            request_id=f"import-{self._given.tag}",
            received_ms=self._received_ms,
            source_id=self._given.source_id,
            assurance=Assurance.VERIFIED,
            is_import=True,
            file=content,
        )

    def _take_chunk(self, chunk: list[Row], map_row: Any, receipt: Receipt) -> None:
        texts = [text for _, text in chunk]
        envelope = accept(
            [map_row(value) for value, _ in chunk],
            receipt,
            first_index=self._rows,
            original=(lambda place: texts[place] or b"") if texts[0] is not None else None,
        )
        self._rows += len(chunk)
        self._write(envelope)

    def _refuse_file(self, fault: str) -> None:
        """One receipt for what could not be read, at the row where reading ended."""
        refused = RejectedRecord(
            receipt_id=f"import-{self._given.tag}:{self._rows}",
            received_ms=self._received_ms,
            source_id=self._source_id,
            code="unreadable_file",
            path="",
            message=fault,
            original="",
        )
        self._rejected.add([refused.to_json()])
        self._refused += 1

    def _write(self, envelope: Envelope) -> None:
        raw, rejected = unfold(planned(self._never.out_of(envelope), self._plan))
        if self._gate is not None:
            came: list[RawRecord | RejectedRecord] = [*raw, *rejected]
            raw, rejected = _left_by(self._gate, raw, rejected)
            left = zip(came, [*raw, *rejected], strict=True)
            self._barred += [_number(had) for had, has in left if has != had]
        self._raw.add([record.to_json() for record in raw])
        self._rejected.add([record.to_json() for record in rejected])
        self._accepted += len(raw)
        self._refused += len(rejected)


def _unkeyed(_namespace: str, _value: str) -> str:
    """Without a secret nothing can be hashed, and what shall be is not kept at all."""
    return ""


def _left_by(
    gate: Gate, raw: list[RawRecord], rejected: list[RejectedRecord]
) -> tuple[list[RawRecord], list[RejectedRecord]]:
    """What erasures leave of rows."""
    read = [(record, _interpreted(record, gate)) for record in raw]
    return [record for record, _ in gate.accepted(read)], gate.rejected(rejected)


def _number(record: RawRecord | RejectedRecord) -> int:
    """The number of the row that a record was made of."""
    return int(record.receipt_id.rpartition(":")[2])


def _interpreted(record: RawRecord, gate: Gate) -> Event | None:
    try:
        return interpret(record, gate.settings, gate.keyring)
    except (ValueError, KeyError, TypeError):
        return None


def chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in lists of bounded length; rows read before a fault come before it is raised."""
    rest = iter(rows)
    while True:
        chunk: list[Row] = []
        try:
            chunk.extend(islice(rest, CHUNK_ROWS))
        except UnreadableFileError:
            if chunk:
                yield chunk
            raise
        if not chunk:
            return
        yield chunk
