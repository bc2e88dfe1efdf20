"""Live rules at work: who entered and who left, written if nobody saw more, told at least once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from stamgast.identity.root import Root
from stamgast.profile.store import MOST_TRIES, Pause, pause_seconds
from stamgast.segments.changes import MembershipChange
from stamgast.segments.live.look import Looks
from stamgast.segments.live.plan import LivePlan
from stamgast.segments.live.standing import Standing
from stamgast.segments.live.store import LiveStore, Someone
from stamgast.segments.live.visit import Decided, Visit, Write
from stamgast.store_error import StoreError

# As many as the bus takes at once: whom it does not tell of one, it is told of all again.
TOLD_AT_ONCE = 10
One = TypeVar("One")
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
    work on each item, several at a time where it can; `at_once` standings go to the store in one
    call where it lets them.
    """

    plan: LivePlan
    store: LiveStore
    tell: Tell
    now_ms: Callable[[], int]
    pause: Pause
    each: Each = map
    withhold: Tell = unnoted
    at_once: int = 1

    def settle(
        self,
        person_ids: Iterable[str],
        decided: Mapping[str, Sequence[Decided]] | None = None,
        run: int | None = None,
    ) -> Settled:
        """Brings the standings of these persons up to what is known now.

        `decided` are a run's changes by person: those of rules that wait for runs are taken as
        they are, and of live ones the moment and the id where the verdict is the same; `run` is
        its number. Whoever wrote looks once more, so that no one who saw less has the last word.
        """
        settled, waiting, looks = Settled(), set(person_ids), self._looks(run)
        for attempt in range(1, MOST_TRIES + 1):
            visits = self._visits(waiting, decided or {}, looks, is_first=attempt == 1)
            waiting = self._followed(visits, settled, looks)
            if not waiting:
                return settled
            if attempt > 1:
                self.pause(pause_seconds(attempt))
        settled.failed |= waiting
        return settled

    def _looks(self, run: int | None) -> Looks:
        return Looks(self.store, run)

    def _followed(self, visits: Sequence[Visit], settled: Settled, looks: Looks) -> set[str]:
        """One look at everybody; those to look at again, merged persons as who they went into."""
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
        told = [one for one in writes if _person(one.standing) not in settled.failed]
        looks.note(visits, made.write(told))
        return again - settled.failed

    def _visits(
        self,
        waiting: set[str],
        decided: Mapping[str, Sequence[Decided]],
        looks: Looks,
        *,
        is_first: bool,
    ) -> list[Visit]:
        coverage = self.store.coverage()
        people, pairs = looks.at(waiting, is_first=is_first)
        seen = (self.plan, coverage, pairs)
        return [
            Visit(*seen, who, people[who], decided.get(who, ()), self.now_ms(), _heir(who, people))
            for who in sorted(waiting)
        ]


@dataclass(frozen=True, slots=True)
class _Round:
    """What is written and told after one look at everybody, many at a time."""

    rules: LiveRules
    settled: Settled
    visits: Mapping[str, Visit]

    def write(self, writes: Sequence[Write]) -> dict[str, set[str]]:
        """Writes standings whose places nobody changed meanwhile, and tells what is news.

        Returns the segments by person, of those of whom everything was written.
        """
        new = [one for one in writes if one.was is None]
        known = [one for one in writes if one.was is not None]
        shares = list(_pages(new, self.rules.at_once))
        inserted = [is_done for told in self.rules.each(self._put_new, shares) for is_done in told]
        done = [*inserted, *self.rules.each(self._put, known)]
        told = list(zip([*new, *known], done, strict=True))
        written = [one.standing for one, is_done in told if is_done]
        self.settled.changed += len(written)
        self.tell([standing for standing in written if not standing.is_told])
        refused = {_person(one.standing) for one, is_done in told if not is_done}
        return _segments([one for one in written if _person(one) not in refused])

    def tell(self, standings: Sequence[Standing]) -> None:
        """Tells of each change that this settling has not told, and notes what the bus took."""
        told = self.settled.told
        left = [standing for standing in standings if standing.change.change_id not in told]
        silenced = {who: self.visits[who].is_silenced for who in set(map(_person, left))}
        for way, is_silenced in ((self.rules.tell, False), (self.rules.withhold, True)):
            self._take(way, [one for one in left if silenced[_person(one)] is is_silenced])
        taken = [one for one in standings if one.change.change_id in told]
        list(self.rules.each(self._mark, list(_pages(taken, self.rules.at_once))))

    def _take(self, way: Tell, standings: Sequence[Standing]) -> None:
        for some in _pages(standings, TOLD_AT_ONCE):
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

    def _put_new(self, some: Sequence[Write]) -> Sequence[bool]:
        if len(some) == 1:
            return [self._put(some[0])]
        try:
            return self.rules.store.insert_standings([one.standing for one in some])
        except StoreError:
            self.settled.failed.update(_person(one.standing) for one in some)
            return [False] * len(some)

    def _mark(self, some: Sequence[Standing]) -> None:
        store = self.rules.store
        try:
            if len(some) == 1:
                store.mark_told(some[0])
            else:
                store.mark_all_told(some)
        except StoreError:
            self.settled.failed.update(map(_person, some))


def _heir(person_id: str, people: Mapping[str, Someone]) -> Root | None:
    """The root that stands for a person, at the end of all merges that these reads saw."""
    root = people[person_id].root
    for _ in people:
        if root is not None and root.into is not None:
            root = people[root.into].root
    return root


def _person(standing: Standing) -> str:
    return standing.change.person_id


def _segments(standings: Iterable[Standing]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in standings:
        found.setdefault(_person(one), set()).add(one.change.segment)
    return found


def _pages(many: Sequence[One], size: int) -> Iterator[Sequence[One]]:
    return (many[n : n + size] for n in range(0, len(many), size))
