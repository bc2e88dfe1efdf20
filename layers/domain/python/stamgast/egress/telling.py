"""Changes of membership on their way out: a segment with a purpose tells of nobody without it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stamgast.consent.coverage import NOTHING_SAID, coverage_of
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

    `stated` is the purpose of each segment that states one; `keep` raises StoreError for what it
    could not keep, and then nobody is told. A change that may not be told counts as told.
    """

    tell: Tell
    persons: LivePersons
    stated: Mapping[str, str]
    purposes: Purposes
    keep: Callable[[Sequence[tuple[str, Disclosure]]], None]
    now_ms: Callable[[], int]
    recipient: str

    def __call__(self, changes: Sequence[MembershipChange]) -> int:
        """How many changes were not taken."""
        asked = [change for change in changes if change.segment in self.stated]
        try:
            decisions = self._decisions(asked)
            noted = [(one.change_id, self._noted(one, decisions[one.change_id])) for one in asked]
            self.keep(noted)
        except StoreError:
            return len(changes)
        return self.tell(
            [
                change
                for change in changes
                if change.segment not in self.stated or decisions[change.change_id].is_allowed
            ]
        )

    def _decisions(self, asked: Sequence[MembershipChange]) -> dict[str, Decision]:
        live = self._live(asked)
        return {one.change_id: self._decided(one, live.get(one.person_id)) for one in asked}

    def _live(self, asked: Sequence[MembershipChange]) -> Mapping[str, LivePerson]:
        people = sorted({change.person_id for change in asked})
        return self.persons.read(people, frozenset()) if people else {}

    def _decided(self, change: MembershipChange, now: LivePerson | None) -> Decision:
        name = self.stated[change.segment]
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
            purpose=self.stated[change.segment],
            fields=FIELDS if decision.is_allowed else (),
            is_allowed=decision.is_allowed,
            reason=decision.why,
            consent_version=decision.coverage.version,
            consent_ms=decision.coverage.said_ms,
            decided_ms=self.now_ms(),
            segment=change.segment,
        )
