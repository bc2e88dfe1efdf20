"""The rows of a file as events: mapped, given an id where they have none, and cut into batches."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from stamgast.ingestion.verdicts import Noted
from stamgast.workspace.import_mapping import ImportMapping
from stamgast_cli.errors import InputError
from stamgast_cli.verdicts import Verdicts

MOST_EVENTS = 500
MOST_BYTES = 450_000


def events_of(file: Path, mapping: ImportMapping, verdicts: Verdicts) -> Iterator[dict[str, Any]]:
    """Yield each row as an event; a row without an id gets the hash of file and row.

    So a file that is sent twice is all duplicates. A row that is no event at all is only counted.
    """
    # The engine takes longer to load than most verbs to run.
    from stamgast_lake.imports.mapping import mapper
    from stamgast_lake.imports.rows import UnreadableFileError, format_of, rows_of

    try:
        mapped = mapper(mapping, format_of(file.name))
        digest = _digest(file)
        for row, _ in rows_of(file, file.name, mapping.encoding):
            told = mapped(row)
            event = told.event if isinstance(told, Noted) else told
            if isinstance(event, dict) and not event.get("messageId"):
                event["messageId"] = f"{digest}-{verdicts.rows + 1}"
            verdicts.judge(told)
            if isinstance(event, dict):
                yield event
    except (UnreadableFileError, OSError) as error:
        raise InputError(
            f"{file} cannot be read: {error}", hint="It takes .ndjson, .csv and .parquet files."
        ) from error


def batches_of(events: Iterator[dict[str, Any]]) -> Iterator[tuple[int, bytes]]:
    """Yield request bodies, each with the number of its events."""
    held: list[bytes] = []
    size = 0
    for event in events:
        text = orjson.dumps(event)
        if held and (len(held) == MOST_EVENTS or size + len(text) > MOST_BYTES):
            yield len(held), _body(held)
            held, size = [], 0
        held.append(text)
        size += len(text)
    if held:
        yield len(held), _body(held)


def _body(events: list[bytes]) -> bytes:
    """Return a request without `sentAt`: a file's times are not a device's, to be corrected."""
    return b'{"batch":[' + b",".join(events) + b"]}"


def _digest(file: Path) -> str:
    told = sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            told.update(chunk)
    return told.hexdigest()[:32]
