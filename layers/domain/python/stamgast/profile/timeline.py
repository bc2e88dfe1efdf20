"""The lines of a timeline: one compact summary for each recent event of an anchor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stamgast.profile.facts import counter_of, digest_of
from stamgast.profile.registers import canonical

if TYPE_CHECKING:  # read paths need no event, and load faster without
    from stamgast.identity.event import Event

DAY_SECONDS = 24 * 60 * 60
MOST_SUMMARY_BYTES = 480
LONGEST_TEXT = 120
FIRST_PRODUCTS = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline; `expires_at_seconds` is when DynamoDB may delete it.

    Of the lines at one place that of the newest `run` holds, 0 being the live loop's; a void one
    says that there is none.
    """

    original_ms: int
    message_key: str
    event_ms: int
    type: str
    name: str
    source_id: str
    expires_at_seconds: int
    summary: Mapping[str, Any] = field(default_factory=dict)
    run: int = 0
    is_void: bool = False


def entry_of(event: "Event", timeline_days: int) -> Entry:
    """The timeline's line for an event, at most about 900 bytes as an item."""
    digest = digest_of(event)
    return Entry(
        original_ms=digest.original_ms,
        message_key=event.message_key,
        event_ms=event.event_ms,
        type=event.type,
        name=counter_of(event),
        source_id=event.source_id,
        expires_at_seconds=event.event_ms // 1000 + timeline_days * DAY_SECONDS,
        summary=_summary(event),
    )


def is_expired(entry: Entry, now_ms: int) -> bool:
    """Whether the entry is past its time; the store deletes such items only days later."""
    return entry.expires_at_seconds * 1000 <= now_ms


def _summary(event: "Event") -> dict[str, Any]:
    """The order in short, then scalar properties by name while they fit."""
    summary: dict[str, Any] = _order(event)
    size = len(canonical(summary))
    for name, value in sorted(event.properties.items()):
        if name in summary or not _is_scalar(value):
            continue
        size += len(canonical({name: value}))
        if size > MOST_SUMMARY_BYTES:
            break
        summary[name] = value
    return summary


def _is_scalar(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_TEXT
    return isinstance(value, bool | int | float)


def _order(event: "Event") -> dict[str, Any]:
    if event.order is None:
        return {}
    lines = event.order.products[:FIRST_PRODUCTS]
    return {
        "order_id": (event.order.order_id or "")[:LONGEST_TEXT],
        "currency": event.order.currency,
        "revenue_minor": event.order.revenue_minor,
        "products": [[(p.product_id or "")[:40], p.quantity] for p in lines],
        "lines": len(event.order.products),
    }
