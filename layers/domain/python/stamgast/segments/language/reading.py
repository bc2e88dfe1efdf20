"""The Python reading: a tree compiled once to closures, which evaluate it for one person at a time.

Values in a view: numbers are floats, moments milliseconds, dates `date`; null is None.
"""

import json
from dataclasses import replace
from typing import Any

from stamgast.segments.language import scalars
from stamgast.segments.language.codec import to_json
from stamgast.segments.language.columns import OF_HABIT
from stamgast.segments.language.habits import ORDERED, habit
from stamgast.segments.language.tree import (
    Aggregate,
    And,
    Arithmetic,
    As,
    Call,
    Clock,
    Column,
    Compare,
    Contains,
    DaysBetween,
    Did,
    DidNotSince,
    Field,
    InSegment,
    Is,
    Lifetime,
    Like,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    Shift,
    Type,
)
from stamgast.segments.language.types import type_of
from stamgast.segments.language.view import Funnel, Measure, Reader, View


def reader_of(node: Node) -> Reader:
    """A function from a view to the node's value; of a condition True, False or None."""
    match node:
        case And() | Or():
            parts = tuple(reader_of(part) for part in node.parts)
            return _all(parts) if isinstance(node, And) else _any(parts)
        case Not():
            of = reader_of(node.of)
            return lambda view: None if (told := of(view)) is None else not told
        case Is():
            return _is(reader_of(node.of), node.what)
        case Compare():
            return _compare(node)
        case OneOf():
            of, values = reader_of(node.of), frozenset(_literal(node.type, v) for v in node.values)
            return lambda view: None if (told := of(view)) is None else told in values
        case Like():
            return scalars.liked(node.pattern, node.is_case_blind, reader_of(node.of))
        case Contains():
            return scalars.contained(reader_of(node.list), reader_of(node.item))
        case InSegment():
            name = node.name
            return lambda view: view.is_in[name]
        case Aggregate():
            return _aggregate(node)
        case Did() | DidNotSince():
            return _funnel(node)
    return _value(node)


def _value(node: Node) -> Reader:
    match node:
        case Literal():
            value = _literal(node.type, node.value)
            return lambda _: value
        case Column((root, *_)) if root in OF_HABIT:
            return habit(node.path, reader_of(ORDERED))
        case Column():
            return scalars.column(node.path, node.type)
        case Field():
            return scalars.event_field(node.path, node.type)
        case As():
            return scalars.of_type(node.type, type_of(node.of), reader_of(node.of))
        case Clock():
            is_moment = node.type is Type.MOMENT
            return (lambda view: view.now.ms) if is_moment else (lambda view: view.today)
        case Arithmetic():
            return scalars.calculated(node.op, reader_of(node.left), reader_of(node.right))
        case Shift():
            return scalars.shifted(node, reader_of(node.of))
        case DaysBetween():
            return _days_between(reader_of(node.left), reader_of(node.right))
        case Call():
            return scalars.function(node.name, tuple(reader_of(arg) for arg in node.args))
    raise TypeError(f"{type(node).__name__} is no node")


def _literal(kind: Type, value: Any) -> Any:
    return int(value) if kind is Type.MOMENT else value


def _all(parts: tuple[Reader, ...]) -> Reader:
    def conjunction(view: View) -> bool | None:
        told: bool | None = True
        for part in parts:
            one = part(view)
            if one is False:
                return False
            if one is None:
                told = None
        return told

    return conjunction


def _any(parts: tuple[Reader, ...]) -> Reader:
    def disjunction(view: View) -> bool | None:
        told: bool | None = False
        for part in parts:
            one = part(view)
            if one is True:
                return True
            if one is None:
                told = None
        return told

    return disjunction


def _is(of: Reader, what: bool | None) -> Reader:
    return lambda view: of(view) is what


def _compare(node: Compare) -> Reader:
    kind, left = type_of(node.left), reader_of(node.left)
    if isinstance(node.right, Literal) and kind is not Type.ANY:
        return scalars.compared_with(node.op, left, _literal(kind, node.right.value))
    return scalars.compared(node.op, kind, left, reader_of(node.right))


def _days_between(left: Reader, right: Reader) -> Reader:
    def days(view: View) -> float | None:
        a, b = left(view), right(view)
        return None if a is None or b is None else float((a - b).days)

    return days


def measure_of(node: Aggregate) -> Measure:
    """The aggregate with its readers."""
    where = None if node.where is None else reader_of(node.where)
    of = None if node.of is None else reader_of(node.of)
    return Measure(key_of(replace(node, window=Lifetime())), node, where, of)


def _aggregate(node: Aggregate) -> Reader:
    measure, key = measure_of(node), key_of(node)

    def value(view: View) -> Any:
        if key not in view.memo:
            view.memo[key] = view.history.measured(measure, view)
        return view.memo[key]

    return value


def _funnel(node: Did | DidNotSince) -> Reader:
    steps = node.steps if isinstance(node, Did) else (node.did, node.lacking)
    funnel = Funnel(key_of(node), node, tuple(reader_of(step) for step in steps))

    def happened(view: View) -> bool:
        if funnel.key not in view.memo:
            view.memo[funnel.key] = view.history.happened(funnel, view)
        return bool(view.memo[funnel.key])

    return happened


def key_of(node: Node) -> str:
    """What equal nodes share, and others do not."""
    return json.dumps(to_json(node), sort_keys=True, ensure_ascii=False)
