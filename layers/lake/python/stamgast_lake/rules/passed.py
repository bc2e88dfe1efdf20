"""What aggregates share of an event: each filter and value worked out once, windows as numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stamgast.segments.language.windows import BEFORE_ALL_MS
from stamgast_lake.rules.extractions import ONCE
from stamgast_lake.rules.literals import moment_sql

REACHED = "reached"
MOST_TINY = 255


@dataclass(frozen=True, slots=True)
class Passed:
    """The events of one aggregate: those of a column, a filter's or a value's, within a window.

    A filter's column is true for them, a value's is not null. No event after now is any part of a
    pass, so `end_ms` stands only for windows that end before.
    """

    column: str | None
    start_ms: int
    end_ms: int | None

    @property
    def marks(self) -> set[int]:
        """The instants at which the window begins and ends."""
        ends = () if self.end_ms is None else (self.end_ms,)
        return {self.start_ms, *ends} - {BEFORE_ALL_MS}


@dataclass(slots=True)
class Columns:
    """The filters and values of all aggregates, each once, under the names of their columns."""

    filters: dict[str, str] = field(default_factory=dict)
    values: dict[tuple[str, str | None], str] = field(default_factory=dict)

    def filter(self, sql: str) -> str:
        """The column of a condition."""
        return self.filters.setdefault(sql, f"f{len(self.filters)}")

    def value(self, sql: str, where: str | None) -> str:
        """The column of a value, which is null for events that do not pass the filter."""
        return self.values.setdefault((sql, where), f"v{len(self.values)}")

    def rows(self, rows: str, used: Iterable[Passed], marks: "Marks") -> str:
        """A SELECT of the events that any aggregate takes, with the columns that these use."""
        names = {one.column for one in used}
        values = {told: name for told, name in self.values.items() if name in names}
        wanted = {*names, *(where for _, where in values)}
        filters = [f"{sql} as {name}" for sql, name in self.filters.items() if name in wanted]
        told = ", ".join(["*", *filters, *marks.column()])
        told = f"select {told} from ({rows}) event {ONCE}"
        if values:
            valued = ", ".join(_valued(*one) for one in values.items())
            told = f"select *, {valued} from ({told}) passed"
        if None in names:
            return told
        taken = [name for name in self.filters.values() if name in names]
        taken += [f"{name} is not null" for name in values.values()]
        return f"select * from ({told} {ONCE if values else ''}) kept where {' or '.join(taken)}"


def _valued(told: tuple[str, str | None], name: str) -> str:
    sql, where = told
    return f"{sql} as {name}" if where is None else f"case when {where} then {sql} end as {name}"


@dataclass(frozen=True, slots=True)
class Marks:
    """The instants that windows begin and end at, in order: an event has reached so many."""

    instants: tuple[int, ...]

    @classmethod
    def of(cls, used: Iterable[Passed], first_ms: int) -> "Marks":
        """Those of the windows, but for the one before which there is no event at all."""
        told = set().union(*(one.marks for one in used)) - {first_ms}
        return cls(tuple(sorted(told)))

    def column(self) -> list[str]:
        """The column that counts how many instants an event has reached."""
        if not self.instants:
            return []
        kind = "utinyint" if len(self.instants) <= MOST_TINY else "uinteger"
        steps = (f"cast(event_at >= {moment_sql(ms)} as {kind})" for ms in self.instants)
        return [f"{' + '.join(steps)} as {REACHED}"]

    def within(self, one: Passed) -> list[str]:
        """The conditions that hold an event within a window."""
        place = {ms: number for number, ms in enumerate(self.instants, 1)}
        parts = [f"{REACHED} >= {place[one.start_ms]}"] if one.start_ms in place else []
        if one.end_ms is not None:
            parts.append(f"{REACHED} < {place[one.end_ms]}" if one.end_ms in place else "false")
        return parts
