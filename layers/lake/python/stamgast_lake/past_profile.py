"""A person's profile and events as the lake knew them at a moment, each value with its source."""

import json
from collections.abc import Sequence
from typing import Any

from stamgast.moments import iso_of, ms_of
from stamgast_lake.explain import Past, last_run, person_then

MEMBERS = """
    select identifier from past_identity
    where person_id in (select person_id from past_identity where identifier in (
        select key from asked))
    order by identifier
"""
ISO = "strftime({column}, '%Y-%m-%dT%H:%M:%S.%gZ')"
AT = {
    column: ISO.format(column=column)
    for column in ("first_at", "last_at", "recorded_at", "event_at", "received_at")
}
"""Moments as text, as every other answer tells them."""
PROFILE = """
    select {first_at}, {last_at}, traits, counters, orders, revenue_minor, currency, {recorded_at}
    from profiles_as_of('{moment}') where person_id in (select key from asked)
"""
SAID = """
    select message_key, type, event, {event_at}, {received_at}, source_id, message_id
    from events where received_at <= cast('{moment}' as timestamptz)
      and message_key in (select key from asked)
"""
EVENTS = """
    select {event_at}, type, event, source_id, message_id, anchor_key, order_id, revenue_minor,
        currency
    from events where received_at <= cast('{moment}' as timestamptz)
      and anchor_key in (select key from asked)
    order by event_at desc, message_key limit {most}
"""
EVENT = (
    "at",
    "type",
    "event",
    "source",
    "message_id",
    "anchor",
    "order_id",
    "revenue_minor",
    "currency",
)
Json = dict[str, Any]


def profile_then(past: Past, key: str) -> Json | None:
    """The profile of an identifier's person; None while no run had seen the identifier."""
    person_id = person_then(past, key)
    if person_id is None:
        return None
    told: Json = {
        "answered_from": _source(past),
        "person_id": person_id,
        "identifiers": [row[0] for row in past.rows(MEMBERS, [key])],
    }
    rows = past.rows(PROFILE, [person_id], **AT)
    if not rows:
        return told
    first_at, last_at, traits, counters, orders, revenue_minor, currency, recorded_at = rows[0]
    return told | {
        "first_seen_at": first_at,
        "last_seen_at": last_at,
        "traits": _explained(past, json.loads(traits)),
        "counters": json.loads(counters),
        "orders": {"count": orders, "revenue_minor": revenue_minor, "currency": currency},
        "computed_at": recorded_at,
    }


def _explained(past: Past, traits: Json) -> Json:
    """Each trait with the event that said it; the event is null when it is no longer there."""
    names = ("message", "type", "event", "event_at", "received_at", "source", "message_id")
    rows = past.rows(SAID, {told["message_key"] for told in traits.values()}, **AT)
    said = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    return {
        name: {**told, "said_by": said.get(told["message_key"])} for name, told in traits.items()
    }


def timeline_then(past: Past, key: str, most: int) -> Json | None:
    """The newest events of an identifier's person that had come by then, the newest first."""
    person_id = person_then(past, key)
    if person_id is None:
        return None
    anchors: Sequence[str] = [row[0] for row in past.rows(MEMBERS, [key])]
    rows = past.rows(EVENTS, anchors, most=most, **AT)
    return {
        "answered_from": _source(past),
        "person_id": person_id,
        "events": [dict(zip(EVENT, row, strict=True)) for row in rows],
    }


def _source(past: Past) -> Json:
    return {"view": "lake", "as_of": iso_of(ms_of(past.moment)), "last_run": last_run(past)}
