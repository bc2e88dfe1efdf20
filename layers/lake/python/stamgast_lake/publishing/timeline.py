"""Timelines: the recent events that came by file, for the live loop has written its own."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.identity.event import Event, Order, Product
from stamgast.profile.timeline import Entry, entry_of
from stamgast_lake.logs import see, see_fresh, see_runs
from stamgast_lake.publishing.work import Task
from stamgast_lake.tables import EVENTS

ENTRIES_A_PAGE = 2_000
ENTRIES_AT_ONCE = 250
IMPORTED = "import-"
RECENT = """
    create or replace temp table recent_event as
    select receipt_id, anchor_key, message_key, message_id, source_id, type, event, properties,
        order_id, revenue_minor, currency, products, epoch_ms(event_at) as event_ms,
        epoch_ms(original_at) as original_ms, epoch_ms(received_at) as received_ms
    from {fresh}
    where anchor_key is not null and event_at > cast('{since}' as timestamptz)
      and message_key > '{after}' and {only}
"""
PAGE = "select * from recent_event where message_key > ? order by message_key limit ?"


def publish_timeline(task: Task) -> Iterator[str]:
    """Puts page after page of entries; yields the last message of each."""
    engine, publisher = task.engine, task.publisher
    see_runs(engine, publisher.lake)
    see(engine, publisher.lake, EVENTS)
    see_fresh(engine, publisher.lake, EVENTS)
    since = task.run.moment - timedelta(days=publisher.timeline_days)
    only = "true" if task.is_whole else f"starts_with(receipt_id, '{IMPORTED}')"
    told = {"fresh": task.fresh("events"), "since": since.isoformat(), "only": only}
    engine.execute(RECENT.format(**told, after=task.after))
    last = task.after
    while rows := _page(task, last):
        entries = [(row["anchor_key"], _entry(row, publisher.timeline_days)) for row in rows]
        parts = [entries[n : n + ENTRIES_AT_ONCE] for n in range(0, len(entries), ENTRIES_AT_ONCE)]
        list(publisher.each(publisher.facts.put_entries, parts))
        task.figures["timeline"] += len(entries)
        last = rows[-1]["message_key"]
        yield last


def _page(task: Task, last: str) -> list[dict[str, Any]]:
    found = task.engine.execute(PAGE, [last, ENTRIES_A_PAGE])
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _entry(row: dict[str, Any], timeline_days: int) -> Entry:
    return entry_of(event_of(row), timeline_days)


def event_of(row: dict[str, Any]) -> Event:
    """The event that a row tells, as far as a timeline shows it."""
    return Event(
        message_key=row["message_key"],
        message_id=row["message_id"],
        receipt_id=row["receipt_id"],
        payload_hash="",
        source_id=row["source_id"],
        type=row["type"],
        name=row["event"],
        received_ms=row["received_ms"],
        original_ms=row["original_ms"],
        event_ms=row["event_ms"],
        assurance=Assurance.ANONYMOUS,
        identifiers=(),
        refusals=(),
        traits={},
        properties=orjson.loads(row["properties"]) if row["properties"] else {},
        context={},
        order=_order(row),
    )


def _order(row: dict[str, Any]) -> Order | None:
    if row["revenue_minor"] is None:
        return None
    products = tuple(Product(**line) for line in row["products"] or ())
    return Order(row["order_id"], row["revenue_minor"], row["currency"], products)
