"""What live rules count, by anchor: sums of days, and the events that are kept by their instant."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import orjson

from stamgast.identity.event import SHORT_ID_LENGTH
from stamgast.segments.language.days import start_of
from stamgast.segments.language.partial import EMPTY, State, joined, one
from stamgast.segments.language.tree import Aggregate, Function, Type
from stamgast.segments.language.types import type_of
from stamgast.segments.language.windows import Now
from stamgast.segments.live.base import Sums, kept_from, timed_from
from stamgast.segments.live.history import Key, Timed
from stamgast.segments.live.plan import LivePlan
from stamgast.segments.live.states import says_nothing
from stamgast_lake.rules.aggregates import OF_ANCHOR, micros_sql
from stamgast_lake.rules.expressions import Expressions
from stamgast_lake.rules.extractions import Extractions
from stamgast_lake.rules.guards import guard_of
from stamgast_lake.rules.literals import moment_sql, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Row = tuple[Any, ...]
SHORT = f"substr(message_key, 1, {SHORT_ID_LENGTH})"
# The bounds let the engine leave blocks of the sorted table out, which the list does not.
PAGE = """
    select * from {table} where anchor_key between '{first}' and '{last}'
        and anchor_key in (select anchor_key from page_anchor)
"""
BOUNDS = "select min(anchor_key), max(anchor_key) from page_anchor"


@dataclass(frozen=True, slots=True)
class _Measured:
    """One measure as SQL over an event: its filter, its value, and how many columns it takes."""

    node: Aggregate
    where: str
    of: str

    def grouped(self) -> list[str]:
        """The columns from which `state` makes the state of a group."""
        value = f"case when {self.where} then {self.of} end"
        match self.node.function:
            case Function.COUNT:
                return [f"nullif(count(case when {self.where} then 1 end), 0)", "null"]
            case Function.SUM | Function.AVG:
                micros = f"case when {self.where} then {micros_sql(self.of)} end"
                return [f"sum({micros})", f"count({micros})"]
            case Function.MIN | Function.MAX:
                return [_told(f"{self.node.function}({value})", self.node), "null"]
        act = "min" if self.node.function is Function.FIRST else "max"
        place = f"case when {self.where} and {self.of} is not null then"
        place = f"{place} row(epoch_ms(event_at), {SHORT}) end"
        return [_told(f"arg_{act}({self.of}, {place})", self.node), f"{act}({place})"]

    def state(self, told: Any, beside: Any) -> State:
        """The state of a group, of the columns that `grouped` made."""
        function = self.node.function
        if told is None:
            return EMPTY[function]
        match function:
            case Function.COUNT | Function.SUM:
                return int(told)
            case Function.AVG:
                return (int(told), beside)
            case Function.MIN | Function.MAX:
                return _value(told, self.node)
        ms, key = beside.values() if isinstance(beside, dict) else beside
        return (ms, key, _value(told, self.node))

    def single(self) -> list[str]:
        """The columns of one event: whether it counts, and its value."""
        return [self.where, _told(self.of, self.node)]


@dataclass(slots=True)
class SumsOfAnchors:
    """Makes the tables of sums for anchors of a relation, and reads them page by page."""

    engine: "DuckDBPyConnection"
    plan: LivePlan
    moment: Now
    _measured: list[_Measured] = field(init=False)
    _rows: Extractions = field(init=False)

    def __post_init__(self) -> None:
        self._rows = Extractions(self.moment.zone.key, "s")
        self._measured = [self._of(one.measure.node) for one in self.plan.tracked]

    def make(self, anchors: str) -> None:
        """Makes `day_of_anchor` and `timed_of_anchor` for the anchors of a relation."""
        now = moment_sql(self.moment.ms + 1)
        mine = f"events where anchor_key in (select anchor_key from {anchors})"
        zone = quoted(self.moment.zone.key)
        grouped = self._listed([m.grouped() for m in self._measured])
        until = " and ".join([f"event_at < {now}", *self._from()])
        self.engine.execute(f"""
            create or replace temp table day_of_anchor as
            select anchor_key, cast(event_at at time zone {zone} as date) as event_on, currency,
                {grouped}
            from ({self._rows.wrapped(f"{mine} and {until}", OF_ANCHOR)}) event
            group by anchor_key, event_on, currency
            having {self._any("m{0} is not null")}
            order by anchor_key
        """)
        since = moment_sql(timed_from(self.plan, self.moment.ms))
        singles = self._listed([m.single() for m in self._measured])
        self.engine.execute(f"""
            create or replace temp table timed_of_anchor as
            select anchor_key, epoch_ms(event_at) as ms, {SHORT} as short, currency, {singles}
            from ({self._rows.wrapped(f"{mine} and event_at >= {since}", OF_ANCHOR)}) event
            order by anchor_key
        """)

    def page(self) -> dict[str, Sums]:
        """The sums of each anchor of `page_anchor` that has any."""
        days, timed = self._days(), self._timed()
        return {a: Sums(days.get(a, {}), timed.get(a, {})) for a in {**days, **timed}}

    def _of(self, node: Aggregate) -> _Measured:
        within = Expressions(self.moment, self._rows, _never, guard_of(node.where))
        where = "true" if node.where is None else within.sql(node.where)
        return _Measured(node, f"({where})", "null" if node.of is None else within.sql(node.of))

    def _listed(self, columns: list[list[str]]) -> str:
        return ", ".join(
            f"{told} as m{place}, {beside} as n{place}"
            for place, (told, beside) in enumerate(columns)
        )

    def _any(self, condition: str) -> str:
        """Whether a row says anything of any measure: most say nothing."""
        each = (condition.format(place) for place in range(len(self._measured)))
        return " or ".join(f"({one})" for one in each)

    def _from(self) -> Iterator[str]:
        """No event of before the first day that any measure keeps."""
        kept = [kept_from(one.windows, self.moment) for one in self.plan.tracked]
        if not any(keeps_rest for _, keeps_rest in kept):
            first = date.fromordinal(max(1, min(first for first, _ in kept)))
            yield f"event_at >= {moment_sql(start_of(first, self.moment.zone))}"

    def _days(self) -> dict[str, dict[Key, dict[int, State]]]:
        found: dict[str, dict[Key, dict[int, State]]] = {}
        for row in self._read("day_of_anchor"):
            anchor, event_on, currency, *columns = row
            day = event_on.toordinal()
            for place, measured in enumerate(self._measured):
                state = measured.state(columns[2 * place], columns[2 * place + 1])
                key = self._key(place, currency)
                if key is None or says_nothing(measured.node, state):
                    continue
                states = found.setdefault(anchor, {}).setdefault(key, {})
                function = measured.node.function
                states[day] = joined(function, states[day], state) if day in states else state
        return found

    def _timed(self) -> Mapping[str, Mapping[Key, list[Timed]]]:
        found: dict[str, defaultdict[Key, list[Timed]]] = {}
        for anchor, ms, short, currency, *columns in self._read("timed_of_anchor"):
            for place, measured in enumerate(self._measured):
                is_wanted = ms > self.moment.ms or self.plan.tracked[place].hours
                key = self._key(place, currency)
                if not is_wanted or key is None or columns[2 * place] is not True:
                    continue
                told = columns[2 * place + 1]
                value = None if told is None else _value(told, measured.node)
                state = one(measured.node.function, ms, short, value)
                if not says_nothing(measured.node, state):
                    found.setdefault(anchor, defaultdict(list))[key].append((ms, state))
        return found

    def _key(self, place: int, currency: str | None) -> Key | None:
        if not self._measured[place].node.is_principal:
            return (place, "")
        return None if currency is None else (place, currency)

    def _read(self, table: str) -> Iterator[Row]:
        first, last = self.engine.execute(BOUNDS).fetchall()[0]
        rows = self.engine.execute(PAGE.format(table=table, first=first, last=last))
        while batch := rows.fetchmany(10_000):
            yield from batch


def _told(value: str, node: Aggregate) -> str:
    """A value in a form that Python reads as the language means it."""
    kind = Type.ANY if node.of is None else type_of(node.of)
    if kind is Type.MOMENT:
        return f"epoch_ms({value})"
    return f"cast({value} as varchar)" if kind is Type.ANY else value


def _value(told: Any, node: Aggregate) -> Any:
    is_json = node.of is not None and type_of(node.of) is Type.ANY
    return orjson.loads(told) if is_json else told


def _never(node: object) -> str:
    raise TypeError(f"{type(node).__name__} is no part of an event's filter")
