"""The events of a request's body, with what the batch says for all of them merged into each."""

from dataclasses import dataclass
from typing import Any

import orjson

from stamgast.ingestion.accept import Noted, Original
from stamgast.ingestion.bounds import Bounds
from stamgast.ingestion.instants import read_ms
from stamgast.ingestion.request import Refusal
from stamgast.ingestion.routes import Kind, Route
from stamgast.ingestion.spans import Span, elements, members

MERGED = ("context", "integrations")


@dataclass(frozen=True, slots=True)
class Batch:
    """Events to be judged; `original(n)` gives the text of the n-th as it came."""

    events: list[object]
    sent_ms: int | None
    original: Original | None


def batch_of(body: object, text: bytes, route: Route, bounds: Bounds) -> Batch | Refusal:
    """The batch that a parsed body holds: its own events, or itself as the only one."""
    if isinstance(body, Noted):
        told, notes = body.event, body.notes
    else:
        told, notes = body, ()
    if not isinstance(told, dict):
        return Refusal("invalid_json" if told is None else "not_an_object")
    sent_ms = read_ms(told.get("sentAt"))
    if route.kind in (Kind.EVENT, Kind.PIXEL):
        return Batch([_single(told, notes, route)], sent_ms, None)
    events = told.get("batch")
    if not isinstance(events, list):
        return Refusal("batch_missing")
    if len(events) > bounds.events:
        return Refusal("too_many_events")
    shared = {name: told[name] for name in MERGED if isinstance(told.get(name), dict)}
    if shared:
        if len(orjson.dumps(shared)) * len(events) > bounds.merged_bytes:
            return Refusal("too_large")
        for event in events:
            _share(shared, event)
    return Batch(events, sent_ms, _originals(text))


def _single(event: dict[str, Any], notes: tuple[str, ...], route: Route) -> object:
    event.pop("writeKey", None)
    event["type"] = route.type
    return Noted(event, notes) if notes else event


def _share(shared: dict[str, Any], event: object) -> None:
    """Merges deeply; what the event says itself goes first."""
    told = event.event if isinstance(event, Noted) else event
    if isinstance(told, dict):
        for name, value in shared.items():
            own = told.get(name)
            if own is None or isinstance(own, dict):
                told[name] = merged(value, own or {})


def merged(under: dict[str, Any], over: dict[str, Any], levels: int = 16) -> dict[str, Any]:
    """Both mappings in one, this many levels deep; where both say something, `over` decides."""
    both = {**under, **over}
    for name in under.keys() & over.keys() if levels else ():
        if isinstance(under[name], dict) and isinstance(over[name], dict):
            both[name] = merged(under[name], over[name], levels - 1)
    return both


def _originals(text: bytes) -> Original:
    """Finds all spans at the first call: only requests with a refused event pay for it."""
    spans: list[Span] = []

    def original(position: int) -> bytes | None:
        if not spans and (batch := members(text).get(b"batch")):
            spans.extend(elements(text, *batch))
        if position >= len(spans):
            return None
        begin, end = spans[position]
        return text[begin:end]

    return original
