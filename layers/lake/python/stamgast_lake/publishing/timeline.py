"""Timelines: the recent events that came by file, for the live loop has written its own.

And what the live loop wrote of copies that lost their message to another is taken back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.identity.event import Event, Order, Product
from stamgast.moments import ms_of
from stamgast.profile.store import FactStore
from stamgast.profile.timeline import Entry, entry_of, is_expired
from stamgast.profile.timeline_items import place_of
from stamgast_lake.loading.load import CHECKED_WHOLE_ROWS
from stamgast_lake.loading.redelivered import IMPORTED
from stamgast_lake.logs import see, see_fresh
from stamgast_lake.publishing.lost_copies import NO_CLASS, find_lost
from stamgast_lake.publishing.work import Task
from stamgast_lake.tables import EVENTS, MESSAGE_INDEX

ENTRIES_A_PAGE = 2_000
DAY_MS = 86_400_000
ENTRIES_AT_ONCE = 250
TOLD = """
    receipt_id, anchor_key, message_key, message_id, source_id, type, event, properties,
    order_id, revenue_minor, currency, products, epoch_ms(event_at) as event_ms,
    epoch_ms(original_at) as original_ms, epoch_ms(received_at) as received_ms
"""
RECENT = f"""
    create or replace temp table recent_event as
    select {TOLD} from {{fresh}}
    where anchor_key is not null and event_at > cast('{{since}}' as timestamptz)
      and message_key > '{{after}}' and {{only}}
"""
LOST_OF = """
    select message_key, list(distinct anchor_key), min(placed_on), max(placed_on) from lost_copy
    where anchor_key is not null and message_key > ? group by message_key order by message_key
"""
CLASSES = "select distinct sent_on from lost_copy"
DAYS = """
    select distinct event_on from message_index where {classes}
      and message_key in (select message_key from lost_copy)
"""
KEPT = f"""
    select {TOLD} from events where event_on in ({{days}})
      and message_key in (select message_key from lost_copy)
"""
# Before the places of the phase's pages, which are keys of messages, while copies are taken back.
TAKING_BACK = " "
PAGE = "select * from recent_event where message_key > ? order by message_key limit ?"


def publish_timeline(task: Task) -> Iterator[str]:
    """Puts page after page of entries; yields the last message of each, `TAKING_BACK` apart."""
    engine, publisher = task.engine, task.publisher
    task.see_runs()
    see(engine, publisher.lake, EVENTS)
    see_fresh(engine, publisher.lake, EVENTS)
    if not task.after or task.after.startswith(TAKING_BACK):
        yield from _take_back(task, task.after.removeprefix(TAKING_BACK))
    since = task.run.moment - timedelta(days=publisher.timeline_days)
    only = "true" if task.is_whole else f"starts_with(receipt_id, '{IMPORTED}')"
    told = {"fresh": task.fresh("events"), "since": since.isoformat(), "only": only}
    last = "" if task.after.startswith(TAKING_BACK) else task.after
    engine.execute(RECENT.format(**told, after=last))
    while rows := _page(task, last):
        entries = [(row["anchor_key"], _entry(row, publisher.timeline_days)) for row in rows]
        parts = [entries[n : n + ENTRIES_AT_ONCE] for n in range(0, len(entries), ENTRIES_AT_ONCE)]
        list(publisher.each(publisher.facts.put_entries, parts))
        task.figures["timeline"] += len(entries)
        last = rows[-1]["message_key"]
        yield last


def _take_back(task: Task, after: str) -> Iterator[str]:
    """Says of each message of which a copy lost where its line stands, and where none does."""
    find_lost(task)
    lost = task.engine.execute(LOST_OF, [after]).fetchall()
    if not lost:
        return
    kept, publisher = _kept(task), task.publisher

    def tell(message_key: str, anchors: Sequence[str], *days: date) -> int:
        line = kept.get(message_key)
        window = _window(*days)
        said = list(_said(publisher.facts, message_key, anchors, window, line, task.run.seq))
        if line is not None and not is_expired(line[1], ms_of(task.run.moment)):
            said.append((line[0], replace(line[1], run=task.run.seq)))
        publisher.facts.put_entries(said)
        return len(said)

    for n in range(0, len(lost), ENTRIES_AT_ONCE):
        page = lost[n : n + ENTRIES_AT_ONCE]
        told = publisher.each(lambda one: tell(*one), page)
        task.figures["timeline_corrected"] += sum(told)
        yield TAKING_BACK + page[-1][0]


def _kept(task: Task) -> dict[str, tuple[str, Entry]]:
    """Anchor and line of the copy that holds, by message, from the days that have one."""
    see(task.engine, task.publisher.lake, MESSAGE_INDEX)
    days = _dates(task, DAYS.format(classes=_classes(task)))
    rows = _rows(task, KEPT.format(days=days), []) if days else []
    timeline_days = task.publisher.timeline_days
    return {
        row["message_key"]: (row["anchor_key"], _entry(row, timeline_days))
        for row in rows
        if row["anchor_key"] is not None
    }


def _classes(task: Task) -> str:
    """Where the index may have them: as for loads anywhere while it is small, else by class."""
    rows = sum(file.record_count for file in task.publisher.lake.catalogue.files(MESSAGE_INDEX))
    return "true" if rows <= CHECKED_WHOLE_ROWS else f"sent_on in ({_dates(task, CLASSES)})"


def _dates(task: Task, statement: str) -> str:
    """Dates as a list in SQL, by which the files to read are chosen."""
    return ", ".join(f"date '{day}'" for (day,) in task.engine.execute(statement).fetchall())


def _said(
    facts: FactStore,
    message_key: str,
    anchors: Sequence[str],
    window: tuple[int, int | None],
    kept: tuple[str, Entry] | None,
    run: int,
) -> Iterator[tuple[str, Entry]]:
    """Voids what these anchors, and that of the copy that holds, tell of a message elsewhere."""
    for anchor in {*anchors, *([kept[0]] if kept else [])}:
        for line in facts.lines_of(anchor, message_key, *window):
            if kept is None or (anchor, place_of(line)) != (kept[0], place_of(kept[1])):
                yield anchor, replace(line, run=run, is_void=True, summary={})


def _window(first_on: date, last_on: date) -> tuple[int, int | None]:
    """The part of timelines that has lines of these days; all where one is not known."""
    if first_on == NO_CLASS:
        return 0, None
    since_ms, last_ms = (ms_of(datetime.combine(on, time(), UTC)) for on in (first_on, last_on))
    return since_ms, last_ms + DAY_MS


def _page(task: Task, last: str) -> list[dict[str, Any]]:
    return _rows(task, PAGE, [last, ENTRIES_A_PAGE])


def _rows(task: Task, statement: str, given: list[Any]) -> list[dict[str, Any]]:
    found = task.engine.execute(statement, given)
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
