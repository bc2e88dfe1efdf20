"""Which events a filter can be true of, told before any document is looked into."""

from stamgast.segments.language.tree import And, Compare, Field, Literal, Node, OneOf

Guard = frozenset[str]
"""Names of events: of any other, the filter is false or null."""


def guard_of(where: Node | None) -> Guard | None:
    """The event names without which a filter is false; None where it has no such names."""
    match where:
        case Compare("=", Field(("event",)), Literal(str() as name)):
            return frozenset((name,))
        case OneOf(Field(("event",)), values):
            return frozenset(str(value) for value in values)
        case And(parts):
            return next((found for part in parts if (found := guard_of(part))), None)
    return None
