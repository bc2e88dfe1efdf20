"""A person's timeline: the items of all anchors merged in time order, newest first."""

from collections.abc import Iterable, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from stamgast.lookup.cursor import Position, encode
from stamgast.lookup.page import Page
from stamgast.moments import iso_of
from stamgast.profile.timeline import Entry, is_expired


class Leaf(NamedTuple):
    """One page of a timeline; `next_cursor` is empty on the last."""

    entries: tuple[Entry, ...]
    next_cursor: str


def position_of(entry: Entry) -> Position:
    """Where an entry stands: by the client's own time, ties by message."""
    return Position(entry.original_ms, entry.message_key)


def leaf_of(strips: Iterable[Sequence[Entry]], page: Page, now_ms: int) -> Leaf:
    """The page's entries of all strips, each in the page's order and one longer than its reach.

    Where a page looks through its whole reach without being full, its cursor goes on from there.
    An item past its time to live may still stand in the store for days: it is left out here.
    """
    living = ([entry for entry in strip if not is_expired(entry, now_ms)] for strip in strips)
    ordered = merge(*living, key=position_of, reverse=not page.is_ascending)
    kept: list[Entry] = []
    last: Entry | None = None
    for looked_through, entry in enumerate(islice(ordered, page.reach + 1)):
        if last is not None and (len(kept) == page.limit or looked_through == page.reach):
            return Leaf(tuple(kept), encode(position_of(last)))
        last = entry
        if page.takes(entry):
            kept.append(entry)
    return Leaf(tuple(kept), "")


def event_of(entry: Entry) -> dict[str, Any]:
    """One event of a timeline as JSON."""
    return {
        "at": iso_of(entry.event_ms),
        "type": entry.type,
        "name": entry.name,
        "source": entry.source_id,
        "message": entry.message_key,
        "summary": _readable(entry.summary),
    }


def _readable(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The summary with its products by name: they are stored as [product, quantity] pairs."""
    told = dict(summary)
    if isinstance(told.get("products"), list):
        told["products"] = [
            {"product_id": line[0], "quantity": line[1]} for line in told["products"]
        ]
    return told
