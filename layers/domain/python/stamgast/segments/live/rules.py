"""Live rules at work: who entered and who left, written if nobody saw more, told at least once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from stamgast.identity.root import Root
from stamgast.profile.store import MOST_TRIES, Pause, pause_seconds
from stamgast.segments.changes import MembershipChange
from stamgast.segments.live.plan import LivePlan
from stamgast.segments.live.standing import Standing
from stamgast.segments.live.store import LiveStore, Someone
from stamgast.segments.live.visit import Decided, Visit, Write
from stamgast.store_error import StoreError

# As many as the bus takes at once: whom it does not tell of one, it is told of all again.
TOLD_AT_ONCE = 10
Tell = Callable[[Sequence[MembershipChange]], int]
Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


def unnoted(_: Sequence[MembershipChange]) -> int:
    """Keeps no note of changes that may not be told; none of them comes again."""
    return 0


@dataclass(slots=True)
class Settled:
    """How many changes were made, which were told, and with whom something was left undone."""

    changed: int = 0
    told: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class LiveRules:
    """Evaluates persons and settles where they stand; time, waiting and stores are handed in.

    Of whom nothing may be told `withhold` takes the changes in the place of `tell`. `each` does
    work on each item, several at a time where it can.
    """

    plan: LivePlan
    store: LiveStore
    tell: Tell
    now_ms: Callable[[], int]
    pause: Pause
    each: Each = map
    withhold: Tell = unnoted

    def settle(
        self,
        person_ids: Iterable[str],
        decided: Mapping[str, Sequence[Decided]] | None = None,
    ) -> Settled:
        """Brings the standings of these persons up to what is known now.

        `decided` are a run's changes by person: those of rules that wait for runs are taken as
        they are, and of live ones the moment and the id where the verdict is the same. Whoever
        wrote looks once more, so that no one who saw less has the last word.
        """
        settled, waiting = Settled(), set(person_ids)
        for attempt in range(1, MOST_TRIES + 1):
            waiting = self._followed(waiting, settled, decided or {})
            if not waiting:
                return settled
            if attempt > 1:
                self.pause(pause_seconds(attempt))
        settled.failed |= waiting
        return settled

    def _followed(
        self, waiting: set[str], settled: Settled, decided: Mapping[str, Sequence[Decided]]
    ) -> set[str]:
        """One look at everybody; those to look at again, merged persons as who they went into."""
        visits = self._visits(waiting, decided)
        made = _Round(self, settled, {visit.person_id: visit for visit in visits})
        made.tell([standing for visit in visits for standing in visit.untold])
        again: set[str] = {person_id for visit in visits for person_id in visit.moved}
        again |= {one.person_id for one in visits if one.untold and one.is_silenced is None}
        writes: list[Write] = []
        for visit in visits:
            found = visit.writes()
            if found is None or found:
                again.add(visit.person_id)
            writes += found or ()
        made.write([one for one in writes if _person(one.standing) not in settled.failed])
        return again - settled.failed

    def _visits(self, waiting: set[str], decided: Mapping[str, Sequence[Decided]]) -> list[Visit]:
        coverage = self.store.coverage()
        people = self._people(waiting)
        anchors = {a for one in people.values() if one.root for a in one.root.anchors}
        pairs = self.store.read(sorted(anchors))
        seen = (self.plan, coverage, pairs)
        return [
            Visit(*seen, who, people[who], decided.get(who, ()), self.now_ms(), _heir(who, people))
            for who in sorted(waiting)
        ]

    def _people(self, wanted: Iterable[str]) -> dict[str, Someone]:
        """These persons, and all whom any of them was merged into."""
        found: dict[str, Someone] = {}
        while missing := set(wanted) - found.keys():
            found |= self.store.people(sorted(missing))
            wanted = {one.root.into for one in found.values() if one.root and one.root.into}
        return found


@dataclass(frozen=True, slots=True)
class _Round:
    """What is written and told after one look at everybody, many at a time."""

    rules: LiveRules
    settled: Settled
    visits: Mapping[str, Visit]

    def write(self, writes: Sequence[Write]) -> None:
        """Writes standings whose places nobody changed meanwhile, and tells what is news."""
        done = list(self.rules.each(self._put, writes))
        written = [one.standing for one, is_done in zip(writes, done, strict=True) if is_done]
        self.settled.changed += len(written)
        self.tell([standing for standing in written if not standing.is_told])

    def tell(self, standings: Sequence[Standing]) -> None:
        """Tells of each change that this settling has not told, and notes what the bus took."""
        told = self.settled.told
        left = [standing for standing in standings if standing.change.change_id not in told]
        silenced = {who: self.visits[who].is_silenced for who in set(map(_person, left))}
        for way, is_silenced in ((self.rules.tell, False), (self.rules.withhold, True)):
            self._take(way, [one for one in left if silenced[_person(one)] is is_silenced])
        list(self.rules.each(self._mark, [s for s in standings if s.change.change_id in told]))

    def _take(self, way: Tell, standings: Sequence[Standing]) -> None:
        for some in _pages(standings):
            if way([standing.change for standing in some]):
                self.settled.failed.update(map(_person, some))
            else:
                self.settled.told.update(standing.change.change_id for standing in some)

    def _put(self, one: Write) -> bool:
        try:
            return self.rules.store.put_standing(one.standing, one.was)
        except StoreError:
            self.settled.failed.add(_person(one.standing))
            return False

    def _mark(self, standing: Standing) -> None:
        try:
            self.rules.store.mark_told(replace(standing, is_told=True))
        except StoreError:
            self.settled.failed.add(_person(standing))


def _heir(person_id: str, people: Mapping[str, Someone]) -> Root | None:
    """The root that stands for a person, at the end of all merges that these reads saw."""
    root = people[person_id].root
    for _ in people:
        if root is not None and root.into is not None:
            root = people[root.into].root
    return root


def _person(standing: Standing) -> str:
    return standing.change.person_id


def _pages(standings: Sequence[Standing]) -> Iterator[Sequence[Standing]]:
    starts = range(0, len(standings), TOLD_AT_ONCE)
    return (standings[n : n + TOLD_AT_ONCE] for n in starts)
