"""From a file's row to an event's body, as the workspace maps its columns."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import orjson

from stamgast.ingestion.accept import Noted
from stamgast.ingestion.spellings import Spelling, iso_of_zone, spelling_of
from stamgast.workspace.import_mapping import ImportMapping

Event = dict[str, Any]
CONSENT, WORDS = "consent", {"true": True, "false": False}
TIMES = ("timestamp", "originalTimestamp")
Place = tuple[tuple[str, ...], str]


def mapping_for(path: str, imports: Iterable[Mapping[str, Any]]) -> ImportMapping | None:
    """The first of a source's mappings whose glob matches the file's path below its folder."""
    mappings = (ImportMapping(**told) for told in imports)
    return next((one for one in mappings if fnmatchcase(path, one.match)), None)


def mapper(mapping: ImportMapping, form: str) -> Callable[[object], object]:
    """What turns a row into an event; what is no row of named values comes back as it is.

    Without columns an NDJSON row is the event itself, and the columns of other files are named
    after their places (`properties.order_id`). A null or empty column is absent. A CSV field that
    is a JSON array or object counts as one, and so does true or false at a place of consents. A
    text that is not of its place's format stays as it is, with a note on the event. A time that
    names no zone is one of the mapping's.
    """
    is_event = not mapping.columns and form in ("ndjson", "jsonl")
    places = [(_steps(place), column) for place, column in mapping.columns.items()]
    constants = [(_steps(place), value) for place, value in mapping.constants.items()]
    formats = [(name, spelling_of(f, mapping.time_zone)) for name, f in mapping.formats.items()]
    zoned = list(_zoned(mapping))
    reads_json = form == "csv"

    def mapped(row: object) -> object:
        if isinstance(row, Noted):
            told = mapped(row.event)
            notes = told.notes if isinstance(told, Noted) else ()
            return Noted(told.event if isinstance(told, Noted) else told, (*row.notes, *notes))
        if not isinstance(row, dict):
            return row
        event = row if is_event else _placed(row, places or _own_places(row), reads_json)
        for steps, value in constants:
            _put(event, steps, value)
        for name, read in zoned:
            _fit(event, name, read)
        notes = tuple(
            f"format_unfit:{name}" for name, read in formats if not _fit(event, name, read)
        )
        return Noted(event, notes) if notes else event

    return mapped


def _zoned(mapping: ImportMapping) -> Iterator[tuple[str, Spelling]]:
    """The times that no format tells, where moments are not in UTC anyway."""
    if mapping.time_zone != "UTC":
        for place in TIMES:
            if place not in mapping.formats:
                yield place, iso_of_zone(mapping.time_zone)


def _fit(event: Event, place: str, read: Spelling) -> bool:
    """Reads the text at a place by its format; whether it was of it, or there was none."""
    *folders, name = _steps(place)
    inner: Any = event
    for step in folders:
        inner = inner.get(step) if isinstance(inner, dict) else None
    text = inner.get(name) if isinstance(inner, dict) else None
    if not isinstance(text, str):
        return True
    value = read(text)
    if value is not None:
        inner[name] = value
    return value is not None


def _steps(place: str) -> tuple[str, ...]:
    return tuple(place.split("."))


def _own_places(row: Mapping[str, Any]) -> list[Place]:
    return [(_steps(column), column) for column in row]


def _placed(row: Mapping[str, Any], places: Iterable[Place], reads_json: bool) -> Event:
    event: Event = {}
    for steps, column in places:
        value = row.get(column)
        if value is None or value == "":
            continue
        if reads_json and value[:1] in ("[", "{"):
            value = _json_or_text(value)
        elif reads_json and CONSENT in steps:
            value = WORDS.get(value.strip().lower(), value)
        _put(event, steps, value)
    return event


def _put(event: Event, steps: tuple[str, ...], value: object) -> None:
    *folders, name = steps
    place = event
    for step in folders:
        inner = place.get(step)
        if not isinstance(inner, dict):
            inner = place[step] = {}
        place = inner
    place[name] = value


def _json_or_text(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
