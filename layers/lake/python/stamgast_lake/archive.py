"""Reading the archive's objects: NDJSON, gzipped or plain, several fetched ahead within a bound."""

import gzip
import io
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

GZIP_MAGIC = b"\x1f\x8b"
IMPORT = "import"
AHEAD = 8
AHEAD_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LakeObject:
    """One object of the archive or of the drop zone, as a listing names it."""

    key: str
    etag: str
    bytes: int
    kind: str
    arrived_on: str


def read_lines(body: bytes) -> Iterator[bytes]:
    """The lines of an object's body that are not blank, gzipped or not."""
    stream: Any = io.BytesIO(body)
    if body[:2] == GZIP_MAGIC:
        stream = gzip.GzipFile(fileobj=stream)
    for line in stream:
        if line := line.strip():
            yield line


def fetch_all(
    s3: Any, bucket: str, objects: Iterable[LakeObject]
) -> Iterator[tuple[LakeObject, bytes]]:
    """The bodies of objects in their order; small ones are fetched ahead by a few threads."""
    rest = iter(objects)
    pending: deque[tuple[LakeObject, Future[bytes]]] = deque()
    with ThreadPoolExecutor(AHEAD) as threads:
        while True:
            while _has_room(pending) and (one := next(rest, None)) is not None:
                pending.append((one, threads.submit(_fetch, s3, bucket, one.key)))
            if not pending:
                return
            one, body = pending.popleft()
            yield one, body.result()


def _has_room(pending: Collection[tuple[LakeObject, Future[bytes]]]) -> bool:
    return len(pending) < AHEAD and sum(one.bytes for one, _ in pending) < AHEAD_BYTES


def _fetch(s3: Any, bucket: str, key: str) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body
