"""Closures for values and comparisons, each null-safe: null in, null out."""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from math import floor, isfinite
from typing import Any

from stamgast.segments.language.days import day_of, moved_date, moved_moment, start_of
from stamgast.segments.language.tree import Shift, Type
from stamgast.segments.language.values import (
    any_of,
    at,
    boolean_of,
    date_of,
    finite,
    folded,
    list_of,
    moment_of,
    number_of,
    pattern_of,
    text_of,
)
from stamgast.segments.language.view import Reader, View

Plain = Callable[[Any], Any]
OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
SIMPLE: Mapping[Type, Plain] = {
    Type.NUMBER: number_of,
    Type.TEXT: text_of,
    Type.BOOLEAN: boolean_of,
    Type.LIST: list_of,
    Type.ANY: any_of,
}
COMPARABLE = (number_of, text_of, boolean_of)


def column(path: tuple[str, ...], kind: Type) -> Reader:
    """A value of the person's document, as its type."""
    read = _stored(kind)
    if len(path) == 1:
        name = path[0]
        return lambda view: read(view.columns.get(name))
    return lambda view: read(at(view.columns, path))


def event_field(path: tuple[str, ...], kind: Type) -> Reader:
    """A value of the event's document, as its type; `products.x` is the list over the lines."""
    if path[0] == "products":
        name = path[1]
        return lambda view: _over_lines(view.event.get("products"), name)
    read = _stored(kind)
    if len(path) == 1:
        name = path[0]
        return lambda view: read(view.event.get(name))
    return lambda view: read(at(view.event, path))


def _over_lines(lines: Any, name: str) -> list[Any] | None:
    if not isinstance(lines, list | tuple):
        return None
    return [line.get(name) for line in lines]


def _stored(kind: Type) -> Plain:
    """How a typed column is kept: dates as `date`, moments as milliseconds."""
    if kind is Type.DATE:
        return lambda value: value if isinstance(value, date) else None
    if kind is Type.MOMENT:
        return lambda value: value if type(value) is int else None
    return SIMPLE[kind]


def of_type(kind: Type, was: Type, of: Reader) -> Reader:
    """A value of a document as a type, or one kind of time as the other."""
    if was is Type.NUMBER:
        return lambda view: None if (n := of(view)) is None else finite(n)
    if was is Type.MOMENT:
        return lambda view: _day(of(view), view)
    if was is Type.DATE:
        return lambda view: None if (d := of(view)) is None else start_of(d, view.now.zone)
    if kind is Type.DATE:
        return lambda view: date_of(of(view), view.now.zone)
    if kind is Type.MOMENT:
        return lambda view: moment_of(of(view), view.now.zone)
    read = SIMPLE[kind]
    return lambda view: read(of(view))


def _day(ms: int | None, view: View) -> date | None:
    try:
        return None if ms is None else day_of(ms, view.now.zone)
    except OverflowError:
        return None


def shifted(node: Shift, of: Reader) -> Reader:
    """A date or a moment moved."""
    amount, unit = node.amount, node.unit

    def moved(view: View) -> Any:
        value = of(view)
        if value is None:
            return None
        if isinstance(value, date):
            return moved_date(value, amount, unit)
        return moved_moment(value, amount, unit)

    return moved


def compared(op: str, kind: Type, left: Reader, right: Reader) -> Reader:
    """Two values of one type; of type ANY, null unless the data agree in type."""
    test = OPERATORS[op]
    if kind is Type.ANY:
        return lambda view: _any_compared(op, left(view), right(view))

    def compare(view: View) -> bool | None:
        a = left(view)
        if a is None:
            return None
        b = right(view)
        return None if b is None else test(a, b)

    return compare


def compared_with(op: str, left: Reader, value: Any) -> Reader:
    """A value and a literal."""
    test = OPERATORS[op]
    return lambda view: None if (a := left(view)) is None else test(a, value)


def _any_compared(op: str, left: Any, right: Any) -> bool | None:
    for read in COMPARABLE:
        a, b = read(left), read(right)
        if a is not None and b is not None:
            is_ordered = read is not boolean_of or op in ("=", "!=")
            return OPERATORS[op](a, b) if is_ordered else None
    return None


def contained(elements: Reader, item: Reader) -> Reader:
    """Whether a list has an element equal to the item, in type and value."""

    def contains(view: View) -> bool | None:
        listed = elements(view)
        if listed is None:
            return None
        wanted = item(view)
        for read in COMPARABLE:
            value = read(wanted)
            if value is not None:
                return any(read(one) == value for one in listed)
        return None

    return contains


def liked(pattern: str, is_case_blind: bool, of: Reader) -> Reader:
    """A text against a LIKE pattern."""
    if is_case_blind:
        match = pattern_of(folded(pattern)).fullmatch
        return lambda view: None if (t := of(view)) is None else match(folded(t)) is not None
    match = pattern_of(pattern).fullmatch
    return lambda view: None if (t := of(view)) is None else match(t) is not None


def calculated(op: str, left: Reader, right: Reader) -> Reader:
    """Arithmetic of doubles (IEEE 754), but for division by zero, which is null."""

    act = ARITHMETIC[op]

    def calculate(view: View) -> float | None:
        a, b = left(view), right(view)
        if a is None or b is None or (b == 0 and op == "/"):
            return None
        return act(a, b)

    return calculate


def function(name: str, args: Sequence[Reader]) -> Reader:
    """A call of one of the language's functions."""
    if name == "coalesce":
        return lambda view: next((v for arg in args if (v := arg(view)) is not None), None)
    of = args[0]
    if name == "days_since":
        return lambda view: None if (d := of(view)) is None else float((view.today - d).days)
    act = FUNCTIONS[name]
    return lambda view: None if (value := of(view)) is None else act(value)


FUNCTIONS: Mapping[str, Plain] = {
    "lower": folded,
    "length": lambda text: float(len(text)),
    "size": lambda listed: float(len(listed)),
    "abs": abs,
    "floor": lambda number: float(floor(number)) if isfinite(number) else number,
    "date": any_of,
    "year": lambda day: float(day.year),
    "month": lambda day: float(day.month),
    "day": lambda day: float(day.day),
}
