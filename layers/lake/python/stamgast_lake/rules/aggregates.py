"""Aggregates of all rules in one grouped pass over the events, each under its own filter."""

from collections.abc import Iterator, Mapping, Sequence
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

OF_EVENT = (
    "message_key, event_at, event, type, source_id, order_id, revenue_minor, currency, products"
)
PLAIN = f"person_id, {OF_EVENT}, principal"
OF_ANCHOR = f"anchor_key, {OF_EVENT}"
HAPPENINGS, ANCHORS = "rule_happening", "rule_anchor"
AT = Field(("event_at",), Type.MOMENT)
JOINED = {
    Function.COUNT: "sum",
    Function.SUM: "sum",
    Function.AVG: "sum",
    Function.MIN: "min",
    Function.MAX: "max",
}


@dataclass(frozen=True, slots=True)
class Made:
    """How an aggregate is made of rows, and of the values of several anchors if that can be.

    No event before `start_ms`, and with a guard none of other names, is any part of it.
    """

    sql: str
    joined: str | None
    start_ms: int
    guard: frozenset[str] | None


@dataclass(slots=True)
class Aggregates:
    """Collects aggregates; then one statement computes them all by person."""

    now: Now
    extractions: Extractions
    columns: dict[str, Made] = field(default_factory=dict)

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
        sql = _made(node, within, self._filter(node, within), counted)
        start = bounds_of(node.window, self.now)[0]
        made = Made(sql, None if node.is_principal else JOINED.get(node.function), start, guard)
        known = {told: name for name, told in self.columns.items()}
        return known.get(made) or self._named(made)

    def _named(self, made: Made) -> str:
        name = f"a{len(self.columns)}"
        self.columns[name] = made
        return name

    def _filter(self, node: Aggregate, within: Expressions) -> str:
        """Without the upper bound of now, which holds for all rows of the pass."""
        now = moment_sql(self.now.ms + 1)
        parts = [one for one in bounded(node.window, self.now) if not one.endswith(now)]
        if node.is_principal:
            parts.append("currency = principal")
        if node.where is not None:
            parts.append(within.sql(node.where))
        return " and ".join(parts) or "true"

    def statement(self, events: str, *, anchored: bool = False) -> str:
        """The grouped pass: person_id and a column for each aggregate.

        `anchored` says that the relations `rule_happening` and `rule_anchor` are there, too: then
        events are summed up by anchor, and anchors by person, which joins a tenth of the rows.
        """
        by_anchor = {name: one for name, one in self.columns.items() if anchored and one.joined}
        by_person = {name: one for name, one in self.columns.items() if name not in by_anchor}
        if not by_anchor:
            return self._grouped("person_id", events, PLAIN, by_person)
        lower = self._grouped("anchor_key", HAPPENINGS, OF_ANCHOR, by_anchor)
        joins = ", ".join(f"{one.joined}({name}) as {name}" for name, one in by_anchor.items())
        told = (
            f"select {ANCHORS}.person_id, {joins} from ({lower}) part"
            f" join {ANCHORS} on {ANCHORS}.anchor_key = part.anchor_key"
            f" group by {ANCHORS}.person_id"
        )
        if not by_person:
            return told
        rest = self._grouped("person_id", events, PLAIN, by_person)
        return f"select * from ({told}) one full join ({rest}) other using (person_id)"

    def _grouped(self, key: str, events: str, plain: str, columns: Mapping[str, Made]) -> str:
        made = ", ".join(f"{one.sql} as {name}" for name, one in columns.items())
        needed = " and ".join([f"{key} is not null", *self._needed(list(columns.values()))])
        rows = self.extractions.wrapped(f"{events} where {needed}", plain)
        return f"select {key}, {made} from ({rows}) event group by {key}"

    def _needed(self, columns: Sequence[Made]) -> Iterator[str]:
        """What no aggregate can do without, so that most events are left out at once."""
        yield f"event_at < {moment_sql(self.now.ms + 1)}"
        start = min(one.start_ms for one in columns)
        if start > BEFORE_ALL_MS:
            yield f"event_at >= {moment_sql(start)}"
        names = frozenset().union(*(one.guard or () for one in columns))
        if all(one.guard is not None for one in columns):
            yield f"event in ({', '.join(quoted(name) for name in sorted(names))})"


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


def _made(node: Aggregate, within: Expressions, where: str, counted: bool) -> str:
    """A case inside is faster than a filter clause beside it."""
    if node.of is None:
        return f"count(case when {where} then 1 end)"
    of = within.sql(node.of)
    match node.function:
        case Function.SUM | Function.AVG:
            act = "count" if counted else "sum"
            return f"{act}(case when {where} then {micros_sql(of)} end)"
        case Function.MIN | Function.MAX:
            return f"{node.function}(case when {where} then {of} end)"
        case Function.FIRST | Function.LAST:
            act = "arg_min" if node.function is Function.FIRST else "arg_max"
            place = f"case when {where} and {of} is not null then row(event_at, message_key) end"
            return f"{act}({of}, {place})"
    return f"count(distinct case when {where} then {_distinct(of, type_of(node.of))} end)"


def micros_sql(number: str) -> str:
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
