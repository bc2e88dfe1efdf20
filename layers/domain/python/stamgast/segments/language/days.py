"""Days of a time zone as instants: the start of a day, the day of an instant, moving dates."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from stamgast.moments import moment_of, ms_of
from stamgast.segments.language.tree import Unit

UNIT_MS = {Unit.MINUTE: 60_000, Unit.HOUR: 3_600_000, Unit.DAY: 86_400_000, Unit.WEEK: 604_800_000}
_ONE = timedelta(days=1)


@lru_cache(maxsize=4_096)
def start_of(day: date, zone: ZoneInfo) -> int:
    """The first instant of a day in the zone, in milliseconds.

    Where clocks skip midnight that is the moment they do so; where midnight comes twice, the first.
    """
    return ms_of(datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC))


def day_of(ms: int, zone: ZoneInfo) -> date:
    """The day in the zone that an instant belongs to."""
    return moment_of(ms).astimezone(zone).date()


def moved_date(day: date, amount: int, unit: Unit) -> date | None:
    """The date so many days, weeks, months or years on; the last of a shorter month."""
    try:
        if unit in (Unit.DAY, Unit.WEEK):
            return day + timedelta(days=amount * (7 if unit is Unit.WEEK else 1))
        months = day.month - 1 + amount * (12 if unit is Unit.YEAR else 1)
        year, month = day.year + months // 12, months % 12 + 1
        return date(year, month, min(day.day, monthrange(year, month)[1]))
    except (ValueError, OverflowError):
        return None


def moved_moment(ms: int, amount: int, unit: Unit) -> int:
    """The instant so many minutes, hours, days of 24 hours, or weeks on."""
    return ms + amount * UNIT_MS[unit]
