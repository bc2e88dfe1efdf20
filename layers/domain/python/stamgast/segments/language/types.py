"""The type of every node, which follows from the node and those below it."""

from stamgast.segments.language.functions import COALESCE, FUNCTIONS
from stamgast.segments.language.tree import (
    Aggregate,
    Arithmetic,
    As,
    Call,
    Clock,
    Column,
    DaysBetween,
    Field,
    Function,
    Literal,
    Node,
    Shift,
    Type,
)

OF_VALUE = frozenset({Function.MIN, Function.MAX, Function.FIRST, Function.LAST})


def type_of(node: Node) -> Type:
    """What the node gives."""
    match node:
        case Literal() | Column() | Field() | As() | Clock():
            return node.type
        case Arithmetic() | DaysBetween():
            return Type.NUMBER
        case Shift():
            return type_of(node.of)
        case Call():
            return type_of(node.args[0]) if node.name == COALESCE else FUNCTIONS[node.name].gives
        case Aggregate():
            return _made(node)
    return Type.BOOLEAN


def _made(node: Aggregate) -> Type:
    if node.function in OF_VALUE and node.of is not None:
        return type_of(node.of)
    return Type.NUMBER
