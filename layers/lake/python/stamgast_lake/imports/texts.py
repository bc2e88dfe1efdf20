"""The lines of a text file as UTF-8, whatever it is encoded in and gzipped or not."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

LONGEST_LINE = 8 * 1024 * 1024
UTF_8 = "utf-8"
# The mark stays in the text as U+FEFF, so that a file that is written back begins as it did.
MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
UNMARKED = {"utf-16": "utf-16-le", "utf-8-sig": UTF_8}
BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)
"""What is raised where a gzipped file ends early or is broken."""


@contextmanager
def opened(file: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, inflated if they are gzip."""
    with file.open("rb") as stream:
        is_zipped = stream.read(2) == b"\x1f\x8b"
    with gzip.open(file) if is_zipped else file.open("rb") as told:
        yield cast("IO[bytes]", told)


def encoding_of(file: Path, told: str = UTF_8) -> str:
    """How a file is encoded: as its byte order mark says, if it can be read, else as `told`."""
    with opened(file) as stream, suppress(*BROKEN_GZIP):
        if mark := MARKS.get(stream.read(2)):
            return mark
    return UNMARKED.get(told, told)


@contextmanager
def lines_of(file: Path, told: str = UTF_8) -> Iterator[Iterator[bytes]]:
    """The lines with their ends, in UTF-8; one that is longer than the bound comes in pieces.

    Bytes that are no UTF-8 in a file that should be come as they are; in another encoding they
    become U+FFFD.
    """
    encoding = encoding_of(file, told)
    with opened(file) as stream:
        if encoding == UTF_8:
            yield iter(lambda: stream.readline(LONGEST_LINE), b"")
            return
        text = io.TextIOWrapper(stream, encoding, errors="replace", newline="\n")
        yield (line.encode() for line in iter(lambda: text.readline(LONGEST_LINE), ""))
