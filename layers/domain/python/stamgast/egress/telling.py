"""Changes of membership on their way out: of nobody who is suppressed or lacks the purpose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stamgast.consent.coverage import NOTHING_SAID, coverage_of, silenced
from stamgast.consent.purposes import Purposes, Use
from stamgast.egress.decision import Decision, LivePerson, LivePersons, Why, decided_now
from stamgast.egress.disclosure import Disclosure
from stamgast.segments.changes import MembershipChange
from stamgast.store_error import StoreError

FIELDS = ("person_id", "segment", "change", "rule_version", "at")
Tell = Callable[[Sequence[MembershipChange]], int]


@dataclass(frozen=True, slots=True)
class ConsentedTelling:
    """Tells those changes that may be told, each decision kept before it is acted upon.

    `stated` is the purpose of each segment that states one; the others are told of whoever is not
    suppressed, which is a decision as well.
    `keep` raises StoreError for what it could not keep, and then nobody is told. A change that may
    not be told counts as told.
    """

    tell: Tell
    persons: LivePersons
    stated: Mapping[str, str]
    purposes: Purposes
    keep: Callable[[Sequence[tuple[str, Disclosure]]], None]
    now_ms: Callable[[], int]
    recipient: str

    def __call__(self, changes: Sequence[MembershipChange]) -> int:
        """Asks of everybody; how many changes were not taken."""
        return self._told(changes, changes)

    def of_unsilenced(self, changes: Sequence[MembershipChange]) -> int:
        """The same of persons who were just seen not to be suppressed: asks for purposes alone."""
        asked = [change for change in changes if change.segment in self.stated]
        free = [change for change in changes if change.segment not in self.stated]
        return self._told(changes, asked, free)

    def withhold(self, changes: Sequence[MembershipChange]) -> int:
        """Keeps that these were not told, of persons suppressed or gone; how many it could not."""
        return self._told([], changes)

    def _told(
        self,
        changes: Sequence[MembershipChange],
        asked: Sequence[MembershipChange],
        free: Sequence[MembershipChange] = (),
    ) -> int:
        """Tells of `changes` what may be told; of the `free` ones nothing needs to be read."""
        try:
            decided, due = [*self._decided_of(asked), *map(_unstated, free)], set(changes)
            kept = [(one, told) for one, told in decided if one in due or not told.is_allowed]
            self.keep([(one.change_id, self._noted(one, told)) for one, told in kept])
        except StoreError:
            return len(asked) + len(free)
        refused = {one for one, told in decided if not told.is_allowed}
        return self.tell([change for change in changes if change not in refused])

    def _decided_of(
        self, asked: Sequence[MembershipChange]
    ) -> list[tuple[MembershipChange, Decision]]:
        live = self._live(asked)
        return [(one, self._decided(one, live.get(one.person_id))) for one in asked]

    def _live(self, asked: Sequence[MembershipChange]) -> Mapping[str, LivePerson]:
        people = sorted({change.person_id for change in asked})
        return self.persons.read(people, frozenset()) if people else {}

    def _decided(self, change: MembershipChange, now: LivePerson | None) -> Decision:
        name = self.stated.get(change.segment)
        found = silenced(None if now is None else now.consent)
        if found is not None:
            return decided_now(change.person_id, found)
        if name is None:
            why = Why.UNSTATED if now else Why.CHANGED
            return Decision(change.person_id, why, NOTHING_SAID)
        purpose = self.purposes.of(name)
        if purpose is None or not (
            purpose.allows(Use.EVENTS) and purpose.allows(Use.SEGMENTS, change.segment)
        ):
            return Decision(change.person_id, Why.NOT_COVERED, NOTHING_SAID)
        if now is None:
            return Decision(change.person_id, Why.CHANGED, NOTHING_SAID)
        return decided_now(change.person_id, coverage_of(now.consent, name, self.purposes))

    def _noted(self, change: MembershipChange, decision: Decision) -> Disclosure:
        return Disclosure(
            kind=f"segment_{change.change}",
            person_id=change.person_id,
            recipient=self.recipient,
            purpose=self.stated.get(change.segment),
            fields=FIELDS if decision.is_allowed else (),
            is_allowed=decision.is_allowed,
            reason=decision.why,
            consent_version=decision.coverage.version,
            consent_ms=decision.coverage.said_ms,
            decided_ms=self.now_ms(),
            segment=change.segment,
        )


def _unstated(change: MembershipChange) -> tuple[MembershipChange, Decision]:
    return change, Decision(change.person_id, Why.UNSTATED, NOTHING_SAID)
