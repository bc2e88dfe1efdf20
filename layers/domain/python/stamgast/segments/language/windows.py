"""The instants between which a window lies, at a moment and in a time zone."""

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from stamgast.segments.language.days import (
    UNIT_MS,
    day_of,
    moved_date,
    moved_moment,
    start_of,
)
from stamgast.segments.language.tree import (
    As,
    Clock,
    Days,
    Hours,
    Literal,
    Node,
    Shift,
    Since,
    Type,
    Unit,
    Window,
)

BEFORE_ALL_MS = -(2**62)


@dataclass(frozen=True, slots=True)
class Now:
    """The moment at which rules are asked, and the zone whose days they mean."""

    ms: int
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The day of the moment in the zone."""
        return day_of(self.ms, self.zone)


def bounds_of(window: Window, now: Now) -> tuple[int, int]:
    """The window as [start, end) in milliseconds; nothing after now is in any window."""
    end = now.ms + 1
    match window:
        case Days(oldest, newest):
            start = start_of(now.today - timedelta(days=oldest), now.zone)
            if newest > 0:
                end = start_of(now.today - timedelta(days=newest - 1), now.zone)
            return start, end
        case Hours(hours):
            return now.ms + 1 - hours * UNIT_MS[Unit.HOUR], end
        case Since(on):
            day = constant(on, now)
            return (end, end) if not isinstance(day, date) else (start_of(day, now.zone), end)
    return BEFORE_ALL_MS, end


def constant(node: Node, now: Now) -> date | int | None:
    """The date, or the moment in milliseconds, of a node made of clocks, literals and shifts."""
    match node:
        case Clock():
            return now.ms if node.type is Type.MOMENT else now.today
        case Literal():
            return _literal(node)
        case As():
            return _as(node.type, constant(node.of, now), now.zone)
        case Shift():
            of = constant(node.of, now)
            if isinstance(of, date):
                return moved_date(of, node.amount, node.unit)
            return None if of is None else moved_moment(of, node.amount, node.unit)
    raise TypeError(f"{type(node).__name__} is not constant")


def _literal(node: Literal) -> date | int | None:
    if isinstance(node.value, date):
        return node.value
    return int(node.value) if isinstance(node.value, float) else None


def _as(kind: Type, of: date | int | None, zone: ZoneInfo) -> date | int | None:
    if of is None:
        return None
    if kind is Type.DATE:
        return of if isinstance(of, date) else day_of(of, zone)
    return start_of(of, zone) if isinstance(of, date) else of
