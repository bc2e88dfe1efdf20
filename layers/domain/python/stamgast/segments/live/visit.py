"""One look at one person: who entered and who left by what is known now, and what that writes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from stamgast.consent.coverage import consent_of_traits, joined_words, silenced
from stamgast.identity.root import Root, RootState
from stamgast.profile.facts import NOTHING, Facts, merge
from stamgast.profile.reading import seen
from stamgast.profile.store import Pair
from stamgast.segments.changes import ENTERED, MembershipChange
from stamgast.segments.live.base import counted_of
from stamgast.segments.live.coverage import Coverage
from stamgast.segments.live.history import Counted, together
from stamgast.segments.live.plan import LivePlan
from stamgast.segments.live.standing import Standing, seen_by, turned
from stamgast.segments.live.store import Someone
from stamgast.segments.live.verdicts import Verdicts, verdicts_of

FACTS, RULE_CHANGED = "facts", "rule_changed"


@dataclass(frozen=True, slots=True)
class Decided:
    """What a run found to have changed; a fresh change has yet to be told."""

    change: MembershipChange
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Write:
    """A standing to be written in the place of what was read."""

    standing: Standing
    was: Standing | None


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at one person, whom a run may have decided on."""

    plan: LivePlan
    coverage: Coverage
    pairs: Mapping[str, Pair]
    person_id: str
    one: Someone
    decided: Sequence[Decided]
    now_ms: int
    heir: Root | None
    """The root that now stands for the person: the own one, or whose it was merged into."""

    @property
    def moved(self) -> frozenset[str]:
        """Whom the person was merged into, if anybody."""
        root = self.one.root
        return frozenset() if root is None or root.into is None else frozenset((root.into,))

    @property
    def is_silenced(self) -> bool | None:
        """Whether nothing may be told: the person is suppressed, or nobody is left to ask.

        None where a pair was torn or roots were, so that nothing can be said yet.
        """
        if self.heir is None:
            return True
        if self.heir.into is not None:
            return None
        pairs = {anchor: self.pairs[anchor] for anchor in self.heir.anchors}
        told = {anchor: seen(pair.live, pair.base) for anchor, pair in pairs.items()}
        facts = {anchor: one for anchor, one in told.items() if one is not None}
        if len(facts) < len(told):
            return None
        return silenced(consent_of_traits(joined_words(facts, facts))) is not None

    @property
    def untold(self) -> list[Standing]:
        """What stands untold: whoever wrote it ended before it could tell."""
        return [standing for standing in self.one.standings.values() if not standing.is_told]

    def writes(self) -> list[Write] | None:
        """What changes; None where a pair was torn, so that nothing can be said yet."""
        verdicts = self._verdicts()
        if verdicts is None:
            return None
        changes = [*self._changes(verdicts), *self._waited(verdicts)]
        return [self._write(change, is_news=is_news) for change, is_news in changes]

    def _verdicts(self) -> Verdicts | None:
        """What holds now; nothing for whom no root stands, None where a pair was torn."""
        root = self.one.root
        if root is None or root.state is not RootState.ACTIVE:
            return Verdicts()
        pairs = [self.pairs[anchor] for anchor in sorted(root.anchors)]
        facts = [seen(pair.live, pair.base) for pair in pairs]
        if any(one is None for one in facts):
            return None
        known = [one or NOTHING for one in facts]
        return verdicts_now(self.plan, self.person_id, known, pairs, self.coverage, self.now_ms)

    def _changes(self, verdicts: Verdicts) -> Iterator[tuple[MembershipChange, bool]]:
        """The changes that live verdicts make, each with whether it is to be told."""
        versions = {rule.name: rule.version for rule in self.plan.rules}
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
            version = versions[segment]
            asked = self.coverage.rules.get(segment, was.change.rule_version if was else version)
            because = FACTS if asked == version else RULE_CHANGED
            yield (
                MembershipChange(self.person_id, segment, kind, version, self.now_ms, because),
                True,
            )

    def _waited(self, verdicts: Verdicts) -> Iterator[tuple[MembershipChange, bool]]:
        """A run's changes of segments of which nothing is known live."""
        for one in self.decided:
            if one.change.segment not in verdicts.is_in:
                was = self.one.standings.get(one.change.segment)
                if turned(was, is_in=one.change.change == ENTERED) is not None:
                    yield one.change, one.is_fresh

    def _write(self, change: MembershipChange, *, is_news: bool) -> Write:
        was = self.one.standings.get(change.segment)
        return Write(Standing(change, self._seen(was), self.now_ms, not is_news), was)

    def _seen(self, was: Standing | None) -> int:
        """Who has no root any more is seen as before."""
        root = self.one.root
        if root is None:
            return (was.seen or 0) if was else 0
        return seen_by(root, [self.pairs[anchor] for anchor in root.anchors])


def verdicts_now(
    plan: LivePlan,
    person_id: str,
    facts: Sequence[Facts],
    pairs: Iterable[Pair],
    coverage: Coverage,
    now_ms: int,
) -> Verdicts:
    """What holds of a person now, by the items of all anchors."""
    counted = counted_now(plan, pairs, coverage)
    return verdicts_of(plan, person_id, reduce(merge, facts, NOTHING), counted, now_ms)


def counted_now(plan: LivePlan, pairs: Iterable[Pair], coverage: Coverage) -> Counted:
    """What the items of all anchors count, base and tail together."""
    return together([counted_of(p.live, p.base, plan, coverage) for p in pairs], plan)
