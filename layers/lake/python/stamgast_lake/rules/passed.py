"""What aggregates share of an event: each filter and value worked out once, windows as numbers."""

from collections.abc import Iterable, Sequence
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

    def rows(self, rows: str, used: Sequence[Passed], marks: "Marks") -> str:
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
        passes = {name: f"{name} is not null" for name in values.values()}
        taken = (
            " and ".join([passes.get(name, name), *marks.after(first_ms)])
            for name, first_ms in _earliest(used).items()
        )
        return f"select * from ({told} {ONCE if values else ''}) kept where {' or '.join(taken)}"


def _earliest(used: Iterable[Passed]) -> dict[str, int]:
    """Of each column the start of its longest window: no earlier event is any part of it."""
    found: dict[str, int] = {}
    for one in used:
        if one.column is not None:
            found[one.column] = min(one.start_ms, found.get(one.column, one.start_ms))
    return found


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
        place, parts = self._places(), self.after(one.start_ms)
        if one.end_ms is not None:
            parts.append(f"{REACHED} < {place[one.end_ms]}" if one.end_ms in place else "false")
        return parts

    def rings(self, one: Passed) -> range:
        """How many instants an event within the window may have reached."""
        place = self._places()
        past = len(self.instants) + 1 if one.end_ms is None else place.get(one.end_ms, 0)
        return range(place.get(one.start_ms, 0), past)

    def after(self, start_ms: int) -> list[str]:
        """The condition that an event is of an instant or later; none if all events are."""
        place = self._places()
        return [f"{REACHED} >= {place[start_ms]}"] if start_ms in place else []

    def _places(self) -> dict[int, int]:
        return {ms: number for number, ms in enumerate(self.instants, 1)}
