"""What a base keeps of measures, and what base and tail together say at a reader's moment."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson

from stamgast.profile.items import Base, Live, dropped
from stamgast.profile.live import TAIL_SIZE
from stamgast.segments.language.days import UNIT_MS, day_of
from stamgast.segments.language.partial import State, joined
from stamgast.segments.language.tree import Days, Hours, Lifetime, Since, Unit, Window
from stamgast.segments.language.windows import Now, constant
from stamgast.segments.live.coverage import Coverage
from stamgast.segments.live.history import FIRST_DAY, Counted, Key, Timed
from stamgast.segments.live.plan import LivePlan, Tracked
from stamgast.segments.live.states import packed, unpacked

MOST_STATES = 2_000
TOO_MANY = "!"
# Deflated; traits, counters and orders take up to three quarters of an item's 400 KB.
MOST_BYTES = 96 * 1024
SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sums:
    """One anchor's measures as a run finds them: sums of days, and events by their instants."""

    days: Mapping[Key, Mapping[int, State]] = field(default_factory=dict)
    timed: Mapping[Key, Iterable[Timed]] = field(default_factory=dict)


def measured_of(sums: Sums, plan: LivePlan, moment: Now) -> dict[str, Any]:
    """What a base published at a moment keeps: no day that no window will ask for.

    `sums.days` are of events up to the moment; `sums.timed` of those after it, and of those that
    the longest window of hours still sees.
    """
    found: dict[str, Any] = {}
    for place, tracked in enumerate(plan.tracked):
        node = tracked.measure.node
        first, keeps_rest = kept_from(tracked.windows, moment)
        for key in sorted({k for k in (*sums.days, *sums.timed) if k[0] == place}):
            days = _shortened(tracked, sums.days.get(key, {}), first, keeps_rest=keeps_rest)
            timed = sorted(sums.timed.get(key, ()), key=lambda one: one[0])
            if not days and not timed:
                continue
            told: Any = {
                "d": [[day, packed(node, state)] for day, state in sorted(days.items())],
                "t": [[ms, packed(node, state)] for ms, state in timed],
            }
            is_bounded = len(days) + len(timed) <= MOST_STATES
            found.setdefault(tracked.id, {})[key[1]] = told if is_bounded else TOO_MANY
    return _fitted(found)


def _fitted(measured: dict[str, Any]) -> dict[str, Any]:
    """Without the largest measures, where all together would outgrow their part of an item."""
    if len(orjson.dumps(measured)) <= MOST_BYTES:
        return measured
    sizes = {
        (name, currency): len(zlib.compress(orjson.dumps(told)))
        for name, by_currency in measured.items()
        for currency, told in by_currency.items()
    }
    room, kept = MOST_BYTES, set()
    for key in sorted(sizes, key=lambda key: (sizes[key], key)):
        room -= sizes[key]
        if room >= 0:
            kept.add(key)
    return {
        name: {
            currency: told if (name, currency) in kept else TOO_MANY
            for currency, told in by_currency.items()
        }
        for name, by_currency in measured.items()
    }


def kept_from(windows: Iterable[Window], now: Now) -> tuple[int, bool]:
    """The first day that is kept as itself, and whether what lies before it is kept as one sum."""
    first, keeps_rest = now.today + 2 * SLACK, False
    for window in windows:
        match window:
            case Days(oldest, _):
                first = min(first, now.today - timedelta(days=oldest) - SLACK)
            case Since(on):
                day = constant(on, now)
                first = min(first, day - SLACK) if isinstance(day, date) else first
            case Lifetime():
                keeps_rest = True
            case Hours():
                pass
    return first.toordinal(), keeps_rest


def _shortened(
    tracked: Tracked, days: Mapping[int, State], first: int, *, keeps_rest: bool
) -> dict[int, State]:
    function = tracked.measure.node.function
    kept: dict[int, State] = {}
    for day, state in days.items():
        if day < first and not keeps_rest:
            continue
        place = day if day >= first else FIRST_DAY
        kept[place] = joined(function, kept[place], state) if place in kept else state
    return kept


def counted_of(live: Live, base: Base, plan: LivePlan, coverage: Coverage) -> Counted:
    """What base and tail of one anchor hold of each measure of the plan."""
    counted = Counted()
    for place, tracked in enumerate(plan.tracked):
        if base.run and tracked.id not in coverage.since:
            counted.unknown.add(place)
        for currency, told in base.measured.get(tracked.id, {}).items():
            _take_base(counted, tracked, (place, currency), told, base.moment_ms)
    tail = dropped(live, base.run).tail
    counted.is_full = len(tail) >= TAIL_SIZE
    for digest in tail:
        if digest.plan != plan.id:
            counted.unknown.update(range(len(plan.tracked)))
        else:
            for place, currency, state in digest.told:
                node = plan.tracked[place].measure.node
                one = (digest.event_ms, unpacked(node, state))
                counted.beside.setdefault((place, currency), []).append(one)
                counted.recent.setdefault((place, currency), []).append(one)
    return counted


def measured_seen(live: Live, base: Base, plan: LivePlan, moment: Now) -> dict[str, Any] | None:
    """What a base would keep of all that a reader sees at a moment; None if something is missing.

    As if every measure were covered, for the run that asks will have covered them all.
    """
    everything = Coverage({tracked.id: 0 for tracked in plan.tracked})
    counted = counted_of(live, base, plan, everything)
    if counted.unknown or counted.is_full:
        return None
    days = {key: dict(states) for key, states in counted.days.items()}
    timed: dict[Key, list[Timed]] = {}
    for key, told in counted.beside.items():
        for one in told:
            if one[0] <= moment.ms:
                day = day_of(one[0], moment.zone).toordinal()
                function = plan.tracked[key[0]].measure.node.function
                states = days.setdefault(key, {})
                states[day] = joined(function, states[day], one[1]) if day in states else one[1]
            else:
                timed.setdefault(key, []).append(one)
    since = timed_from(plan, moment.ms)
    for key, told in counted.recent.items():
        if plan.tracked[key[0]].hours:
            timed.setdefault(key, []).extend(o for o in told if since <= o[0] <= moment.ms)
    return measured_of(Sums(days, timed), plan, moment)


def _take_base(counted: Counted, tracked: Tracked, key: Key, told: Any, moment_ms: int) -> None:
    if told == TOO_MANY:
        counted.unknown.add(key[0])
        return
    node = tracked.measure.node
    counted.days[key] = {day: unpacked(node, state) for day, state in told["d"]}
    timed = [(ms, unpacked(node, state)) for ms, state in told["t"]]
    counted.recent[key] = timed
    counted.beside[key] = [one for one in timed if one[0] > moment_ms]


def timed_from(plan: LivePlan, moment_ms: int) -> int:
    """From which instant on a base keeps events by themselves: the longest window of hours ago."""
    longest = max((tracked.hours for tracked in plan.tracked), default=0)
    return moment_ms - (longest + 1) * UNIT_MS[Unit.HOUR]
