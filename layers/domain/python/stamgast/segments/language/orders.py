"""Which events are completed orders, for all that is said of orders."""

from stamgast.segments.language.columns import ORDER_EVENT
from stamgast.segments.language.tree import And, Compare, Field, Is, Literal, Node, Not, Type


def ordered(at: int = 0) -> Node:
    """The filter of completed orders."""
    name = Compare("=", Field(("event",), Type.TEXT, at), Literal(ORDER_EVENT, Type.TEXT, at), at)
    revenue = Field(("order", "revenue"), Type.NUMBER, at)
    return And((name, Not(Is(revenue, None, at), at)), at)
