"""A person's events as bases and tails keep them: days summed up, and what needs its instant."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from stamgast.segments.language.days import day_of
from stamgast.segments.language.partial import EMPTY, State, joined, result
from stamgast.segments.language.tree import Days, Hours, Since
from stamgast.segments.language.view import Funnel, Measure, View
from stamgast.segments.language.windows import Now, bounds_of, constant
from stamgast.segments.live.plan import LivePlan

FIRST_DAY, LAST_DAY = 1, 3_652_059
Key = tuple[int, str]
"""A measure by its place in the plan, and the currency under which it is kept, or nothing."""
Timed = tuple[int, State]


class NotKnownError(Exception):
    """The items of this person do not hold what a rule asks for: the last run knows."""


@dataclass(slots=True)
class Counted:
    """What one or more anchors hold of each measure.

    `days` are sums by the ordinal of a day; `beside` are events that no day holds; `recent` are
    those that windows of hours look at, some of which a day holds too. `unknown` are the measures
    of which something is missing; with `is_full` a tail had no room for all events.
    """

    days: dict[Key, dict[int, State]] = field(default_factory=dict)
    beside: dict[Key, list[Timed]] = field(default_factory=dict)
    recent: dict[Key, list[Timed]] = field(default_factory=dict)
    unknown: set[int] = field(default_factory=set)
    is_full: bool = False


def together(parts: Iterable[Counted], plan: LivePlan) -> Counted:
    """What several anchors hold, as one."""
    listed = list(parts)
    if len(listed) == 1:
        return listed[0]
    whole = Counted()
    for part in listed:
        whole.unknown |= part.unknown
        whole.is_full |= part.is_full
        for key, states in part.days.items():
            _join_days(plan, key, whole.days.setdefault(key, {}), states)
        for mine, theirs in ((whole.beside, part.beside), (whole.recent, part.recent)):
            for key, timed in theirs.items():
                mine.setdefault(key, []).extend(timed)
    return whole


def _join_days(plan: LivePlan, key: Key, into: dict[int, State], of: Mapping[int, State]) -> None:
    function = plan.tracked[key[0]].measure.node.function
    for day, state in of.items():
        into[day] = joined(function, into[day], state) if day in into else state


class LiveHistory:
    """The history of a person from what the items hold, for readers of the language."""

    def __init__(self, plan: LivePlan, counted: Counted) -> None:
        self._plan, self._counted = plan, counted
        self._days: dict[int, int] = {}

    def measured(self, measure: Measure, view: View) -> Any:
        """The value at the view's moment; raises NotKnownError where something is missing."""
        function = measure.node.function
        state = EMPTY[function]
        for told in self._states(measure, view):
            state = joined(function, state, told)
        return result(function, state)

    def happened(self, funnel: Funnel, view: View) -> bool:
        """Whether the one step happened, or happened last."""
        did, *lacking = (self.measured(one, view) for one in self._ends_of(funnel))
        if not lacking:
            return bool(did)
        return did is not None and (lacking[0] is None or lacking[0] <= did)

    def days_of(self, measure: Measure, view: View) -> Iterator[date]:
        """Rhythms are told by runs; raises NotKnownError."""
        raise NotKnownError(measure.key, view.now.ms)

    def _ends_of(self, funnel: Funnel) -> tuple[Measure, ...]:
        ends = self._plan.ends.get(funnel.key)
        if ends is None:
            raise NotKnownError(funnel.key)
        return ends

    def _states(self, measure: Measure, view: View) -> Iterator[State]:
        place = self._plan.places.get(measure.key)
        if place is None or self._counted.is_full or place in self._counted.unknown:
            raise NotKnownError(measure.key)
        principal = view.principal if measure.node.is_principal else ""
        if principal is None:
            return
        key = (place, principal)
        if isinstance(measure.node.window, Hours):
            start, end = bounds_of(measure.node.window, view.now)
            for ms, state in self._counted.recent.get(key, ()):
                if start <= ms < end:
                    yield state
            return
        first, last = _span(measure, view.now)
        for day, state in self._counted.days.get(key, {}).items():
            if first <= day <= last:
                yield state
        for ms, state in self._counted.beside.get(key, ()):
            if ms <= view.now.ms and first <= self._day(ms, view.now) <= last:
                yield state

    def _day(self, ms: int, now: Now) -> int:
        if ms not in self._days:
            self._days[ms] = day_of(ms, now.zone).toordinal()
        return self._days[ms]


def _span(measure: Measure, now: Now) -> tuple[int, int]:
    today = now.today.toordinal()
    match measure.node.window:
        case Days(oldest, newest):
            return today - oldest, today - newest
        case Since(on):
            day = constant(on, now)
            return (day.toordinal() if isinstance(day, date) else LAST_DAY), today
    return FIRST_DAY, today
