"""The typed nodes of what speaks of events: aggregates, windows, funnels, moved times."""

from collections.abc import Callable, Sequence

from stamgast.segments.language.agreement import as_type, boolean, literal_date, settled, told
from stamgast.segments.language.days import UNIT_MS
from stamgast.segments.language.errors import RuleBoundError, RuleTypeError
from stamgast.segments.language.names import MOST_DAYS, Scope
from stamgast.segments.language.syntax import WINDOWS, Shape, Syntax
from stamgast.segments.language.tree import (
    Aggregate,
    As,
    Clock,
    Days,
    Did,
    DidNotSince,
    Function,
    Hours,
    Lifetime,
    Literal,
    Node,
    Shift,
    Since,
    Type,
    Unit,
    Window,
)
from stamgast.segments.language.types import type_of

MOST_HOURS = 72
IN_DAYS = {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31, Unit.YEAR: 366}
# The makings of computed traits stand beside the functions of the language.
NUMERIC = frozenset({"sum", "avg", "average"})
LEAST_OR_MOST = frozenset({"min", "max", "minimum", "maximum"})
OF_ANYTHING = frozenset({"expression", "unique_list", "unique_count", "most_frequent"})


class EventCheck:
    """Works with the checker's own `node`, which it is given."""

    def __init__(self, node: Callable[[Syntax, Scope], Node]) -> None:
        self._node = node

    def node(self, syntax: Syntax, scope: Scope) -> Node:
        """The node of an aggregate or a funnel."""
        if scope is Scope.EVENT:
            raise RuleTypeError("one event has no events of its own", syntax.at)
        if syntax.shape is Shape.AGGREGATE:
            return self._aggregate(syntax)
        *steps, window = syntax.parts
        filters = [boolean(self._node(step, Scope.EVENT)) for step in steps]
        if syntax.shape is Shape.DID_NOT_SINCE:
            return DidNotSince(filters[0], filters[1], self.window(window), syntax.at)
        within = self._within(syntax, len(filters))
        return Did(tuple(filters), within, self.window(window), syntax.at)

    def _within(self, syntax: Syntax, steps: int) -> int | None:
        if syntax.value is None:
            return None
        if steps < 2:
            hint = "write a window, such as `last 7 days`, or `then` and a second step"
            raise RuleTypeError("`within` stands after two steps or more", syntax.at, hint)
        amount, unit = syntax.value
        if Unit(unit) not in UNIT_MS:
            raise RuleTypeError(f"{unit}s differ in length", syntax.at, "write it in days")
        return _bounded(amount, Unit(unit), syntax.at) * UNIT_MS[Unit(unit)]

    def _aggregate(self, syntax: Syntax) -> Node:
        function = Function(syntax.value)
        windows = [part for part in syntax.parts if part.shape in WINDOWS]
        values = [
            self._node(part, Scope.EVENT) for part in syntax.parts if part.shape not in WINDOWS
        ]
        of = None if function is Function.COUNT else self._of(function, values, syntax.at)
        rest = values if of is None else values[1:]
        if len(windows) > 1 or len(rest) > 1:
            what = "windows" if len(windows) > 1 else "conditions"
            raise RuleTypeError(f"two {what} in one `{function}`", syntax.at, "join them by `and`")
        where = boolean(rest[0]) if rest else None
        window = self.window(windows[0]) if windows else Lifetime()
        return Aggregate(function, of, where, window, at=syntax.at)

    def _of(self, function: Function, values: Sequence[Node], at: int) -> Node:
        if not values:
            hint = f"as in `{function}(properties.price, event = 'Product Viewed')`"
            raise RuleTypeError(f"`{function}` needs a value first", at, hint)
        return valued(function.value, values[0])

    def window(self, syntax: Syntax) -> Window:
        """The window that stands there; raises RuleBoundError for one too long."""
        match syntax.shape:
            case Shape.LAST:
                amount, unit = syntax.value
                return _last(amount, unit, syntax.at)
            case Shape.AGO:
                newest, oldest, unit = syntax.value
                return _ago(newest, oldest, unit, syntax.at)
            case Shape.SINCE:
                return Since(self._constant(syntax.parts[0]))
        return Lifetime()

    def _constant(self, syntax: Syntax) -> Node:
        node = self._node(syntax, Scope.PERSON)
        if isinstance(node, Literal) and isinstance(node.value, str):
            node = literal_date(node.value, node.at)
        if type_of(node) is Type.MOMENT:
            node = as_type(Type.DATE, node)
        if type_of(node) is not Type.DATE or not _is_constant(node):
            hint = "as in `since date '2026-01-01'` or `since today - 30 days`"
            raise RuleTypeError("a fixed date is wanted after `since`", syntax.at, hint)
        return node

    def shifted(self, of: Node, sign: str, amount: int, unit: str, at: int) -> Node:
        """A date or a moment with an amount of time added or taken away."""
        kind = type_of(of)
        if kind is Type.ANY or (isinstance(of, Literal) and isinstance(of.value, str)):
            of, kind = as_type(Type.DATE, of), Type.DATE
        if kind not in (Type.DATE, Type.MOMENT):
            raise RuleTypeError(f"an amount of time stands beside a date, not {told(kind)}", at)
        if kind is Type.DATE and Unit(unit) in (Unit.MINUTE, Unit.HOUR):
            raise RuleTypeError(f"a date has no {unit}s", at, "as in `now() - 6 hours`")
        if kind is Type.MOMENT and Unit(unit) not in UNIT_MS:
            hint = f"as in `today - {amount} {unit}s`"
            raise RuleTypeError(f"a {unit} moves dates, not moments", at, hint)
        signed = _bounded(amount, Unit(unit), at) * (-1 if sign == "-" else 1)
        return Shift(of, signed, Unit(unit), at)


def valued(function: str, of: Node) -> Node:
    """The value that something is made of, in a type it can be made of; raises RuleTypeError."""
    kind = type_of(of)
    if kind is Type.BOOLEAN and function in NUMERIC:
        hint = "`count(…)` counts those of which a condition is true"
        raise RuleTypeError("a number is wanted, this is a condition", of.at, hint)
    if function in NUMERIC or (function in LEAST_OR_MOST and kind is Type.ANY):
        return settled(as_type(Type.NUMBER, of))
    is_list = kind is Type.LIST and function not in OF_ANYTHING
    if is_list or (kind is Type.BOOLEAN and function in LEAST_OR_MOST):
        raise RuleTypeError(f"`{function}` takes no {kind}", of.at, _first_hint(of))
    if isinstance(of, Literal) and of.value is None:
        raise RuleTypeError(f"`{function}` takes no null", of.at)
    return settled(of)


def _first_hint(of: Node) -> str | None:
    return "ask how often it `contains` something" if type_of(of) is Type.LIST else None


def _bounded(amount: int, unit: Unit, at: int) -> int:
    if amount * IN_DAYS.get(unit, 1) > MOST_DAYS:
        raise RuleBoundError(f"more than {MOST_DAYS:,} days", at)
    return amount


def _last(amount: int, unit: str, at: int) -> Window:
    if amount < 1:
        raise RuleBoundError("a window has at least one day, or one hour", at)
    match Unit(unit):
        case Unit.HOUR if amount <= MOST_HOURS:
            return Hours(amount)
        case Unit.HOUR:
            hint = f"write `last {-(-amount // 24)} days`"
            raise RuleBoundError(f"a window in hours has at most {MOST_HOURS}", at, hint)
        case Unit.DAY | Unit.WEEK as whole:
            return Days(_bounded(amount, whole, at) * IN_DAYS[whole] - 1)
        case Unit.MINUTE:
            raise RuleTypeError("a window has whole hours or days", at, "write `last 1 hour`")
        case other:
            hint = f"write `last {amount * (30 if other is Unit.MONTH else 365)} days`"
            raise RuleTypeError(f"{other}s differ in length", at, hint)


def _ago(newest: int, oldest: int, unit: str, at: int) -> Window:
    if Unit(unit) not in (Unit.DAY, Unit.WEEK):
        raise RuleTypeError("`ago` counts days or weeks", at, "as in `between 30 and 60 days ago`")
    if newest > oldest:
        hint = f"write `between {oldest} and {newest} {unit}s ago`"
        raise RuleBoundError("the nearer bound comes first", at, hint)
    days = IN_DAYS[Unit(unit)]
    return Days(_bounded(oldest, Unit(unit), at) * days, newest * days)


def _is_constant(node: Node) -> bool:
    match node:
        case Shift() | As():
            return _is_constant(node.of)
    return isinstance(node, Literal | Clock)
