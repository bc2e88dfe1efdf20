"""What would flip a condition: the smallest change, in words and as a bound that tools can use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import ceil, floor
from typing import Any

from stamgast.moments import iso_of
from stamgast.segments.language.reading import reader_of
from stamgast.segments.language.render import literal, rendered
from stamgast.segments.language.steps import missing_step
from stamgast.segments.language.tree import (
    Aggregate,
    As,
    Column,
    Compare,
    Contains,
    Did,
    DidNotSince,
    Function,
    InSegment,
    Is,
    Like,
    Literal,
    Node,
    OneOf,
    Type,
)
from stamgast.segments.language.types import type_of
from stamgast.segments.language.unknowns import MayTell, figure, shown, told_of, unknown_because
from stamgast.segments.language.view import View

OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
MIRRORED = {"=": "=", "!=": "!=", "<": ">", ">=": "<=", ">": "<", "<=": ">="}
BE: Mapping[str, str] = {
    "=": "be",
    "!=": "be other than",
    "<": "be less than",
    "<=": "be at most",
    ">": "be more than",
    ">=": "be at least",
}
BE_WHEN = {
    **BE,
    "<": "be before",
    "<=": "be no later than",
    ">": "be after",
    ">=": "be no earlier than",
}
TIMES = frozenset({Type.DATE, Type.MOMENT})


@dataclass(frozen=True, slots=True)
class Change:
    """The bound that a value would have to keep: `seen op bound` would be as wanted.

    `by` is how far a number is from the bound; of a count, how many more (or fewer) are needed.
    """

    what: str
    op: str
    bound: Any
    by: float | None = None


@dataclass(frozen=True, slots=True)
class Flip:
    """What would flip a condition."""

    words: str
    change: Change | None = None


def flip_of(node: Node, wanted: bool, view: View, may_tell: MayTell) -> Flip:
    """What would make the condition true, or with `wanted` false, false."""
    if isinstance(node, Compare):
        return _compared(node, wanted, view, may_tell)
    words, of = _plain(node, wanted, view)
    return Flip(words if of is None else f"{words}: {_it_is(of, view, may_tell)}")


def _plain(node: Node, wanted: bool, view: View) -> tuple[str, Node | None]:
    """The words, and the value whose state belongs to them."""
    match node:
        case OneOf():
            values = ", ".join(literal(node.type, value) for value in node.values)
            be = "be one of" if wanted else "be none of"
            return f"{told_of(node.of)} would have to {be} {values}", node.of
        case Is():
            what = {None: "unknown", True: "true", False: "false"}[node.what]
            be = f"be {what}" if wanted else f"be anything but {what}"
            return f"{told_of(node.of)} would have to {be}", node.of
        case InSegment():
            where = "in" if wanted else "outside"
            return f"the person would have to be {where} `{node.name}`", None
        case Did() | DidNotSince():
            return missing_step(node, wanted, view), None
        case Like():
            return f"{told_of(node)} would have to be {str(wanted).lower()}", node.of
        case Contains():
            hold = "hold" if wanted else "not hold"
            return f"{told_of(node.list)} would have to {hold} {told_of(node.item)}", node.list
    return f"{told_of(node)} would have to be {str(wanted).lower()}", node


def _it_is(node: Node, view: View, may_tell: MayTell) -> str:
    """The value as it is, or why there is none."""
    value = reader_of(node)(view)
    if value is None:
        return f"it is unknown because {' and '.join(unknown_because(node, view, may_tell))}"
    raw = node.of if isinstance(node, As) else node
    return f"it is {_told(value, type_of(node))}" if may_tell(raw) else "it is not"


def _told(value: Any, kind: Type) -> str:
    return iso_of(value) if kind is Type.MOMENT else shown(value)


def _compared(node: Compare, wanted: bool, view: View, may_tell: MayTell) -> Flip:
    op = node.op if wanted else OPPOSITE[node.op]
    of, bound = node.left, node.right
    if isinstance(of, Literal):
        of, bound, op = bound, of, MIRRORED[op]
    kind = type_of(of)
    be = (BE_WHEN if kind in TIMES else BE)[op]
    words = f"{told_of(of)} would have to {be} {_bound(bound, view, may_tell)}"
    limit, value = reader_of(bound)(view), reader_of(of)(view)
    is_told = may_tell(of) and may_tell(bound)
    if limit is None or not is_told:
        return Flip(f"{words}: {_it_is(of, view, may_tell)}")
    change = Change(rendered(of), op, _json(limit, kind), _gap(of, op, value, limit))
    counted = _counted(of)
    if change.by is not None and counted is not None:
        return Flip(_more(change.by, counted, words, value), change)
    return Flip(f"{words}: {_it_is(of, view, may_tell)}{_distance(op, change.by)}", change)


def _bound(node: Node, view: View, may_tell: MayTell) -> str:
    if isinstance(node, Literal):
        return literal(node.type, node.value)
    value = reader_of(node)(view)
    if value is None or not may_tell(node):
        return told_of(node)
    return f"{told_of(node)} ({_told(value, type_of(node))})"


def _json(value: Any, kind: Type) -> Any:
    if kind is Type.MOMENT:
        return iso_of(value)
    return value.isoformat() if isinstance(value, date) else value


def _counted(node: Node) -> str | None:
    """What a node counts; None for one that counts nothing."""
    match node:
        case Aggregate(Function.COUNT):
            return "event"
        case Aggregate(Function.COUNT_DISTINCT):
            return "value"
        case Column(("orders", "count") | ("rfm", "frequency")):
            return "order"
    return None


def _gap(node: Node, op: str, value: Any, limit: Any) -> float | None:
    """How much is missing (negative: too much); None where that is no number."""
    if not isinstance(value, float) or not isinstance(limit, float) or op == "!=":
        return None
    if _counted(node) is None:
        return limit - value
    target = _least_count(op, limit)
    return None if target is None or target < 0 else target - value


def _least_count(op: str, limit: float) -> float | None:
    """The whole number nearest to the bound that keeps it; None if no whole number does."""
    match op:
        case ">=":
            return float(ceil(limit))
        case ">":
            return float(floor(limit) + 1)
        case "<=":
            return float(floor(limit))
        case "<":
            return float(ceil(limit) - 1)
    return limit if limit == floor(limit) else None


def _more(by: float, what: str, words: str, value: float) -> str:
    plural = "" if abs(by) == 1 else "s"
    many = f"{figure(abs(by))} {'more' if by > 0 else 'fewer'} {what}{plural}"
    return f"{many}: {words}, it is {figure(value)}"


def _distance(op: str, by: float | None) -> str:
    if by is None or by == 0:
        return ""
    strictly = "more than " if op in ("<", ">") else ""
    if op == "=":
        return f", {figure(abs(by))} {'short' if by > 0 else 'over'}"
    return f", {strictly}{figure(abs(by))} {'short' if op in ('>', '>=') else 'over'}"
