"""The byte scan: every version of every object that can be read, packed ones unpacked, bounded."""

import re
import zlib
from base64 import b64decode
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stamgast.erasure.boundaries import NEAR
from stamgast.erasure.needles import Needles
from stamgast.erasure.stores import Kind, named
from stamgast_lake.erasure.avro import avro_tells
from stamgast_lake.erasure.objects import Objects, Version
from stamgast_lake.erasure.parquet import MAGIC, parquet_tells, parquet_texts
from stamgast_lake.erasure.progress import Progress

BLOCK = 4 * 1024 * 1024
MOST_OPEN = 4 * BLOCK
OPEN, RUNS = "erasure/", "runs/"
SCAN, ENDED = "scan", "\U0010ffff"
"""The step, and what stands behind every key of a bucket that was read to its end."""
NAMES = re.compile(rb'imports/[^"\n]+')
RAW, RECORD = b'"rawData"', re.compile(rb'"rawData"\s*:\s*"([A-Za-z0-9+/=]*)"')
GZIP, AVRO = b"\x1f\x8b", b"Obj\x01"
MEMBER = b"\x1f\x8b\x08"
"""How a member of a gzipped file begins: the magic number, and the one method there is."""
DROPPED = "imports/"
PACKED = (
    b"PK\x03\x04",  # zip and spreadsheets
    b"(\xb5/\xfd",  # zstd
    b"BZh",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf",
    b"\x04\x22M\x18",  # LZ4
    b"Rar!",
    b"SQLite format 3\x00",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",  # spreadsheets of before 2007
    b"ORC",
    b"ARROW1\x00\x00",  # Feather
    b"%PDF-",
)
"""How files begin that nobody here unpacks: their values lie packed, or wall to wall."""
DUCKDB = b"DUCK"


class BrokenGzipError(ValueError):
    """A gzipped file that cannot be inflated from some place on, though it goes on there."""


@dataclass(slots=True)
class Scan:
    """What a scan saw of a prefix: objects and versions read, bytes, and those that tell."""

    read: int = 0
    bytes: int = 0
    found: set[str] = field(default_factory=set)

    def to_dict(self) -> dict[str, Any]:
        """The form in which it is written down."""
        return {"read": self.read, "bytes": self.bytes, "found": sorted(self.found)}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Scan":
        """Reads what `to_dict` wrote."""
        return cls(told["read"], told["bytes"], set(told["found"]))


def scan_buckets(
    s3: Any,
    buckets: Iterable[str],
    needles: Needles,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> dict[str, Scan]:
    """Reads every version of every object (or of these `only`), by the first part of their keys.

    What no store of the registry accounts for is read, and told, as well. The documents of open
    requests name the persons on purpose, until their proof.
    """
    progress = progress or Progress()
    told = progress.steps.get(SCAN, {"scans": {}, "after": {}})
    scans = {prefix: Scan() for prefix in sorted(named(Kind.PREFIX))}
    scans |= {prefix: Scan.of(one) for prefix, one in told["scans"].items()}
    after = dict[str, str](told["after"])
    for bucket in buckets:
        for key, versions in groupby(_behind(s3, bucket, after.get(bucket, "")), _key_of):
            prefix = "".join(key.partition("/")[:2])
            if prefix != OPEN and (only is None or key in only):
                for one in versions:
                    _read(s3, bucket, one, needles, scans.setdefault(prefix, Scan()))
            if progress.is_due:
                read = {prefix: scan.to_dict() for prefix, scan in scans.items()}
                after[bucket] = key
                progress.note(SCAN, {"scans": read, "after": after})
        after[bucket] = ENDED
    return scans


def _behind(s3: Any, bucket: str, after: str) -> Iterator[Version]:
    """Every version of the objects whose keys come after this one, in their order.

    A marker that an object was deleted has no content.
    """
    told = () if after == ENDED else Objects(s3, bucket).versions("", after)
    return (one for one in told if one.etag and one.key > after)


def _key_of(one: Version) -> str:
    return one.key


def _read(s3: Any, bucket: str, one: Version, needles: Needles, scan: Scan) -> None:
    try:
        answer = s3.get_object(Bucket=bucket, Key=one.key, VersionId=one.version_id)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("MethodNotAllowed", "405", "NoSuchVersion"):
            return  # a marker that an object was deleted has no content
        raise
    scan.read += 1
    scan.bytes += int(answer["ContentLength"])
    body, of_a_run = answer["Body"], one.key.startswith(RUNS)
    read = file_tells if one.key.startswith(DROPPED) else tells_of
    is_told = document_tells(body.read(), needles) if of_a_run else read(body, needles)
    if is_told or needles.is_name(one.key):
        scan.found.add(one.key)


def file_tells(stream: Any, needles: Needles) -> bool:
    """Whether a dropped file tells of one of the persons; one that nobody can unpack does."""
    head = stream.read(BLOCK)
    is_packed = head.startswith(PACKED) or head[8:].startswith(DUCKDB)
    return is_packed or _tells(head, stream, needles, has_numbers=True)


def tells_of(stream: Any, needles: Needles) -> bool:
    """Whether what a stream holds, unpacked, tells of one of the persons.

    Nobody can say of whom what stands behind a break does not tell, so it counts as telling.
    """
    return _tells(stream.read(BLOCK), stream, needles)


def _tells(head: bytes, stream: Any, needles: Needles, *, has_numbers: bool = False) -> bool:
    if head.startswith(MAGIC):
        with TemporaryDirectory(prefix="stamgast-scan-") as folder:
            file = Path(folder) / "file"
            _spool(file, head, stream)
            return parquet_tells(file, needles, has_numbers=has_numbers)
    if head[:4] == AVRO:
        return avro_tells(head + stream.read(), needles)
    blocks = _blocks(head, stream)
    try:
        return blocks_tell(with_records(inflated(blocks) if head[:2] == GZIP else blocks), needles)
    except BrokenGzipError:
        return True


def document_tells(body: bytes, needles: Needles) -> bool:
    """Whether a document tells of one of the persons, names of dropped files in it included."""
    return tells_of(BytesIO(body), needles) or names_tell(body, needles)


def names_tell(body: bytes, needles: Needles) -> bool:
    """Whether a document lists a dropped file whose name tells of one of the persons.

    In a name, what the file is ends nothing: `ada@example.com.csv` is no longer address.
    """
    return any(needles.is_name(one.decode("utf-8", "replace")) for one in set(NAMES.findall(body)))


def texts_of(body: bytes) -> Iterator[str]:
    """The texts of an object: the cells of a Parquet file, the lines of any other."""
    if body.startswith(MAGIC):
        yield from parquet_texts(body)
        return
    text = b"".join(inflatable(iter([body]))) if body[:2] == GZIP else body
    yield from text.decode("utf-8", "replace").splitlines()


def with_records(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks, and behind them the records in base64 that a stream could not write.

    Firehose keeps each whole as `rawData` of a line, and packed as it was sent.
    """
    rest, records = b"", list[bytes]()
    for block in blocks:
        yield block
        rest += block
        found = list(RECORD.finditer(rest))
        records += [_record(told[1]) for told in found]
        rest = rest[found[-1].end() :] if found else rest
        is_begun = RAW in rest and len(rest) < MOST_OPEN
        rest = rest[rest.find(RAW) :] if is_begun else rest[-len(RAW) :]
    for record in records:
        yield b"\n"
        yield record


def _record(told: bytes) -> bytes:
    try:
        body = b64decode(told, validate=True)
    except ValueError:
        return told
    return b"".join(inflated(iter([body]))) if body[:2] == GZIP else body


def blocks_tell(blocks: Iterator[bytes], needles: Needles) -> bool:
    """Whether a needle stands in the blocks, be it across the border of two."""
    rest, begin = b"", 0
    for block in blocks:
        text = rest + block
        if needles.found_in(text, begin, len(text) - NEAR):  # the last have not all neighbours yet
            return True
        cut = max(0, len(text) - needles.longest - 2 * NEAR)
        rest, begin = text[cut:], NEAR if cut else begin
    return needles.found_in(rest, begin)


def _blocks(head: bytes, stream: Any) -> Iterator[bytes]:
    while head:
        yield head
        head = stream.read(BLOCK)


def inflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The text of one gzip member after another; what is no gzip any more comes as it is.

    Of a member that ends early comes what there is; raises BrokenGzipError where one is broken.
    """
    inflater, head = _inflater(), b""
    for block in blocks:
        rest = block
        while rest:
            head = (head + rest)[: len(MEMBER)]
            try:
                yield inflater.decompress(rest, BLOCK)
            except zlib.error as error:
                if head == MEMBER:
                    raise BrokenGzipError("a gzipped file is broken") from error
                yield rest
                break
            rest = inflater.unconsumed_tail
            if inflater.eof:
                rest, inflater, head = inflater.unused_data, _inflater(), b""
    yield inflater.flush()


def inflatable(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same as far as it can be inflated."""
    with suppress(BrokenGzipError):
        yield from inflated(blocks)


def _inflater() -> Any:
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


def _spool(file: Path, head: bytes, stream: Any) -> None:
    with file.open("wb") as out:
        for block in _blocks(head, stream):
            out.write(block)
