"""From syntax to the tree: names looked up, types agreed, sugar spelled out.

All faults of a rule are found at once as far as they stand in different parts of `and` and `or`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unicodedata import normalize

from stamgast.segments.language.agreement import (
    agreed,
    as_type,
    boolean,
    calculated,
    common,
    literal_date,
    literal_moment,
    settled,
)
from stamgast.segments.language.columns import Schema
from stamgast.segments.language.errors import (
    RuleBoundError,
    RuleError,
    RuleNameError,
    RuleTypeError,
)
from stamgast.segments.language.event_check import EventCheck
from stamgast.segments.language.functions import COALESCE, FUNCTIONS
from stamgast.segments.language.mistakes import FUNCTIONS_MEANT
from stamgast.segments.language.names import Scope, looked_up, near, negative
from stamgast.segments.language.parser import parse, parse_window
from stamgast.segments.language.syntax import AGGREGATES, WINDOWS, Shape, Syntax
from stamgast.segments.language.tree import (
    And,
    Call,
    Clock,
    Compare,
    Contains,
    InSegment,
    Is,
    Lifetime,
    Like,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    Type,
    Window,
)
from stamgast.segments.language.types import type_of

DEEPEST_TREE = 150
NOTHING = Literal(None, Type.BOOLEAN)


def compile_rule(text: str, schema: Schema | None = None) -> Node:
    """The tree of a rule; raises the first RuleError."""
    tree, faults = checked(text, schema or Schema())
    if faults:
        raise faults[0]
    return tree


def compile_filter(text: str, schema: Schema | None = None) -> Node:
    """The tree of a condition over one event's fields; raises the first RuleError."""
    tree, faults = checked(text, schema or Schema(), Scope.EVENT)
    if faults:
        raise faults[0]
    return tree


def compile_value(text: str, schema: Schema | None = None, scope: Scope = Scope.EVENT) -> Node:
    """The tree of a value of any type; raises the first RuleError."""
    tree, faults = checked(text, schema or Schema(), scope, is_condition=False)
    if faults:
        raise faults[0]
    return tree


def checked(
    text: str, schema: Schema, scope: Scope = Scope.PERSON, *, is_condition: bool = True
) -> tuple[Node, list[RuleError]]:
    """The tree and the faults; with any fault, the tree is not to be used."""
    faults: list[RuleError] = []
    try:
        syntax = parse(text)
    except RuleError as error:
        return NOTHING, [error]
    checker = _Checker(schema, faults)
    try:
        tree = checker.node(syntax, scope)
        tree = boolean(tree) if is_condition else tree
    except RuleError as error:
        faults.append(error)
        tree = NOTHING
    return tree, [fault.placed_in(text) for fault in faults]


def checked_window(text: str) -> tuple[Window, RuleError | None]:
    """The window that a text tells, and the fault in it."""
    try:
        checker = _Checker(Schema(), [])
        return checker.window(parse_window(text)), None
    except RuleError as error:
        return Lifetime(), error.placed_in(text)


class _Checker:
    """One method for each shape of syntax."""

    def __init__(self, schema: Schema, faults: list[RuleError]) -> None:
        self.schema = schema
        self.faults = faults
        self._depth = 0
        self._events = EventCheck(self.node)

    def node(self, told: Syntax, scope: Scope) -> Node:
        """The typed node of a piece of syntax."""
        with self._deeper(told.at):
            return self._node(told, scope)

    def window(self, told: Syntax) -> Window:
        """The window of a piece of syntax."""
        return self._events.window(told)

    @contextmanager
    def _deeper(self, at: int) -> Iterator[None]:
        self._depth += 1
        if self._depth > DEEPEST_TREE:
            raise RuleBoundError(f"nested more than {DEEPEST_TREE} deep", at)
        try:
            yield
        finally:
            self._depth -= 1

    def _node(self, told: Syntax, scope: Scope) -> Node:
        match told.shape:
            case Shape.OR | Shape.AND:
                parts = tuple(self._part(part, scope) for part in told.parts)
                return (Or if told.shape is Shape.OR else And)(parts, told.at)
            case Shape.NOT:
                return Not(boolean(self.node(told.parts[0], scope)), told.at)
            case Shape.LITERAL:
                return _literal(told)
            case Shape.DATE:
                return literal_date(told.value, told.at)
            case Shape.MOMENT:
                return literal_moment(told.value, told.at)
            case Shape.PATH:
                return looked_up(told.value, told.at, scope, self.schema)
            case Shape.CALL:
                return self._call(told, scope)
            case Shape.DURATION:
                hint = "as in `now() - 14 days`; a number of days is written without `days`"
                raise RuleTypeError("an amount of time stands beside a date", told.at, hint)
            case Shape.AGGREGATE | Shape.DID | Shape.DID_NOT_SINCE:
                return self._events.node(told, scope)
            case Shape.SEGMENT:
                return self._segment(told, scope)
            case _ if told.shape in WINDOWS:
                raise RuleTypeError("a window stands inside `count(…)` and its like", told.at)
        return self._joined(told, scope)

    def _joined(self, told: Syntax, scope: Scope) -> Node:
        match told.shape:
            case Shape.ARITHMETIC if told.parts[1].shape is Shape.DURATION:
                return self._shifted(told, scope)
            case Shape.NEGATIVE:
                return negative(as_type(Type.NUMBER, self.node(told.parts[0], scope)), told.at)
        parts = [self.node(part, scope) for part in told.parts]
        match told.shape:
            case Shape.ARITHMETIC:
                return calculated(told.value, parts[0], parts[1], told.at)
            case Shape.COMPARE:
                return _compare(told.value, parts[0], parts[1], told.at)
            case Shape.BETWEEN:
                return _between(parts, told.at)
            case Shape.IN:
                return _in(parts[0], parts[1:], told.at)
            case Shape.CONTAINS:
                return _contains(parts[0], parts[1], told.at)
            case Shape.LIKE:
                pattern, is_blind = told.value
                return Like(as_type(Type.TEXT, parts[0]), pattern, is_blind, told.at)
            case _:
                what = told.value
                of = settled(parts[0]) if what is None else boolean(parts[0])
                return Is(of, what, told.at)

    def _part(self, told: Syntax, scope: Scope) -> Node:
        """A part of `and` or `or`; its fault is kept, and the next part looked at."""
        try:
            return boolean(self.node(told, scope))
        except RuleError as error:
            self.faults.append(error)
            return NOTHING

    def _segment(self, told: Syntax, scope: Scope) -> Node:
        name, at = told.value
        if scope is Scope.EVENT:
            raise RuleTypeError("a segment has persons, not events", told.at)
        if name not in self.schema.segments:
            raise RuleNameError(
                f"no segment is named '{name}'", at, near(name, self.schema.segments)
            )
        return InSegment(name, told.at)

    def _shifted(self, told: Syntax, scope: Scope) -> Node:
        if told.value not in "+-":
            raise RuleTypeError("an amount of time can be added or taken away", told.at)
        of = self.node(told.parts[0], scope)
        amount, unit = told.parts[1].value
        return self._events.shifted(of, told.value, amount, unit, told.parts[1].at)

    def _call(self, told: Syntax, scope: Scope) -> Node:
        if told.value in ("now", "today") and not told.parts:
            return Clock(Type.MOMENT if told.value == "now" else Type.DATE, told.at)
        signature = FUNCTIONS.get(told.value)
        if signature is None and told.value != COALESCE:
            known = {*FUNCTIONS, *AGGREGATES, COALESCE, "now", "today"}
            raise RuleNameError(
                f"no function is named `{told.value}`",
                told.at,
                FUNCTIONS_MEANT.get(told.value) or near(told.value, known),
            )
        args = [self.node(part, scope) for part in told.parts]
        if signature is None:
            return self._coalesce(args, told.at)
        if len(args) != len(signature.takes):
            raise RuleTypeError(f"`{told.value}` takes {len(signature.takes)} value", told.at)
        taken = zip(signature.takes, args, strict=True)
        return Call(told.value, tuple(as_type(kind, arg) for kind, arg in taken), told.at)

    def _coalesce(self, args: list[Node], at: int) -> Node:
        if len(args) < 2:
            raise RuleTypeError("`coalesce` takes two values or more", at)
        return Call(COALESCE, tuple(common(args, at)), at)


def _literal(told: Syntax) -> Node:
    value: Any = told.value
    if isinstance(value, bool) or value is None:
        return Literal(value, Type.BOOLEAN if value is not None else Type.ANY, told.at)
    if isinstance(value, str):
        return Literal(normalize("NFC", value), Type.TEXT, told.at)
    return Literal(float(value), Type.NUMBER, told.at)


def _compare(op: str, left: Node, right: Node, at: int) -> Node:
    return Compare(op, *agreed(op, left, right, at), at)


def _between(parts: list[Node], at: int) -> Node:
    of, low, high = parts
    if {type_of(low), type_of(high)} == {Type.NUMBER, Type.TEXT}:
        raise RuleTypeError("nothing lies between a number and a text", at)
    return And((_compare(">=", of, low, at), _compare("<=", of, high, at)), at)


def _in(of: Node, options: list[Node], at: int) -> Node:
    pairs = [agreed("=", of, option, at) for option in options]
    kinds = {type_of(right) for _, right in pairs}
    lefts = {left for left, _ in pairs}
    values = [right.value for _, right in pairs if isinstance(right, Literal)]
    if len(lefts) == 1 and len(kinds) == 1 and len(values) == len(pairs):
        return OneOf(pairs[0][0], tuple(v for v in values if v is not None), kinds.pop(), at)
    return Or(tuple(Compare("=", left, right, at) for left, right in pairs), at)


def _contains(item: Node, of: Node, at: int) -> Node:
    if type_of(of) not in (Type.LIST, Type.ANY):
        raise RuleTypeError(f"a list is wanted here, this is a {type_of(of)}", of.at)
    if type_of(item) not in (Type.TEXT, Type.NUMBER, Type.BOOLEAN, Type.ANY):
        raise RuleTypeError(f"no list holds a {type_of(item)}", item.at)
    if isinstance(item, Literal) and item.value is None:
        raise RuleTypeError("no list holds null", item.at)
    return Contains(as_type(Type.LIST, of), settled(item), at)
