"""A customer's own purchase rhythm, and the stage of life that follows from it on a given day.

How late somebody is depends on their own habit: two weeks of silence are nothing for a person who
comes monthly, and a drop for one who comes weekly. A rhythm is a function of the days with an
order alone; the stage is asked of a rhythm and a day, so that time alone can move it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

LEAST_GAPS = 3
LATE_PERCENT = 90
LATE_TIMES_USUAL = 2
LAPSED_TIMES_LATE = 3
LATE_DAYS = 60
LAPSED_DAYS = 365


class Stage(StrEnum):
    """Where in their life with the company a customer is."""

    PROSPECT = "prospect"
    NEW = "new"
    ACTIVE = "active"
    RETURNED = "returned"
    LATE = "late"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The habit in a person's days with an order; gaps are whole days between two of them.

    `usual_days` is the median gap and `late_after_days` how long a silence this person's habit
    explains; both are None below `LEAST_GAPS` gaps, when there is no habit to speak of.
    """

    order_days: int
    first_on: date
    last_on: date
    usual_days: int | None
    late_after_days: int | None
    has_returned: bool

    def late_since(self) -> date:
        """The first day on which silence is longer than the habit (or 60 days) explains."""
        return self.last_on + timedelta(days=1 + (self.late_after_days or LATE_DAYS))

    def lapsed_since(self) -> date:
        """The first day on which the customer counts as gone."""
        return self.last_on + timedelta(days=1 + lapsed_after(self.late_after_days))

    def stage(self, today: date) -> Stage:
        """The stage on a day of the workspace's time zone."""
        if today >= self.lapsed_since():
            return Stage.LAPSED
        if today >= self.late_since():
            return Stage.LATE
        if self.order_days == 1:
            return Stage.NEW
        return Stage.RETURNED if self.has_returned else Stage.ACTIVE

    def slowness(self, today: date) -> float | None:
        """The silence in usual gaps: 1.0 is when the next order is due; None without a habit."""
        elapsed = max(0, (today - self.last_on).days)
        return None if self.usual_days is None else elapsed / self.usual_days


def told_by(rhythm: Rhythm | None, today: date) -> dict[str, float | date | None]:
    """What rules may name of a rhythm on a day, under the names after `rhythm.`."""
    if rhythm is None:
        return {}
    late_after_days, usual_days = rhythm.late_after_days, rhythm.usual_days
    return {
        "order_days": float(rhythm.order_days),
        "usual_days": None if usual_days is None else float(usual_days),
        "late_after_days": None if late_after_days is None else float(late_after_days),
        "slowness": rhythm.slowness(today),
        "last_on": rhythm.last_on,
        "late_since": rhythm.late_since(),
        "lapsed_since": rhythm.lapsed_since(),
    }


def stage_of(rhythm: Rhythm | None, today: date) -> Stage:
    """The stage of anybody; who never ordered is a prospect."""
    return Stage.PROSPECT if rhythm is None else rhythm.stage(today)


def rhythm_of(days: Iterable[date]) -> Rhythm | None:
    """The rhythm in days with an order, in any order and number; None without one."""
    ordered = sorted(set(days))
    if not ordered:
        return None
    gaps = [(later - earlier).days for earlier, later in pairwise(ordered)]
    before = late_after(gaps[:-1])
    return Rhythm(
        len(ordered),
        ordered[0],
        ordered[-1],
        _usual(gaps),
        late_after(gaps),
        bool(gaps) and gaps[-1] > lapsed_after(before),
    )


def late_after(gaps: Sequence[int]) -> int | None:
    """The longer of twice the median gap and the 90th percentile: what a habit explains."""
    usual = _usual(gaps)
    if usual is None:
        return None
    return max(LATE_TIMES_USUAL * usual, nearest_rank(gaps, LATE_PERCENT))


def lapsed_after(late_after_days: int | None) -> int:
    """Three times what the habit explains; a year for somebody without a habit."""
    return LAPSED_DAYS if late_after_days is None else LAPSED_TIMES_LATE * late_after_days


def nearest_rank(values: Sequence[int], percent: int) -> int:
    """The smallest value that at least `percent` % do not exceed (Hyndman and Fan 1996, type 1)."""
    return sorted(values)[-(-percent * len(values) // 100) - 1]


def _usual(gaps: Sequence[int]) -> int | None:
    return nearest_rank(gaps, 50) if len(gaps) >= LEAST_GAPS else None
