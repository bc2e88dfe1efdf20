"""Why a value or a condition is null: the parts that are absent, of another type, or no number."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from stamgast.segments.language.reading import reader_of
from stamgast.segments.language.render import number, quoted, rendered
from stamgast.segments.language.tree import (
    Aggregate,
    And,
    Arithmetic,
    As,
    Call,
    Column,
    Compare,
    Contains,
    DaysBetween,
    Like,
    Node,
    Not,
    OneOf,
    Or,
    Shift,
)
from stamgast.segments.language.values import at
from stamgast.segments.language.view import View

MayTell = Callable[[Node], bool]
LONGEST_SHOWN = 80


def unknown_because(node: Node, view: View, may_tell: MayTell) -> tuple[str, ...]:
    """Each reason for which a node is null, in the order in which the rule names them."""
    return tuple(dict.fromkeys(_causes(node, view, may_tell)))


def _causes(node: Node, view: View, may_tell: MayTell) -> Iterator[str]:
    if reader_of(node)(view) is not None:
        return
    below = [cause for part in _parts(node) for cause in _causes(part, view, may_tell)]
    yield from below or [_own(node, view, may_tell)]


def _parts(node: Node) -> tuple[Node, ...]:
    match node:
        case And() | Or():
            return node.parts
        case Not() | As() | Shift() | OneOf() | Like():
            return (node.of,)
        case Arithmetic() | DaysBetween() | Compare():
            return (node.left, node.right)
        case Contains():
            return (node.list, node.item)
        case Call():
            return node.args
    return ()


def _own(node: Node, view: View, may_tell: MayTell) -> str:
    """What is the matter with a node that is null although nothing below it is."""
    match node:
        case Column():
            raw = at(view.columns, node.path)
            return _absent(node) if raw is None else _other(node, node.type.value, raw, may_tell)
        case As():
            told = reader_of(node.of)(view)
            return _other(node.of, node.type.value, told, may_tell)
        case Aggregate():
            return f"no event has a value for {told_of(node)}"
        case Arithmetic(op="/"):
            return f"{told_of(node)} divides by zero"
        case Compare():
            left, right = told_of(node.left), told_of(node.right)
            return f"{left} and {right} are of different types"
    return f"{told_of(node)} has no value"


def _absent(node: Node) -> str:
    return f"{told_of(node)} is absent"


def _other(node: Node, wanted: str, raw: Any, may_tell: MayTell) -> str:
    is_told = may_tell(node)
    return f"{told_of(node)} is {kind_and_value(raw, is_told=is_told)}, no {wanted}"


def kind_and_value(raw: Any, *, is_told: bool) -> str:
    """`the text '42'`, or `a text` where the value may not be told."""
    kind = kind_of(raw)
    if not is_told or isinstance(raw, dict | list | tuple):
        return f"a {kind}" if kind != "object" else "an object"
    return f"the {kind} {shown(raw)}"


def kind_of(raw: Any) -> str:
    """The type of a value of a document, in the language's words."""
    if isinstance(raw, bool):
        return "boolean"
    if isinstance(raw, int | float):
        return "number"
    if isinstance(raw, str):
        return "text"
    return "list" if isinstance(raw, list | tuple) else "object"


def shown(raw: Any) -> str:
    """A value as a rule would write it, shortened."""
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, int | float):
        return figure(float(raw))
    if isinstance(raw, date):
        return raw.isoformat()
    text = quoted(raw) if isinstance(raw, str) else str(raw)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def figure(value: float) -> str:
    """A number without the noise of its binary form."""
    return number(float(f"{value:.12g}")) if abs(value) < 1e15 else repr(value)


def told_of(node: Node) -> str:
    """The node's text between marks."""
    return f"`{rendered(node)}`"
