"""Why somebody is in a segment or is not: the conditions that decide, and what would flip them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from stamgast.moments import iso_of
from stamgast.segments.language.reading import reader_of
from stamgast.segments.language.render import literal, rendered
from stamgast.segments.language.tree import (
    And,
    As,
    Compare,
    Contains,
    InSegment,
    Is,
    Like,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    Type,
)
from stamgast.segments.language.types import type_of
from stamgast.segments.language.values import finite
from stamgast.segments.language.view import View

TOLD_OPS = {
    "=": "be",
    "!=": "be other than",
    "<": "be less than",
    "<=": "be at most",
    ">": "be more than",
    ">=": "be at least",
}
OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A value as it was seen: JSON, moments as ISO 8601."""

    what: str
    value: Any


@dataclass(frozen=True, slots=True)
class Reason:
    """A condition that decides: its verdict (None is null), what it saw, what would flip it."""

    condition: str
    verdict: bool | None
    seen: tuple[Seen, ...]
    would_flip: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether the rule is true of somebody, and the reasons.

    Of a member: every condition that it rests on. Of anybody else: the first condition that
    failed, and where alternatives are joined by `or`, the first one of each.
    """

    is_in: bool
    verdict: bool | None
    reasons: tuple[Reason, ...]

    @property
    def document(self) -> dict[str, Any]:
        """The explanation as JSON."""
        return {
            "is_in": self.is_in,
            "verdict": self.verdict,
            "reasons": [
                {
                    "condition": one.condition,
                    "verdict": one.verdict,
                    "seen": [{"what": seen.what, "value": seen.value} for seen in one.seen],
                    "would_flip": one.would_flip,
                }
                for one in self.reasons
            ],
        }


def explained(tree: Node, view: View) -> Explanation:
    """Why the rule is true of the person in the view, or why it is not.

    `view.is_in` must know the segments that the rule names (`RuleBook.evaluate` fills it).
    """
    verdict = _verdict(tree, view)
    is_in = verdict is True
    leaves = _holding(tree, True, view) if is_in else _failing(tree, True, view)
    reasons = tuple(_reason(leaf, not wanted if is_in else wanted, view) for leaf, wanted in leaves)
    return Explanation(is_in, verdict, reasons)


Leaves = Iterator[tuple[Node, bool]]


def _verdict(node: Node, view: View) -> bool | None:
    told: bool | None = reader_of(node)(view)
    return told


def _holding(node: Node, told: bool, view: View) -> Leaves:
    """The conditions by which a node is what it is told to be."""
    match node:
        case Not():
            yield from _holding(node.of, not told, view)
        case And() | Or() if isinstance(node, And) is told:
            for part in node.parts:
                yield from _holding(part, told, view)
        case And() | Or():
            first = next(part for part in node.parts if _verdict(part, view) is told)
            yield from _holding(first, told, view)
        case _:
            yield node, told


def _failing(node: Node, wanted: bool, view: View) -> Leaves:
    """The conditions by which a node is not what is wanted; each with what is wanted of it."""
    match node:
        case Not():
            yield from _failing(node.of, not wanted, view)
        case And() | Or() if isinstance(node, And) is wanted:
            first = next(part for part in node.parts if _verdict(part, view) is not wanted)
            yield from _failing(first, wanted, view)
        case And() | Or():
            for part in node.parts:
                yield from _failing(part, wanted, view)
        case _:
            yield node, wanted


def _reason(node: Node, wanted: bool, view: View) -> Reason:
    seen = tuple(_seen(part, view) for part in _operands(node))
    return Reason(rendered(node), _verdict(node, view), seen, _flip(node, wanted, seen))


def _operands(node: Node) -> list[Node]:
    """The parts of a condition whose values tell why; a literal tells nothing new."""
    match node:
        case Compare():
            parts = [node.left, node.right]
        case OneOf() | Like() | Is():
            parts = [node.of]
        case Contains():
            parts = [node.item, node.list]
        case As():
            parts = [node.of]
        case _:
            parts = [node]
    return [part for part in parts if not isinstance(part, Literal)]


def _seen(node: Node, view: View) -> Seen:
    """The value as the data have it, before it is read as a type."""
    raw = node.of if isinstance(node, As) else node
    value = reader_of(raw)(view)
    if type_of(raw) is Type.MOMENT and value is not None:
        return Seen(rendered(raw), iso_of(value))
    if isinstance(value, float):
        value = finite(value)
    return Seen(rendered(raw), value.isoformat() if isinstance(value, date) else value)


def _flip(node: Node, wanted: bool, seen: tuple[Seen, ...]) -> str:
    """What would have to be otherwise, in words."""
    whom = f"`{seen[0].what}`" if seen else "the condition"
    match node:
        case Compare(op, _, Literal(value, kind)):
            told = op if wanted else OPPOSITE[op]
            return f"{whom} would have to {TOLD_OPS[told]} {literal(kind, value)}"
        case OneOf():
            values = ", ".join(literal(node.type, value) for value in node.values)
            return f"{whom} would have to be {'one' if wanted else 'none'} of {values}"
        case Is():
            what = {None: "unknown", True: "true", False: "false"}[node.what]
            return f"{whom} would have to be {what if wanted else f'anything but {what}'}"
        case InSegment():
            return f"the person would have to be {'in' if wanted else 'outside'} `{node.name}`"
    return f"`{rendered(node)}` would have to be {str(wanted).lower()}"
