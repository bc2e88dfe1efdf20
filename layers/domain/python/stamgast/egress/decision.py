"""Whether a person's data may leave for a purpose, and the row that says so for ever after."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from stamgast.consent.coverage import Consent, Coverage, Verdict, coverage_of_all
from stamgast.consent.purposes import UNDECLARED, Purposes


class Why(StrEnum):
    """Why something left, or did not."""

    GRANTED = "consent_granted"
    DEFAULT = "default_granted"
    NOT_COVERED = "purpose_does_not_cover"
    UNKNOWN = "consent_unknown"
    REFUSED = "consent_refused"
    SUPPRESSED = "person_suppressed"
    WITHDRAWN = "consent_withdrawn"
    CHANGED = "person_changed"
    NO_PURPOSE = "no_purpose_named"
    UNSTATED = "no_purpose_stated"
    NOT_FOUND = "not_found"
    ASKED = "asked_for"


@dataclass(frozen=True, slots=True)
class Egress:
    """One act of letting data out: to whom, for what, which fields, of which state of things."""

    egress_id: str
    kind: str
    recipient: str
    purpose: str
    fields: tuple[str, ...]
    as_of_ms: int
    segment: str | None = None
    rule_version: str | None = None


@dataclass(frozen=True, slots=True)
class LivePerson:
    """What holds of a person at this moment: consent, values of identifiers, keys of members."""

    consent: Consent | None
    identifiers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    members: frozenset[str] = frozenset()


class LivePersons(Protocol):
    """The persons as they are now; who was merged away, split or erased is absent."""

    def read(
        self, person_ids: Sequence[str], namespaces: frozenset[str]
    ) -> Mapping[str, LivePerson]:
        """These persons, with the values of their identifiers of these namespaces."""


def unparted(
    live: Mapping[str, LivePerson], then: Mapping[str, Collection[str]]
) -> dict[str, LivePerson]:
    """Those who are still all that a run took for one person; `then` are its members by person.

    What a run said of whoever was parted since tells of somebody else as well.
    """
    return {one: now for one, now in live.items() if now.members.issuperset(then[one])}


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one person, by which consent."""

    person_id: str
    why: Why
    coverage: Coverage

    @property
    def is_allowed(self) -> bool:
        """Whether the data may leave."""
        return self.why in (Why.GRANTED, Why.DEFAULT, Why.UNSTATED)


REASONS = {
    Verdict.GRANTED: Why.GRANTED,
    Verdict.DEFAULT: Why.DEFAULT,
    Verdict.UNKNOWN: Why.UNKNOWN,
    Verdict.REFUSED: Why.REFUSED,
    Verdict.SUPPRESSED: Why.SUPPRESSED,
}


def decided_now(person_id: str, found: Coverage) -> Decision:
    """The decision about a person of whom only this moment is asked."""
    return Decision(person_id, REASONS[found.verdict], found)


def decided(
    person_id: str,
    then: Coverage,
    now: LivePerson | None,
    names: Iterable[str],
    purposes: Purposes = UNDECLARED,
) -> Decision:
    """The decision about a person of whom the last run knew `then`; both moments must allow it.

    `names` are the purposes that must all be covered. So a consent given since waits for the next
    run, and one withdrawn since counts at once.
    """
    if not then.is_covered:
        return decided_now(person_id, then)
    if now is None:
        return Decision(person_id, Why.CHANGED, then)
    found = coverage_of_all(now.consent, names, purposes)
    if found.is_covered or found.verdict is Verdict.SUPPRESSED:
        return decided_now(person_id, found)
    return Decision(person_id, Why.WITHDRAWN, found)
