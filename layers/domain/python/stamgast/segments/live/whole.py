"""A person's events as the live items count them, and as documents where the items do not know."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from stamgast.segments.language.history import EventHistory
from stamgast.segments.language.view import Funnel, Measure, View
from stamgast.segments.live.history import LiveHistory, NotKnownError


class WholeHistory:
    """What live rules count is what they count; everything else is told by the documents.

    The documents may lack what only the items have: of an event since the last run they are what
    the timeline keeps of it.
    """

    def __init__(self, live: LiveHistory, events: EventHistory) -> None:
        self._live, self._events = live, events

    def measured(self, measure: Measure, view: View) -> Any:
        """The value of an aggregate at the view's moment."""
        try:
            return self._live.measured(measure, view)
        except NotKnownError:
            return self._events.measured(measure, view)

    def happened(self, funnel: Funnel, view: View) -> bool:
        """Whether the steps happened, at the view's moment."""
        try:
            return self._live.happened(funnel, view)
        except NotKnownError:
            return self._events.happened(funnel, view)

    def days_of(self, measure: Measure, view: View) -> Iterable[date]:
        """The days of the events that the measure counts, repeating."""
        return self._events.days_of(measure, view)
