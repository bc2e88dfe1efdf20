"""A person's events as a whole: every aggregate and funnel straight from them, any window."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from stamgast.segments.language.days import day_of
from stamgast.segments.language.partial import EMPTY, joined, one, result
from stamgast.segments.language.tree import Did, Lifetime
from stamgast.segments.language.view import Document, Funnel, Measure, Reader, View
from stamgast.segments.language.windows import Now, bounds_of


class EventHistory:
    """Events as documents, each message once, in any order.

    A document has `message_key`, `event_at` (milliseconds), `event`, `type`, `source`, `order`
    (`id`, `revenue`, `currency`) or None, `products` (lines) or None, `properties`, `campaign`,
    `page`, `context`.
    """

    def __init__(self, events: Sequence[Document]) -> None:
        self._events = sorted(events, key=_place)

    def measured(self, measure: Measure, view: View) -> Any:
        """The value of an aggregate at the view's moment."""
        function = measure.node.function
        state = EMPTY[function]
        principal = view.principal if measure.node.is_principal else None
        for event in self._within(*bounds_of(measure.node.window, view.now)):
            if measure.node.is_principal and currency_of(event) != principal:
                continue
            view.event = event
            if measure.where is None or measure.where(view) is True:
                value = None if measure.of is None else measure.of(view)
                told = one(function, event["event_at"], event["message_key"], value)
                state = joined(function, state, told)
        return result(function, state)

    def happened(self, funnel: Funnel, view: View) -> bool:
        """Whether the steps happened."""
        if isinstance(funnel.node, Did):
            return self._did(funnel.node, funnel.steps, view)
        did, lacking = funnel.steps
        done = self._latest(did, view, *bounds_of(funnel.node.window, view.now))
        since = self._latest(lacking, view, *bounds_of(Lifetime(), view.now))
        return done is not None and (since is None or since <= done)

    def days_of(self, measure: Measure, view: View) -> Iterator[date]:
        """The days of the events that the measure counts, repeating."""
        for event in self._within(*bounds_of(measure.node.window, view.now)):
            view.event = event
            if measure.where is None or measure.where(view) is True:
                yield day_of(event["event_at"], view.now.zone)

    def _did(self, node: Did, steps: Sequence[Reader], view: View) -> bool:
        """Each step keeps the latest start of a chain that it ended, strictly before an event."""
        latest: list[int | None] = [None] * len(steps)
        within = self._within(*bounds_of(node.window, view.now))
        for at, together in groupby(within, key=_at):
            ended: list[int | None] = [None] * len(steps)
            for event in together:
                view.event = event
                for place in [p for p, step in enumerate(steps) if step(view) is True]:
                    ended[place] = at if place == 0 else latest[place - 1]
            start = ended[-1]
            if start is not None and (node.within_ms is None or at - start <= node.within_ms):
                return True
            latest = [_later(old, new) for old, new in zip(latest, ended, strict=True)]
        return False

    def _latest(self, step: Reader, view: View, start: int, end: int) -> int | None:
        found = None
        for event in self._within(start, end):
            view.event = event
            if step(view) is True:
                found = event["event_at"]
        return found

    def _within(self, start: int, end: int) -> Iterator[Document]:
        return (event for event in self._events if start <= event["event_at"] < end)


def currency_of(event: Document) -> str | None:
    """The currency of the event's order; None without an order."""
    order = event.get("order")
    return None if order is None else order["currency"]


def _later(left: int | None, right: int | None) -> int | None:
    return left if right is None else right if left is None else max(left, right)


def _at(event: Document) -> int:
    at: int = event["event_at"]
    return at


def _place(event: Document) -> tuple[int, str]:
    return event["event_at"], event["message_key"]


def seen_at(columns: Document, events: Sequence[Document], now: Now) -> View:
    """A person with all events, at a moment."""
    return View(columns, EventHistory(events), now)
