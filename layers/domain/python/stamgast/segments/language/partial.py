"""What a function has made of some events so far: small states that join in any order.

Joining states of disjoint events is commutative and associative, so that days, anchors and tails
can be added up however they come.
"""

from collections.abc import Mapping
from typing import Any

from stamgast.segments.language.tree import Function
from stamgast.segments.language.values import micros_of, number_of, number_of_micros

State = Any
EMPTY: Mapping[Function, State] = {
    Function.COUNT: 0,
    Function.SUM: 0,
    Function.AVG: (0, 0),
    Function.MIN: None,
    Function.MAX: None,
    Function.FIRST: None,
    Function.LAST: None,
    Function.COUNT_DISTINCT: frozenset(),
}


def one(function: Function, ms: int, key: str, value: Any) -> State:
    """The state of a single event that passed the filter; null values add nothing."""
    match function:
        case Function.COUNT:
            return 1
        case _ if value is None:
            return EMPTY[function]
        case Function.SUM:
            return micros_of(value) or 0
        case Function.AVG:
            micros = micros_of(value)
            return (0, 0) if micros is None else (micros, 1)
        case Function.MIN | Function.MAX:
            return value
        case Function.FIRST | Function.LAST:
            return (ms, key, value)
        case Function.COUNT_DISTINCT:
            distinct = distinct_of(value)
            return frozenset() if distinct is None else frozenset((distinct,))


def joined(function: Function, left: State, right: State) -> State:
    """The state of both sets of events."""
    match function:
        case Function.COUNT | Function.SUM:
            return left + right
        case Function.AVG:
            return (left[0] + right[0], left[1] + right[1])
        case Function.COUNT_DISTINCT:
            return left | right
    if left is None or right is None:
        return right if left is None else left
    match function:
        case Function.MIN:
            return min(left, right)
        case Function.MAX:
            return max(left, right)
        case Function.FIRST:
            return min(left, right, key=_place)
    return max(left, right, key=_place)


def result(function: Function, state: State) -> Any:
    """What the rule sees: of no events 0 for count, sum and count_distinct, else null."""
    match function:
        case Function.COUNT:
            return float(state)
        case Function.SUM:
            return number_of_micros(state)
        case Function.AVG:
            return number_of_micros(state[0]) / state[1] if state[1] else None
        case Function.COUNT_DISTINCT:
            return float(len(state))
        case Function.FIRST | Function.LAST:
            return None if state is None else state[2]
    return state


def distinct_of(value: Any) -> tuple[str, Any] | None:
    """What tells values apart: 1 and 1.0 are one number, '1' is another thing; lists are none."""
    if isinstance(value, bool):
        return ("boolean", value)
    number = number_of(value)
    if number is not None:
        return ("number", number)
    if isinstance(value, str):
        return ("text", value)
    return None if isinstance(value, list | tuple | dict | float | int) else ("time", value)


def _place(state: tuple[int, str, Any]) -> tuple[int, str]:
    return state[0], state[1]
