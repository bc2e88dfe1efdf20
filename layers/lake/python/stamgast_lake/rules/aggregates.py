"""Aggregates of all rules in one grouped pass over the events, each under its own filter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stamgast.segments.language.tree import (
    Aggregate,
    DidNotSince,
    Field,
    Function,
    Lifetime,
    Type,
    Window,
)
from stamgast.segments.language.types import type_of
from stamgast.segments.language.values import LARGEST_EXACT, LARGEST_SUMMED, MICRO
from stamgast.segments.language.windows import BEFORE_ALL_MS, Now, bounds_of
from stamgast_lake.rules.counts import Counts
from stamgast_lake.rules.expressions import Expressions
from stamgast_lake.rules.extractions import Extractions
from stamgast_lake.rules.guards import Guard, guard_of
from stamgast_lake.rules.literals import moment_sql, quoted, read_json
from stamgast_lake.rules.passed import Columns, Marks, Passed

OF_EVENT = (
    "message_key, event_at, event, type, source_id, order_id, revenue_minor, currency, products"
)
PLAIN = f"person_id, {OF_EVENT}, principal"
OF_ANCHOR = f"anchor_key, {OF_EVENT}"
HAPPENINGS, ANCHORS = "rule_happening", "rule_anchor"
AT = Field(("event_at",), Type.MOMENT)
COUNT = "count(case when {within} then cast(1 as utinyint) end)"
JOINED = {
    Function.COUNT: "sum(cast({0} as double))",
    Function.SUM: "sum({0})",
    Function.AVG: "sum({0})",
    Function.MIN: "min({0})",
    Function.MAX: "max({0})",
}


@dataclass(frozen=True, slots=True)
class Made:
    """How an aggregate is made of the rows that it takes, and of the values of several anchors.

    `{within}` in `sql` stands for its window; `joined` is None if anchors cannot be joined. No
    event before the window, and with a guard none of other names, is any part of it.
    """

    sql: str
    joined: str | None
    passed: Passed
    guard: Guard | None

    def over(self, marks: Marks) -> str:
        """The aggregate over the rows that `Columns` made."""
        is_counted = self.sql == COUNT
        parts = marks.within(self.passed)
        if is_counted and self.passed.column is not None:
            # The window first: most events lie outside most windows, and it is the cheaper to ask.
            parts = [*parts, self.passed.column]
        return self.sql.replace("{within}", " and ".join(parts) or "true")


@dataclass(slots=True)
class Aggregates:
    """Collects aggregates; then one statement computes them all by person."""

    now: Now
    extractions: Extractions
    columns: dict[str, Made] = field(default_factory=dict)
    shared: Columns = field(default_factory=Columns)

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
        within = Expressions(self.now, self.extractions, _never, guard_of(node.where))
        where = _filter(node, within)
        column = None if where is None else self.shared.filter(where)
        if node.of is not None:
            column = self.shared.value(_value(node, within), column)
        start, end = bounds_of(node.window, self.now)
        passed = Passed(column, start, end if end <= self.now.ms else None)
        joined = None if node.is_principal else JOINED.get(node.function)
        made = Made(_made(node, column, counted), joined, passed, guard_of(node.where))
        known = {told: name for name, told in self.columns.items()}
        return known.get(made) or self._named(made)

    def _named(self, made: Made) -> str:
        name = f"a{len(self.columns)}"
        self.columns[name] = made
        return name

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
        joins = ", ".join(
            f"{str(one.joined).format(name)} as {name}" for name, one in by_anchor.items()
        )
        told = (
            f"select {ANCHORS}.person_id, {joins} from ({lower}) part"
            f" join {ANCHORS} on {ANCHORS}.anchor_key = part.anchor_key"
            f" group by {ANCHORS}.person_id"
        )
        if not by_person:
            return told
        rest = self._grouped("person_id", events, PLAIN, by_person)
        return f"select * from ({told}) one full join ({rest}) other using (person_id)"

    def counts(self, least: int) -> Counts | None:
        """Takes the counts over anchors out of the pass; None if there are fewer than `least`."""
        found = {n: one for n, one in self.columns.items() if one.sql == COUNT and one.joined}
        if len(found) < least:
            return None
        rows, marks = self._rows("anchor_key", HAPPENINGS, OF_ANCHOR, found)
        self.columns = {name: one for name, one in self.columns.items() if name not in found}
        return Counts({name: one.passed for name, one in found.items()}, rows, marks)

    def _grouped(self, key: str, events: str, plain: str, columns: Mapping[str, Made]) -> str:
        rows, marks = self._rows(key, events, plain, columns)
        made = ", ".join(f"{one.over(marks)} as {name}" for name, one in columns.items())
        return f"select {key}, {made} from ({rows}) event group by {key}"

    def _rows(
        self, key: str, events: str, plain: str, columns: Mapping[str, Made]
    ) -> tuple[str, Marks]:
        """The events that any of the columns takes, and the instants of their windows."""
        used = [one.passed for one in columns.values()]
        first_ms = min(one.start_ms for one in used)
        marks = Marks.of(used, first_ms)
        needed = " and ".join([f"{key} is not null", *self._needed(list(columns.values()))])
        rows = self.extractions.wrapped(f"{events} where {needed}", plain)
        return self.shared.rows(rows, used, marks), marks

    def _needed(self, columns: Sequence[Made]) -> Iterator[str]:
        """What no aggregate can do without, so that most events are left out at once."""
        yield f"event_at < {moment_sql(self.now.ms + 1)}"
        start = min(one.passed.start_ms for one in columns)
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


def _filter(node: Aggregate, within: Expressions) -> str | None:
    parts = ["currency = principal"] if node.is_principal else []
    if node.where is not None:
        parts.append(within.sql(node.where))
    return f"({' and '.join(parts)})" if parts else None


def _value(node: Aggregate, within: Expressions) -> str:
    """What the aggregate is made of, of one event."""
    if node.of is None:
        raise TypeError("a count has no value")
    of = within.sql(node.of)
    match node.function:
        case Function.SUM | Function.AVG:
            return micros_sql(of)
        case Function.COUNT_DISTINCT:
            return _distinct(of, type_of(node.of))
    return of


def _made(node: Aggregate, column: str | None, counted: bool) -> str:
    """A case inside is faster than a filter clause beside it."""
    if node.of is None:
        return COUNT
    value = f"case when {{within}} then {column} end"
    match node.function:
        case Function.SUM | Function.AVG:
            return f"{'count' if counted else 'sum'}({value})"
        case Function.MIN | Function.MAX:
            return f"{node.function}({value})"
        case Function.FIRST | Function.LAST:
            act = "arg_min" if node.function is Function.FIRST else "arg_max"
            place = f"{column} is not null and {{within}} then row(event_at, message_key)"
            return f"{act}({column}, case when {place} end)"
    return f"count(distinct {value})"


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
