"""Aggregates of all rules in one grouped pass over the events, each under its own filter."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from stamgast.segments.language.tree import (
    Aggregate,
    And,
    Compare,
    DidNotSince,
    Field,
    Function,
    Lifetime,
    Literal,
    Node,
    OneOf,
    Type,
    Window,
)
from stamgast.segments.language.types import type_of
from stamgast.segments.language.values import LARGEST_EXACT, LARGEST_SUMMED, MICRO
from stamgast.segments.language.windows import BEFORE_ALL_MS, Now, bounds_of
from stamgast_lake.rules.expressions import Expressions
from stamgast_lake.rules.extractions import Extractions
from stamgast_lake.rules.literals import moment_sql, quoted, read_json

PLAIN = (
    "person_id, message_key, event_at, event, type, source_id, order_id, revenue_minor, currency,"
    " products, principal"
)
AT = Field(("event_at",), Type.MOMENT)


@dataclass(slots=True)
class Aggregates:
    """Collects aggregates; then one statement computes them all by person."""

    now: Now
    extractions: Extractions
    columns: dict[str, str] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)
    guards: list[frozenset[str] | None] = field(default_factory=list)

    def sql(self, node: Aggregate) -> str:
        """What the rule sees of an aggregate, over the columns of the pass."""
        match node.function:
            case Function.COUNT | Function.COUNT_DISTINCT:
                return f"cast(coalesce({self._column(node)}, 0) as double)"
            case Function.SUM:
                return _of_micros(f"coalesce({self._column(node)}, 0)")
            case Function.AVG:
                counted = self._column(node, counted=True)
                return f"({_of_micros(self._column(node))} / nullif({counted}, 0))"
        return self._column(node)

    def not_since(self, node: DidNotSince) -> str:
        """It happened, and the other thing not later."""
        did = self._column(Aggregate(Function.MAX, AT, node.did, node.window))
        lacking = self._column(Aggregate(Function.MAX, AT, node.lacking, Lifetime()))
        return f"({did} is not null and ({lacking} is null or {lacking} <= {did}))"

    def _column(self, node: Aggregate, *, counted: bool = False) -> str:
        guard = guard_of(node.where)
        within = Expressions(self.now, self.extractions, _never, guard)
        made = _made(node, within, counted)
        told = f"{made} filter (where {self._filter(node, within)})"
        known = {sql: name for name, sql in self.columns.items()}
        if told in known:
            return known[told]
        name = f"a{len(self.columns)}"
        self.columns[name] = told
        self.starts.append(bounds_of(node.window, self.now)[0])
        self.guards.append(guard)
        return name

    def _filter(self, node: Aggregate, within: Expressions) -> str:
        parts = list(bounded(node.window, self.now))
        if node.is_principal:
            parts.append("currency = principal")
        if node.where is not None:
            parts.append(within.sql(node.where))
        return " and ".join(parts)

    def statement(self, events: str) -> str:
        """The grouped pass: person_id and a column for each aggregate."""
        made = ", ".join(f"{sql} as {name}" for name, sql in self.columns.items())
        rows = self.extractions.wrapped(f"{events} where {self._needed()}", PLAIN)
        return f"select person_id, {made} from ({rows}) event group by person_id"

    def _needed(self) -> str:
        """What no aggregate can do without, so that most events are left out at once."""
        parts = ["person_id is not null", f"event_at < {moment_sql(self.now.ms + 1)}"]
        if min(self.starts) > BEFORE_ALL_MS:
            parts.append(f"event_at >= {moment_sql(min(self.starts))}")
        names = frozenset().union(*(guard or () for guard in self.guards))
        if all(guard is not None for guard in self.guards):
            parts.append(f"event in ({', '.join(quoted(name) for name in sorted(names))})")
        return " and ".join(parts)


def bounded(window: Window, now: Now) -> Iterator[str]:
    """The conditions that hold an event within a window."""
    start, end = bounds_of(window, now)
    if start > BEFORE_ALL_MS:
        yield f"event_at >= {moment_sql(start)}"
    yield f"event_at < {moment_sql(end)}"


def guard_of(where: Node | None) -> frozenset[str] | None:
    """The event names without which a filter is false; None where it has no such names."""
    match where:
        case Compare("=", Field(("event",)), Literal(str() as name)):
            return frozenset((name,))
        case OneOf(Field(("event",)), values):
            return frozenset(str(value) for value in values)
        case And(parts):
            return next((found for part in parts if (found := guard_of(part))), None)
    return None


def _made(node: Aggregate, within: Expressions, counted: bool) -> str:
    if node.of is None:
        return "count(*)"
    of = within.sql(node.of)
    match node.function:
        case Function.SUM | Function.AVG:
            return f"{'count' if counted else 'sum'}({_micros(of)})"
        case Function.MIN | Function.MAX:
            return f"{node.function}({of})"
        case Function.FIRST | Function.LAST:
            act = "arg_min" if node.function is Function.FIRST else "arg_max"
            return f"{act}({of}, case when {of} is not null then row(event_at, message_key) end)"
    return f"count(distinct {_distinct(of, type_of(node.of))})"


def _micros(number: str) -> str:
    """Millionths, halves away from zero; null beyond what is summed."""
    half = f"case when {number} < 0 then -0.5 else 0.5 end"
    exact = f"cast(trunc({number} * cast({MICRO} as double) + cast({half} as double)) as bigint)"
    return f"case when abs({number}) <= {LARGEST_SUMMED!r} then {exact} end"


def _of_micros(summed: str) -> str:
    """The number nearest to so many millionths."""
    whole, rest = f"cast({summed} // {MICRO} as double)", f"cast({summed} % {MICRO} as double)"
    return (
        f"(case when abs({summed}) < {LARGEST_EXACT}"
        f" then cast({summed} as double) / cast({MICRO} as double)"
        f" else {whole} + {rest} / cast({MICRO} as double) end)"
    )


def _distinct(of: str, kind: Type) -> str:
    if kind is not Type.ANY:
        return of
    number, text, boolean = (
        read_json(one, of, "UTC") for one in (Type.NUMBER, Type.TEXT, Type.BOOLEAN)
    )
    return (
        f"coalesce('n' || cast({number} + 0.0 as varchar), 't' || {text},"
        f" 'b' || cast({boolean} as varchar))"
    )


def _never(node: object) -> str:
    raise TypeError(f"{type(node).__name__} is no part of an event's filter")
