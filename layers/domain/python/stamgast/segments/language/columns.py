"""The columns of a profile and the fields of an event that rules may name, each documented."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from stamgast.segments.language.tree import Column, Field, Node, Type
from stamgast.segments.rfm import Cell
from stamgast.segments.rhythm import Stage

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Doc:
    """The type of a column, what it says, and the only texts that it can be, if they are few."""

    type: Type
    doc: str
    only: frozenset[str] = frozenset()


CALLS = frozenset({"alias", "group", "identify", "page", "screen", "track"})
PERSON: Mapping[Path, Doc] = {
    ("person_id",): Doc(Type.TEXT, "The person's id."),
    ("first_at",): Doc(Type.MOMENT, "When the first event happened."),
    ("last_at",): Doc(Type.MOMENT, "When the last event happened."),
    ("orders", "count"): Doc(Type.NUMBER, "Completed orders, in all currencies; 0 without any."),
    ("orders", "revenue"): Doc(
        Type.NUMBER, "Their revenue in the principal currency, in major units; 0 without any."
    ),
    ("orders", "currency"): Doc(Type.TEXT, "The principal currency; null without an order."),
    ("orders", "first_at"): Doc(Type.MOMENT, "When the first order was placed."),
    ("orders", "last_at"): Doc(Type.MOMENT, "When the last order was placed."),
    ("rfm", "segment"): Doc(Type.TEXT, "The cell of the RFM grid.", frozenset(Cell)),
    ("rfm", "r"): Doc(Type.NUMBER, "Recency score, 1 to 5."),
    ("rfm", "f"): Doc(Type.NUMBER, "Frequency score, 1 to 5."),
    ("rfm", "m"): Doc(Type.NUMBER, "Monetary score, 1 to 5."),
    ("rfm", "frequency"): Doc(Type.NUMBER, "Number of orders that were scored."),
    ("rfm", "monetary"): Doc(Type.NUMBER, "Revenue that was scored, in major units."),
    ("rfm", "last_order_on"): Doc(Type.DATE, "Day (UTC) of the last order that was scored."),
    ("lifecycle",): Doc(
        Type.TEXT, "The stage of life: prospect, new, active, late …", frozenset(Stage)
    ),
    ("rhythm", "order_days"): Doc(Type.NUMBER, "Days with an order; null without any."),
    ("rhythm", "usual_days"): Doc(
        Type.NUMBER, "The usual gap between them in days; null below three gaps."
    ),
    ("rhythm", "late_after_days"): Doc(Type.NUMBER, "How long a silence that habit explains."),
    ("rhythm", "slowness"): Doc(Type.NUMBER, "Days since the last order in usual gaps."),
    ("rhythm", "last_on"): Doc(Type.DATE, "The last day with an order."),
    ("rhythm", "late_since"): Doc(Type.DATE, "From this day on the silence is longer than usual."),
    ("rhythm", "lapsed_since"): Doc(Type.DATE, "From this day on the customer counts as gone."),
}
OF_HABIT = frozenset({"rhythm", "lifecycle"})
PERSON_OPEN: Mapping[str, Doc] = {
    "traits": Doc(Type.ANY, "A trait as the events told it: `traits.address.city`."),
    "consent": Doc(
        Type.BOOLEAN, "Consent to a purpose: true, false, or null while nothing is known."
    ),
    "computed": Doc(Type.ANY, "A computed trait of `traits.yaml`, of its own type."),
    "scores": Doc(
        Type.ANY, "A model's score: `scores.<model>`, or a part of it; null past `valid_until`."
    ),
}
OF_SCORE: Mapping[str, Doc] = {
    "value": Doc(Type.NUMBER, "The calibrated probability, or the amount."),
    "percentile": Doc(Type.NUMBER, "Among all who are scored, 0 to 100."),
    "band": Doc(Type.TEXT, "very_high, high, medium or low; of clusters the name of one."),
    "low": Doc(Type.NUMBER, "The lower bound of the interval; null without one."),
    "high": Doc(Type.NUMBER, "Its upper bound."),
}
EVENT: Mapping[Path, Doc] = {
    ("event",): Doc(Type.TEXT, "Name of the tracked event, the page or the screen."),
    ("type",): Doc(Type.TEXT, "The call: `track`, `page`, `identify` …", CALLS),
    ("event_at",): Doc(Type.MOMENT, "When it happened, corrected."),
    ("source",): Doc(Type.TEXT, "The source that sent it."),
    ("order", "id"): Doc(Type.TEXT, "Id of a completed order."),
    ("order", "revenue"): Doc(
        Type.NUMBER, "Revenue of a completed order, in major units of its currency."
    ),
    ("order", "currency"): Doc(Type.TEXT, "Its currency (ISO 4217)."),
    ("products", "product_id"): Doc(Type.LIST, "The product of each line of a completed order."),
    ("products", "category"): Doc(Type.LIST, "The category of each line of a completed order."),
}
EVENT_OPEN: Mapping[str, Doc] = {
    "properties": Doc(Type.ANY, "A property, without an order's lines: `properties.category`."),
    "campaign": Doc(Type.ANY, "The campaign in the context: `campaign.source`."),
    "page": Doc(Type.ANY, "The page in the context: `page.path`."),
    "context": Doc(Type.ANY, "The rest of the context: `context.locale`."),
}
ORDERS_IN_DAYS = re.compile(r"(total|count|average)_([1-9][0-9]{0,4})d")
ORDERS_SUGAR: Mapping[str, str] = {
    "total_<N>d": "Revenue of the last N days in the principal currency; 0 without any.",
    "count_<N>d": "Orders of the last N days, in all currencies.",
    "average_<N>d": "Mean revenue of those orders in the principal currency; null without any.",
}
ORDER_EVENT = "Order Completed"


@dataclass(frozen=True, slots=True)
class Schema:
    """What a rule may name beside those columns: segments, computed traits by type, and models.

    Of purposes it may name those that are declared; without any declared, all.
    """

    segments: frozenset[str] = frozenset()
    computed: Mapping[str, Type] = field(default_factory=dict)
    scores: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()


def only_texts(node: Node) -> frozenset[str]:
    """The texts that a column or field can be, if they are few and known; else none."""
    match node:
        case Column():
            found = PERSON.get(node.path)
        case Field():
            found = EVENT.get(node.path)
        case _:
            found = None
    return found.only if found else frozenset()
