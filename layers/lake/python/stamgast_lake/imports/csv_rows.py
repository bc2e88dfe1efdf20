"""The rows of a CSV file by the names in its header."""

import csv
from collections.abc import Iterator
from typing import Any, cast

from stamgast.ingestion.accept import Unreadable
from stamgast_lake.imports.texts import LONGEST_LINE

Row = tuple[object, bytes | None]
# Commas by the standard (RFC 4180); semicolons where a comma is in every number; tabs; bars.
DELIMITERS = (",", ";", "\t", "|")


class DoubledColumnError(ValueError):
    """Two columns of a header bear one name; the message gives their places."""


class _Remembered:
    """Lines as text, with the bytes of those that the row at hand was read from."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._read: list[bytes] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._read.append(line)
            yield line.decode("utf-8-sig" if len(self._read) == 1 else "utf-8", "replace")

    def take(self) -> bytes:
        text = b"".join(self._read).rstrip(b"\r\n")
        self._read = []
        return text


def csv_rows(lines: Iterator[bytes]) -> Iterator[Row]:
    """Rows by the header's names; an empty field is absent, another number of fields is a fault."""
    first = next(lines, None)
    if first is None:
        return
    csv.field_size_limit(LONGEST_LINE)  # the module's own is half of what an event may have
    told = _Remembered(_again(first, lines))
    reader = csv.reader(told, strict=True, delimiter=delimiter_of(first))
    header = _header(_next(reader))
    told.take()
    while (fields := _next(reader)) is not None:
        text = told.take()
        if isinstance(fields, csv.Error) or (fields and len(fields) != len(header)):
            yield Unreadable(text), text
        elif fields:
            named = zip(header, fields, strict=True)
            yield {name: value for name, value in named if name and value != ""}, text


def delimiter_of(header: bytes) -> str:
    """The sign that separates most names of a header; the first of the known ones on a tie."""
    outside = b"".join(header.split(b'"')[::2])
    return max(DELIMITERS, key=lambda sign: outside.count(sign.encode()))


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _header(told: list[str] | csv.Error | None) -> list[str]:
    names = [name.removeprefix("\ufeff").strip() for name in told] if isinstance(told, list) else []
    for place, name in enumerate(names):
        if name and name in names[:place]:
            before = names.index(name) + 1
            raise DoubledColumnError(
                f"columns {before} and {place + 1} of the header bear one name"
            )
    return names


def _next(reader: Any) -> list[str] | csv.Error | None:
    try:
        return cast("list[str]", next(reader))
    except StopIteration:
        return None
    except csv.Error as error:
        return error
