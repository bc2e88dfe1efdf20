"""How long a workspace keeps what: days for each store, and for classes of properties."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

Path = tuple[str, ...]
PROPERTIES = "properties"


@dataclass(frozen=True, slots=True)
class PropertyClass:
    """Properties of one kind, such as places: events lose them after so many days."""

    name: str
    days: int
    paths: tuple[Path, ...]

    @property
    def is_shown(self) -> bool:
        """Whether timelines tell of it: they show properties alone."""
        return any(path[0] == PROPERTIES for path in self.paths)


@dataclass(frozen=True, slots=True)
class Retention:
    """Days by store (none: for good, or for as long as the platform keeps it), and the classes."""

    days: Mapping[str, int] = field(default_factory=dict)
    classes: tuple[PropertyClass, ...] = ()

    @property
    def is_idle(self) -> bool:
        """Whether nothing ends."""
        return not (self.days or self.classes)

    def before(self, store: str, today: date) -> date | None:
        """The first day that a store keeps whole; None where it keeps all."""
        days = self.days.get(store)
        return None if days is None else today - timedelta(days=days)

    def timeline_days(self, most: int) -> int:
        """How long timelines may show an event, at most so many days."""
        shown = (one.days for one in self.classes if one.is_shown)
        return min((most, *shown, *_told(self.days.get("events"))))


KEPT = Retention()


def retention_of(told: Mapping[str, Any]) -> Retention:
    """The retention that a compiled workspace tells."""
    days = {name: one for name, one in told.items() if isinstance(one, int)}
    return Retention(days, tuple(_classes(told.get(PROPERTIES, {}))))


def _classes(told: Mapping[str, Any]) -> Iterator[PropertyClass]:
    for name, one in sorted(told.items()):
        yield PropertyClass(name, one["days"], tuple(tuple(p.split(".")) for p in one["paths"]))


def _told(days: int | None) -> Iterable[int]:
    return () if days is None else (days,)
