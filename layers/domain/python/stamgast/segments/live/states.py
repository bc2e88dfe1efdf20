"""States of measures as JSON keeps them, in the tail of a live item and in a base."""

from datetime import date
from typing import Any

from stamgast.segments.language.partial import EMPTY, State
from stamgast.segments.language.tree import Aggregate, Function, Type
from stamgast.segments.language.types import type_of

LARGEST_SAFE = 2**53
PLACED = (Function.FIRST, Function.LAST)
VALUED = (Function.MIN, Function.MAX, *PLACED)


def packed(node: Aggregate, state: State) -> Any:
    """The state as a JSON value; `unpacked` reads it."""
    match node.function:
        case Function.COUNT | Function.SUM:
            return _whole(state)
        case Function.AVG:
            return [_whole(state[0]), state[1]]
        case Function.FIRST | Function.LAST:
            ms, key, value = state
            return [ms, key, _plain(value)]
    return _plain(state)


def unpacked(node: Aggregate, told: Any) -> State:
    """The state that `packed` told."""
    match node.function:
        case Function.COUNT | Function.SUM:
            return int(told)
        case Function.AVG:
            return (int(told[0]), told[1])
        case Function.FIRST | Function.LAST:
            ms, key, value = told
            return (ms, key, _typed(node, value))
    return _typed(node, told)


def says_nothing(node: Aggregate, state: State) -> bool:
    """Whether the state is that of no event."""
    return bool(state == EMPTY[node.function])


def _whole(number: int) -> int | str:
    """JSON's integers end at 64 bits, sums of millionths do not."""
    return number if abs(number) < LARGEST_SAFE else str(number)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _typed(node: Aggregate, value: Any) -> Any:
    kind = Type.ANY if node.of is None else type_of(node.of)
    if kind is Type.DATE and isinstance(value, str):
        return date.fromisoformat(value)
    return float(value) if kind is Type.NUMBER else value
