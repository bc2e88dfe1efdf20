"""Timeline items (`X`) as they are stored: the lines of one moment share an item."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeAlias

import orjson

from stamgast.profile.registers import canonical
from stamgast.profile.schema import SCHEMA, check_schema
from stamgast.profile.timeline import Entry

# Within an item the oldest line is at most so much older than the newest, whose place is its key:
# so far does a reader look beyond the window that it was asked for.
SPAN_MS = 120_000
# One write unit is 1,024 bytes; the two keys take up to 150 of them.
MOST_BYTES = 870
PREFIX, BY_A_RUN = "X#", "#run"

Attributes: TypeAlias = dict[str, Any]


def place_of(entry: Entry) -> str:
    """`X#<original time, 15 digits>#<message key>`: every copy of a message meets here."""
    return f"{PREFIX}{max(entry.original_ms, 0):015d}#{entry.message_key}"


def items_of(entries: Iterable[Entry]) -> Iterator[tuple[str, Attributes]]:
    """Sort key and attributes of the items that hold these lines, each place once.

    What a run says of a place stands alone beside what the live loop said, and outlasts it.
    """
    told = {(place_of(entry), entry.run > 0): entry for entry in entries}
    yield from (
        (f"{place}{BY_A_RUN}", _attributes([entry]))
        for (place, is_by_a_run), entry in told.items()
        if is_by_a_run
    )
    yield from _packed({place: entry for (place, by_a_run), entry in told.items() if not by_a_run})


def _packed(told: Mapping[str, Entry]) -> Iterator[tuple[str, Attributes]]:
    pack: list[Entry] = []
    packed: Attributes = {}
    for place in sorted(told, reverse=True):
        grown = _attributes([*pack, told[place]]) if _is_near(pack, told[place]) else None
        if pack and (grown is None or _size(grown) > MOST_BYTES):
            yield _sort_key(pack), packed
            pack, grown = [], None
        pack.append(told[place])
        packed = grown or _attributes(pack)
    if pack:
        yield _sort_key(pack), packed


def entries_of(attributes: Mapping[str, Any]) -> list[Entry]:
    """The lines of an item, of this schema or the one before."""
    check_schema(attributes)
    newest = Entry(
        original_ms=attributes["o"],
        message_key=attributes["m"],
        event_ms=attributes["e"],
        type=attributes["y"],
        name=attributes["n"],
        source_id=attributes["s"],
        expires_at_seconds=attributes.get("x", attributes["ttl"]),
        summary=orjson.loads(attributes["p"]),
        run=attributes.get("r", 0),
        is_void=bool(attributes.get("v", 0)),
    )
    rest = orjson.loads(zlib.decompress(attributes["q"])) if "q" in attributes else []
    return [newest, *(_older(newest, *told) for told in rest)]


def in_order(
    items: Iterable[tuple[str, Sequence[Entry]]], *, is_ascending: bool
) -> Iterator[tuple[str, Entry]]:
    """Places and lines of an anchor's items, which come in the order of their sort keys.

    A line is told once, however many items hold it, as soon as no later item can precede it.
    """
    waiting: dict[str, Entry] = {}
    for key, entries in items:
        edge = _before(key) if is_ascending else key
        yield from _settled(waiting, edge, is_ascending=is_ascending)
        for entry in entries:
            place = place_of(entry)
            if place not in waiting or waiting[place].run <= entry.run:
                waiting[place] = entry
    for place in sorted(waiting, reverse=not is_ascending):
        yield place, waiting[place]


def _sort_key(pack: Sequence[Entry]) -> str:
    """The newest line's place, and behind it which others are there.

    So what comes again with fewer neighbours takes no line from those that came with it before.
    """
    newest, *rest = pack
    if not rest:
        return place_of(newest)
    others = "".join(entry.message_key for entry in rest)
    return f"{place_of(newest)}#{sha256(others.encode()).hexdigest()[:10]}"


def _settled(
    waiting: dict[str, Entry], edge: str, *, is_ascending: bool
) -> Iterator[tuple[str, Entry]]:
    """Takes out what lies before an edge, in order."""
    done = [place for place in waiting if (place < edge if is_ascending else place > edge)]
    for place in sorted(done, reverse=not is_ascending):
        yield place, waiting.pop(place)


def _before(key: str) -> str:
    """The first place that an item of this sort key can hold."""
    newest_ms = int(key[len(PREFIX) :].partition("#")[0])
    return f"{PREFIX}{max(newest_ms - SPAN_MS, 0):015d}"


def _is_near(pack: Sequence[Entry], entry: Entry) -> bool:
    """Whether an older line may join an item, by both of its times."""
    if not pack:
        return False
    moments = [one.event_ms for one in (*pack, entry)]
    reach = max(pack[0].original_ms, 0) - max(entry.original_ms, 0)
    return reach <= SPAN_MS and max(moments) - min(moments) <= SPAN_MS


def _attributes(pack: Sequence[Entry]) -> Attributes:
    """The newest line plainly, `q` the others; `ttl` is the table's TTL attribute."""
    newest, *rest = pack
    attributes = {
        "schema": SCHEMA,
        "ttl": max(entry.expires_at_seconds for entry in pack),
        "o": newest.original_ms,
        "m": newest.message_key,
        "e": newest.event_ms,
        "y": newest.type,
        "n": newest.name,
        "s": newest.source_id,
        "p": canonical(newest.summary).decode(),
    }
    if newest.run:
        attributes |= {"r": newest.run, "v": int(newest.is_void)}
    if not rest:
        return attributes
    older = orjson.dumps([_told(newest, entry) for entry in rest], option=orjson.OPT_SORT_KEYS)
    return {**attributes, "x": newest.expires_at_seconds, "q": zlib.compress(older)}


def _told(newest: Entry, entry: Entry) -> list[Any]:
    return [
        newest.original_ms - entry.original_ms,
        entry.message_key,
        newest.event_ms - entry.event_ms,
        entry.type,
        entry.name,
        entry.source_id if entry.source_id != newest.source_id else None,
        newest.expires_at_seconds - entry.expires_at_seconds,
        entry.summary,
    ]


def _older(
    newest: Entry,
    before_ms: int,
    message_key: str,
    event_before_ms: int,
    kind: str,
    name: str,
    source_id: str | None,
    sooner_seconds: int,
    summary: Mapping[str, Any],
) -> Entry:
    return Entry(
        original_ms=newest.original_ms - before_ms,
        message_key=message_key,
        event_ms=newest.event_ms - event_before_ms,
        type=kind,
        name=name,
        source_id=newest.source_id if source_id is None else source_id,
        expires_at_seconds=newest.expires_at_seconds - sooner_seconds,
        summary=summary,
    )


def _size(attributes: Attributes) -> int:
    """Bytes as DynamoDB counts them; a number takes at most one for two digits, and two more."""
    return sum(len(name) + _bytes(value) for name, value in attributes.items())


def _bytes(value: Any) -> int:
    if isinstance(value, int):
        return len(str(value)) // 2 + 2
    return len(value.encode() if isinstance(value, str) else value)
