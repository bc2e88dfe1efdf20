"""Avro files, searched by their values: a manifest holds paths and the bounds of columns.

Its blocks may be packed, and before a text stands its length, which may look like a sign of it.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pyiceberg.avro.file import AvroFile
from pyiceberg.io import InputFile, InputStream
from pyiceberg.typedef import Record

from stamgast.erasure.needles import Needles
from stamgast_lake.erasure.parquet import tells

# The compiled decoder answers a length that it cannot be with a SystemError.
UNREADABLE = (ValueError, KeyError, TypeError, EOFError, SystemError)


class InMemory(InputFile):
    """Bytes at hand, as the reader of Avro files asks for them."""

    def __init__(self, body: bytes) -> None:
        super().__init__("memory")
        self._body = body

    def __len__(self) -> int:
        """How many bytes there are."""
        return len(self._body)

    def exists(self) -> bool:
        """They are at hand."""
        return True

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002
        """The bytes from their beginning."""
        return BytesIO(self._body)


def avro_tells(body: bytes, needles: Needles) -> bool:
    """Whether a value in an Avro file tells of one of the persons.

    What is no manifest (a schema without Iceberg's numbers of fields) is searched as it lies.
    """
    try:
        with AvroFile[Any](InMemory(body)) as rows:
            texts = {leaf for row in rows for leaf in _leaves(row)}
            texts.update(_leaves(dict(rows.header.meta)))
    except UNREADABLE:
        return needles.found_in(body)
    return any(tells(text, needles) for text in texts)


def _leaves(value: Any) -> Iterator[str]:
    """The texts in a decoded value, however deep; bounds of columns are bytes."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, Record):
        yield from _leaves(list(value._data))
    elif isinstance(value, dict):
        yield from _leaves([*value.keys(), *value.values()])
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
