"""A person's events summed up by days: what lets live rules answer without reading events.

The state of a measure is kept for each day in the workspace's time zone, so every window of whole
days is a sum of days, exactly, however late an event comes. Windows of hours and funnels are
answered from the recent events themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from stamgast.segments.language.days import day_of
from stamgast.segments.language.history import EventHistory, currency_of
from stamgast.segments.language.partial import EMPTY, State, joined, one, result
from stamgast.segments.language.reading import measure_of
from stamgast.segments.language.rules import nodes_of
from stamgast.segments.language.tree import Aggregate, Days, Hours, Lifetime, Node, Since
from stamgast.segments.language.view import Document, Funnel, Measure, View
from stamgast.segments.language.windows import Now, constant

FIRST_DAY, LAST_DAY = 1, 3_652_059
DayStates = Mapping[str, Mapping[int, State]]


def measures_of(trees: Iterable[Node]) -> dict[str, Measure]:
    """Every measure that rules need, by its key; those that differ in window alone are one."""
    found = {}
    for tree in trees:
        for node in nodes_of(tree):
            if isinstance(node, Aggregate):
                measure = measure_of(replace(node, window=Lifetime()))
                found[measure.key] = measure
    return found


def bucket_key(measure: Measure, event: Document) -> str:
    """Under which key an event counts; what is of one currency is kept by currency."""
    return f"{measure.key}|{currency_of(event)}" if measure.node.is_principal else measure.key


def added(
    days: DayStates, measures: Iterable[Measure], events: Sequence[Document], view: View
) -> dict[str, dict[int, State]]:
    """The states with some more events in them, none of which may be in them already.

    Days are ordinals of dates. Nothing of the view but its zone is used.
    """
    found = {key: dict(states) for key, states in days.items()}
    listed = list(measures)
    for event in events:
        view.event = event
        day = day_of(event["event_at"], view.now.zone).toordinal()
        for measure in listed:
            if measure.where is None or measure.where(view) is True:
                _put(found, measure, event, day, view)
    return found


def _put(
    days: dict[str, dict[int, State]], measure: Measure, event: Document, day: int, view: View
) -> None:
    function = measure.node.function
    value = None if measure.of is None else measure.of(view)
    told = one(function, event["event_at"], event["message_key"], value)
    states = days.setdefault(bucket_key(measure, event), {})
    states[day] = joined(function, states.get(day, EMPTY[function]), told)


class DayBuckets:
    """A history of day states, with the recent events for windows of hours and for funnels.

    A day that is not over counts whole: events after now must not be among the states.
    """

    def __init__(self, days: DayStates, recent: Sequence[Document] = ()) -> None:
        self._days = days
        self._recent = EventHistory(recent)

    def measured(self, measure: Measure, view: View) -> object:
        """The value of an aggregate at the view's moment."""
        if isinstance(measure.node.window, Hours):
            return self._recent.measured(measure, view)
        function = measure.node.function
        key = f"{measure.key}|{view.principal}" if measure.node.is_principal else measure.key
        first, last = _span(measure, view.now)
        state = EMPTY[function]
        for day, told in self._days.get(key, {}).items():
            if first <= day <= last:
                state = joined(function, state, told)
        return result(function, state)

    def happened(self, funnel: Funnel, view: View) -> bool:
        """Whether the steps happened, as far back as recent events go."""
        return self._recent.happened(funnel, view)

    def days_of(self, measure: Measure, view: View) -> Iterable[date]:
        """The days on which the measure counted something, as far back as recent events go."""
        return self._recent.days_of(measure, view)


def _span(measure: Measure, now: Now) -> tuple[int, int]:
    today = now.today.toordinal()
    match measure.node.window:
        case Days(oldest, newest):
            return today - oldest, today - newest
        case Since(on):
            day = constant(on, now)
            return (day.toordinal() if isinstance(day, date) else LAST_DAY), today
    return FIRST_DAY, today
