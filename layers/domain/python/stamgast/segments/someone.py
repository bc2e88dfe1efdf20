"""One person with everything that rules read, as it is known at the moment of asking."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from stamgast.identity.orders import COMPLETED, exponent_of
from stamgast.moments import parse_iso
from stamgast.profile.facts import Facts
from stamgast.profile.timeline import Entry
from stamgast.segments.definitions import ComputedTrait
from stamgast.segments.language.tree import Type
from stamgast.segments.language.view import Document
from stamgast.segments.live.columns import columns_of

Row = Mapping[str, Any]
SHORTENED = frozenset(("revenue_minor", "lines", "products"))
"""What a timeline's summary of an order has in another form than the event had."""


def all_columns(
    person_id: str,
    facts: Facts,
    rfm: Row,
    computed: Row,
    traits: Iterable[ComputedTrait],
    scores: Row | None = None,
) -> dict[str, Any]:
    """The profile's columns: live facts, and beside them what the last run made of everybody.

    `rfm` is the published row; `computed` are the traits as JSON, on the day of asking; `scores`
    are those that hold, by model.
    """
    kinds = {trait.name: trait.type for trait in traits}
    return {
        **columns_of(person_id, facts),
        "rfm": _rfm(rfm),
        "computed": {name: typed(kinds.get(name, Type.ANY), v) for name, v in computed.items()},
        "scores": scores or {},
    }


def _rfm(row: Row) -> dict[str, Any]:
    if not row:
        return {}
    return {
        "segment": row["segment"],
        "r": float(row["recency_score"]),
        "f": float(row["frequency_score"]),
        "m": float(row["monetary_score"]),
        "frequency": float(row["frequency"]),
        "monetary": _major(row["monetary_minor"], row["currency"]),
        "last_order_on": date.fromisoformat(row["last_order_on"]),
    }


def typed(kind: Type, value: Any) -> Any:
    """A value of JSON as the language keeps a column of this type."""
    if isinstance(value, str) and kind is Type.DATE:
        return date.fromisoformat(value)
    if isinstance(value, str) and kind is Type.MOMENT:
        return parse_iso(value)
    return value


def joined(events: Sequence[Document], entries: Iterable[Entry]) -> tuple[list[Document], int]:
    """The lake's events and, once each, those that only the timeline knows yet; how many those are.

    The timeline keeps an event in short: scalar properties, and of an order no categories.
    """
    known = {event["message_key"] for event in events}
    fresh = {one.message_key: one for one in entries if one.message_key not in known}
    return [*events, *(_document(one) for one in fresh.values())], len(fresh)


def _document(entry: Entry) -> dict[str, Any]:
    order = _order(entry)
    left_out = SHORTENED if order else frozenset[str]()
    return {
        "message_key": entry.message_key,
        "event_at": entry.event_ms,
        "event": None if entry.name.startswith("$") else entry.name,
        "type": entry.type,
        "source": entry.source_id,
        "order": order,
        "products": _products(entry) if order else None,
        "properties": {name: v for name, v in entry.summary.items() if name not in left_out},
        "campaign": None,
        "page": None,
        "context": {},
    }


def _order(entry: Entry) -> dict[str, Any] | None:
    summary = entry.summary
    if entry.name != COMPLETED or not isinstance(summary.get("revenue_minor"), int):
        return None
    revenue = _major(summary["revenue_minor"], summary["currency"])
    return {"id": summary.get("order_id"), "revenue": revenue, "currency": summary["currency"]}


def _products(entry: Entry) -> list[dict[str, Any]]:
    return [{"product_id": one[0], "category": None} for one in entry.summary.get("products", ())]


def _major(minor: int, currency: str | None) -> float:
    return minor / float(10 ** exponent_of(currency or "XXX"))
