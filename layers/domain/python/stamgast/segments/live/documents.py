"""An interpreted event as the document that filters read: what the lake's row of it says."""

from typing import TYPE_CHECKING, Any

from stamgast.identity.orders import exponent_of

if TYPE_CHECKING:
    from stamgast.identity.event import Event

KEPT_APART = frozenset(("traits", "campaign", "page", "proof"))


def document_of(event: "Event") -> dict[str, Any]:
    """The event in the form of `stamgast.segments.language.history.EventHistory`."""
    context = event.context
    return {
        "message_key": event.short_id,
        "event_at": event.event_ms,
        "event": event.name,
        "type": event.type,
        "source": event.source_id,
        "order": _order(event),
        "products": _products(event),
        "properties": _properties(event),
        "campaign": context.get("campaign"),
        "page": context.get("page"),
        "context": {name: v for name, v in context.items() if name not in KEPT_APART},
    }


def _order(event: "Event") -> dict[str, Any] | None:
    order = event.order
    if order is None:
        return None
    revenue = order.revenue_minor / 10 ** exponent_of(order.currency)
    return {"id": order.order_id, "revenue": revenue, "currency": order.currency}


def _products(event: "Event") -> list[dict[str, Any]] | None:
    if event.order is None:
        return None
    return [{"product_id": p.product_id, "category": p.category} for p in event.order.products]


def _properties(event: "Event") -> dict[str, Any]:
    """An order's lines are no property of it."""
    is_order = event.order is not None
    return {n: v for n, v in event.properties.items() if not (is_order and n == "products")}
