"""Whether a person's data may leave for a purpose, and the row that says so for ever after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from stamgast.consent.coverage import Consent, Coverage, Verdict, coverage_of


class Why(StrEnum):
    """Why something left, or did not."""

    GRANTED = "consent_granted"
    UNKNOWN = "consent_unknown"
    REFUSED = "consent_refused"
    WITHDRAWN = "consent_withdrawn"
    CHANGED = "person_changed"


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
    """What holds of a person at this moment: the consent, and the values of identifiers."""

    consent: Consent | None
    identifiers: Mapping[str, Sequence[str]] = field(default_factory=dict)


class LivePersons(Protocol):
    """The persons as they are now; who was merged away, split or erased is absent."""

    def read(
        self, person_ids: Sequence[str], namespaces: frozenset[str]
    ) -> Mapping[str, LivePerson]:
        """These persons, with the values of their identifiers of these namespaces."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one person, by which consent."""

    person_id: str
    why: Why
    coverage: Coverage

    @property
    def is_allowed(self) -> bool:
        """Whether the data may leave."""
        return self.why is Why.GRANTED


REFUSALS = {Verdict.UNKNOWN: Why.UNKNOWN, Verdict.REFUSED: Why.REFUSED}


def decided(person_id: str, then: Coverage, now: LivePerson | None, purpose: str) -> Decision:
    """The decision about a person of whom the last run knew `then`; both moments must allow it.

    So a consent given since waits for the next run, and one withdrawn since counts at once.
    """
    if not then.is_covered:
        return Decision(person_id, REFUSALS[then.verdict], then)
    if now is None:
        return Decision(person_id, Why.CHANGED, then)
    found = coverage_of(now.consent, purpose)
    return Decision(person_id, Why.GRANTED if found.is_covered else Why.WITHDRAWN, found)
