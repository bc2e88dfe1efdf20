"""Live rules at work: who entered and who left, written if nobody saw more, told at least once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from stamgast.identity.root import Root, RootState
from stamgast.profile.facts import NOTHING, Facts, merge
from stamgast.profile.reading import seen
from stamgast.profile.store import MOST_TRIES, Pair, Pause, pause_seconds
from stamgast.segments.changes import ENTERED, MembershipChange
from stamgast.segments.live.base import counted_of
from stamgast.segments.live.coverage import Coverage
from stamgast.segments.live.history import together
from stamgast.segments.live.plan import LivePlan
from stamgast.segments.live.standing import Standing, seen_by, turned
from stamgast.segments.live.store import LiveStore, Someone
from stamgast.segments.live.verdicts import Verdicts, verdicts_of
from stamgast.store_error import StoreError

FACTS, RULE_CHANGED = "facts", "rule_changed"
Tell = Callable[[Sequence[MembershipChange]], int]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a run found to have changed; a fresh change has yet to be told."""

    change: MembershipChange
    is_fresh: bool


@dataclass(slots=True)
class Settled:
    """How many changes were made, which were told, and with whom something was left undone."""

    changed: int = 0
    told: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class LiveRules:
    """Evaluates persons and settles where they stand; time, waiting and stores are handed in."""

    plan: LivePlan
    store: LiveStore
    tell: Tell
    now_ms: Callable[[], int]
    pause: Pause

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
        coverage = self.store.coverage()
        people = self.store.people(sorted(waiting))
        anchors = {a for one in people.values() if one.root for a in one.root.anchors}
        pairs = self.store.read(sorted(anchors))
        again: set[str] = set()
        for person_id, one in people.items():
            visit = _Visit(self, person_id, one, coverage, pairs, decided.get(person_id, ()))
            try:
                again |= visit.settle(settled)
            except StoreError:
                settled.failed.add(person_id)
        return again


@dataclass(frozen=True, slots=True)
class _Visit:
    """One look at one person."""

    rules: LiveRules
    person_id: str
    one: Someone
    coverage: Coverage
    pairs: Mapping[str, Pair]
    decided: Sequence[Decided]

    def settle(self, settled: Settled) -> set[str]:
        """Writes and tells what changed; the persons to look at again."""
        root = self.one.root
        moved = {root.into} if root is not None and root.into is not None else set()
        verdicts = self._verdicts(root)
        if verdicts is None:
            return {self.person_id}
        changes = [*self._changes(verdicts), *self._decided(verdicts)]
        is_written = [self._write(change, settled) for change in changes]
        self._tell_again(settled)
        return {*moved, *({self.person_id} if is_written else ())} - settled.failed

    def _verdicts(self, root: Root | None) -> Verdicts | None:
        """What holds now; nothing for whom no root stands, None where a pair was torn."""
        if root is None or root.state is not RootState.ACTIVE:
            return Verdicts()
        pairs = [self.pairs[anchor] for anchor in sorted(root.anchors)]
        facts = [seen(pair.live, pair.base) for pair in pairs]
        if any(one is None for one in facts):
            return None
        return verdicts_now(
            self.rules.plan,
            self.person_id,
            [one or NOTHING for one in facts],
            pairs,
            self.coverage,
            self.rules.now_ms(),
        )

    def _changes(self, verdicts: Verdicts) -> Iterable[tuple[MembershipChange, bool]]:
        """The changes that live verdicts make, each with whether it is to be told."""
        versions = {rule.name: rule.version for rule in self.rules.plan.rules}
        run_made = {d.change.segment: d for d in self.decided}
        for segment, is_in in verdicts.is_in.items():
            was = self.one.standings.get(segment)
            kind = turned(was, is_in=is_in)
            if kind is None:
                continue
            same = run_made.get(segment)
            if same is not None and same.change.change == kind:
                yield same.change, same.is_fresh
                continue
            is_same_rule = was is None or was.change.rule_version == versions[segment]
            because = FACTS if is_same_rule else RULE_CHANGED
            version, now_ms = versions[segment], self.rules.now_ms()
            change = MembershipChange(self.person_id, segment, kind, version, now_ms, because)
            yield change, True

    def _decided(self, verdicts: Verdicts) -> Iterable[tuple[MembershipChange, bool]]:
        """A run's changes of segments of which nothing is known live."""
        for one in self.decided:
            if one.change.segment not in verdicts.is_in:
                was = self.one.standings.get(one.change.segment)
                if turned(was, is_in=one.change.change == ENTERED) is not None:
                    yield one.change, one.is_fresh

    def _write(self, change: tuple[MembershipChange, bool], settled: Settled) -> bool:
        """Whether the person is to be looked at again: after every try to write."""
        made, is_news = change
        was = self.one.standings.get(made.segment)
        if was is not None and not was.is_told and not self._tell(was, settled):
            return False
        standing = Standing(made, self._seen(was), self.rules.now_ms(), not is_news)
        if self.rules.store.put_standing(standing, was):
            settled.changed += 1
            if is_news:
                self._tell(standing, settled)
        return True

    def _seen(self, was: Standing | None) -> int:
        """Who has no root any more is seen as before."""
        root = self.one.root
        if root is None:
            return (was.seen or 0) if was else 0
        return seen_by(root, [self.pairs[anchor] for anchor in root.anchors])

    def _tell_again(self, settled: Settled) -> None:
        """Tells what stands untold: whoever wrote it ended before it could."""
        for standing in self.one.standings.values():
            if not standing.is_told:
                self._tell(standing, settled)

    def _tell(self, standing: Standing, settled: Settled) -> bool:
        if standing.change.change_id not in settled.told:
            if self.rules.tell([standing.change]):
                settled.failed.add(self.person_id)
                return False
            settled.told.add(standing.change.change_id)
        if not standing.is_told:
            self.rules.store.mark_told(replace(standing, is_told=True))
        return True


def verdicts_now(
    plan: LivePlan,
    person_id: str,
    facts: Sequence[Facts],
    pairs: Iterable[Pair],
    coverage: Coverage,
    now_ms: int,
) -> Verdicts:
    """What holds of a person now, by the items of all anchors."""
    counted = together([counted_of(p.live, p.base, plan, coverage) for p in pairs], plan)
    return verdicts_of(plan, person_id, reduce(merge, facts, NOTHING), counted, now_ms)
