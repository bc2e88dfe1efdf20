"""What live rules cost: write units an event beside none, and time a person and an event.

The stream of `bench.write_units` walks the real loop, with the live rules of the worked example and
a run after each day; the times are of a hundred rules (thirty of them counts in windows). CPU time,
the best of 9 rounds. Run: python -m bench.live_rules
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from bench.segment_rules import KINDS, NAMES, rules
from bench.write_units import DAYS, Stream
from stamgast.identity.event import Event
from stamgast.identity.interpret import interpret
from stamgast.identity.settings import DEFAULT
from stamgast.profile.facts import facts_of, fold, merge
from stamgast.profile.items import Base, Live
from stamgast.profile.live import contribution_of
from stamgast.raw.unfold import unfold
from stamgast.segments.language.days import day_of
from stamgast.segments.language.partial import joined
from stamgast.segments.language.windows import Now
from stamgast.segments.live.base import Sums, counted_of, measured_of
from stamgast.segments.live.coverage import Coverage
from stamgast.segments.live.freshness import rules_that_wait
from stamgast.segments.live.plan import LivePlan, plan_of
from stamgast.segments.live.rules import LiveRules
from stamgast.segments.live.states import unpacked
from stamgast.segments.live.verdicts import verdicts_of
from stamgast.workspace.compiler import compile_files
from stamgast.workspace.model import Workspace, workspace_of
from stamgast_aws.live_store import DynamoLiveStore
from tests.fakes.live_batches import NOON_MS, order, receipt
from tests.fakes.live_loops import KEYS, no_pause

FOLDER = Path(__file__).parents[1] / "workspace"
ROUNDS, CALLS = 9, 40


class Inline:
    """An executor that works where it is asked."""

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """The work done on each item."""
        return [work(item) for item in items]


def example() -> LivePlan:
    """The live rules and traits of the worked example."""
    files = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.yaml")}
    return plan_of(workspace_of(compile_files(files)))


def hundred() -> LivePlan:
    """The hundred rules, but for those that RFM decides."""
    listed = rules()
    waits = rules_that_wait(listed, {})
    told = tuple({**rule.document, "live": waits[rule.name] is None} for rule in listed)
    return plan_of(Workspace("1", "Europe/Amsterdam", {}, DEFAULT, segments=told))


class LiveStream(Stream):
    """The stream with live rules; who enters or leaves is told to nobody in particular."""

    def __init__(self, events_a_message: int, plan: LivePlan) -> None:
        super().__init__(events_a_message)
        store = DynamoLiveStore(self.meter, "profiles", Inline(), no_pause)  # type: ignore[arg-type]
        now = self._now
        self.loop.live = LiveRules(plan, store, lambda _: 0, now, no_pause)
        self.today = 0

    def day(self, day: int) -> None:
        """One day's batches, and the run after it."""
        self.today = day
        super().day(day)

    def _now(self) -> int:
        return NOON_MS + self.today * 86_400_000 + 43_200_000


def units(plan: LivePlan) -> None:
    """Write units an event in the second week, without live rules and with."""
    print(f"\nWrite units an event, second week; {len(plan.rules)} live rules of the example")
    for events_a_message in (1, 2, 5):
        told = []
        for stream in (Stream(events_a_message), LiveStream(events_a_message, plan)):
            for day in range(DAYS):
                if day == DAYS // 2:
                    before = stream.figures()
                stream.day(day)
            week = stream.figures() - before
            told.append((sum(week.spent.values()) / week.events, week.spent["live"] / week.events))
        (bare, bare_live), (full, full_live) = told
        print(
            f"{events_a_message} a person and batch: all {bare:.2f} -> {full:.2f},"
            f" of it live items {bare_live:.2f} -> {full_live:.2f}"
        )


def best(work: Callable[[], object]) -> float:
    """Seconds of CPU for one call, the best of the rounds."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(CALLS):
            work()
        found.append((time.process_time() - began) / CALLS)
    return min(found)


def events_of(count: int) -> list[Event]:
    """Orders and views of one person, a few hours apart."""
    from stamgast.ingestion.accept import accept

    found = []
    for n in range(count):
        body = order(f"m{n}", "u", 10 + n, category=KINDS[n % 6])
        body |= {"event": NAMES[n % 6], "timestamp": NOON_MS - n * 7 * 3_600_000}
        raw, _ = unfold(accept([body], receipt(f"r{n}")))
        found.append(interpret(raw[0], DEFAULT, KEYS))
    return found


def sums_of(plan: LivePlan, events: Sequence[Event]) -> Sums:
    """What a run finds of events."""
    days: Any = defaultdict(dict)
    for event in events:
        day = day_of(event.event_ms, plan.zone).toordinal()
        for place, currency, told in plan.told_of(event):
            node = plan.tracked[place].measure.node
            states, state = days[place, currency], unpacked(node, told)
            states[day] = joined(node.function, states[day], state) if day in states else state
    return Sums(days)


def times(plan: LivePlan) -> None:
    """Milliseconds a person and microseconds an event."""
    events = events_of(424)
    old, fresh = events[12:], events[:12]
    now = Now(NOON_MS, ZoneInfo("Europe/Amsterdam"))
    facts = facts_of(old[0])
    for event in old[1:]:
        facts = merge(facts, facts_of(event))
    measured = orjson.loads(orjson.dumps(measured_of(sums_of(plan, old), plan, now)))
    base = Base(1, 0, NOON_MS - 3_600_000, facts, measured)
    live = Live(tail=tuple(contribution_of(event, plan).digest for event in fresh))
    covered = Coverage({tracked.id: 1 for tracked in plan.tracked}, 1, NOON_MS)

    def person() -> object:
        counted = counted_of(live, base, plan, covered)
        return verdicts_of(plan, "p", fold(facts, live.tail), counted, now.ms)

    spent = best(person) * 1_000
    print(
        f"\nOne person of {len(events)} events, {len(plan.rules)} live rules over"
        f" {len(plan.tracked)} measures: {spent:.2f} ms"
    )
    each = best(lambda: [plan.told_of(event) for event in fresh]) / len(fresh) * 1e6
    size = len(orjson.dumps(measured))
    print(f"One event under {len(plan.tracked)} measures: {each:.1f} µs; a base of {size:,} bytes")


def main() -> None:
    """Prints the figures."""
    units(example())
    times(hundred())


if __name__ == "__main__":
    main()
