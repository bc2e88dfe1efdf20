"""Lines become gzipped objects of the archive; names and bytes depend on the input alone."""

import zlib
from dataclasses import dataclass, field
from typing import Any

from stamgast_lake.archive import LakeObject

OBJECT_BYTES = 16 * 1024 * 1024
LEVEL = 3
GZIP = 16 + zlib.MAX_WBITS


@dataclass(slots=True)
class ObjectWriter:
    """Writes `<kind>/<hour>/import-<tag>-<n>.ndjson.gz`; a repeat overwrites the same objects."""

    s3: Any
    bucket: str
    kind: str
    on: str
    hour: str
    tag: str
    written: list[LakeObject] = field(default_factory=list)
    _packed: list[bytes] = field(default_factory=list)
    _held: int = 0
    _packer: Any = None

    def add(self, lines: list[bytes]) -> None:
        """Takes lines without their ends; a full object is put."""
        if not lines:
            return
        if self._packer is None:
            self._packer = zlib.compressobj(LEVEL, wbits=GZIP)
        text = b"\n".join(lines) + b"\n"
        self._packed.append(self._packer.compress(text))
        self._held += len(text)
        if self._held >= OBJECT_BYTES:
            self.flush()

    def flush(self) -> None:
        """Puts what is held, if anything."""
        if self._packer is None:
            return
        body = b"".join([*self._packed, self._packer.flush()])
        key = (
            f"{self.kind}/date={self.on}/hour={self.hour}/"
            f"import-{self.tag}-{len(self.written):05d}.ndjson.gz"
        )
        answer = self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        etag = answer["ETag"].strip('"')
        self.written.append(LakeObject(key, etag, len(body), self.kind, self.on))
        self._packed, self._held, self._packer = [], 0, None
