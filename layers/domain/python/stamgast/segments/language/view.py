"""What a compiled rule looks at: one person's columns and events, at one moment."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from stamgast.segments.language.tree import Aggregate, Did, DidNotSince
from stamgast.segments.language.windows import Now

Reader = Callable[["View"], Any]
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """An aggregate with its readers; `key` is the same for all windows over the same events."""

    key: str
    node: Aggregate
    where: Reader | None
    of: Reader | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """A `did` with a reader for each of its steps; the last of DidNotSince is the lacking one."""

    key: str
    node: Did | DidNotSince
    steps: tuple[Reader, ...]


class History(Protocol):
    """A person's events, whole or summed up by days."""

    def measured(self, measure: Measure, view: "View") -> Any:
        """The value of an aggregate at the view's moment."""

    def happened(self, funnel: Funnel, view: "View") -> bool:
        """Whether the steps happened, at the view's moment."""

    def days_of(self, measure: Measure, view: "View") -> Iterable[date]:
        """The days in the view's zone with an event that the measure counts."""


@dataclass(slots=True)
class View:
    """One person at one moment.

    `columns` is a document: `{"traits": {…}, "orders": {…}, "last_at": milliseconds, …}`. `event`
    is the event that a filter is asked about, `is_in` what is known of segments, `memo` what was
    computed once for all rules.
    """

    columns: Document
    history: History
    now: Now
    is_in: dict[str, bool] = field(default_factory=dict)
    event: Document = field(default_factory=dict)
    memo: dict[str, Any] = field(default_factory=dict)
    today: date = field(init=False)

    def __post_init__(self) -> None:
        self.today = self.now.today

    @property
    def principal(self) -> str | None:
        """The person's principal currency."""
        orders = self.columns.get("orders")
        return orders.get("currency") if isinstance(orders, Mapping) else None
