"""The one rule that decides whether what a person said covers a purpose.

Every use asks it, and nothing else reads a consent. Until a consent is known it covers nothing.
What was said comes from the trait `consent`, an object of booleans by purpose.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stamgast.identity.keys import SHORT_ID_LENGTH
from stamgast.profile.registers import Register

TRAIT = "consent"


class Verdict(StrEnum):
    """What is known of a purpose."""

    GRANTED = "granted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person said of purposes, and which message said it when.

    `version` is the short id of that message: it names a state of the consent, and nobody.
    """

    told: Mapping[str, Any]
    version: str
    said_ms: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether a purpose is covered, why, and by which consent; no version where none is known."""

    verdict: Verdict
    version: str | None = None
    said_ms: int | None = None

    @property
    def is_covered(self) -> bool:
        """Only what was granted is."""
        return self.verdict is Verdict.GRANTED


NOTHING_SAID = Coverage(Verdict.UNKNOWN)


def coverage_of(consent: Consent | None, purpose: str) -> Coverage:
    """Whether a consent covers a purpose: true grants, false refuses, all else is unknown."""
    if consent is None:
        return NOTHING_SAID
    told = consent.told.get(purpose)
    verdict = Verdict.UNKNOWN
    if isinstance(told, bool):
        verdict = Verdict.GRANTED if told else Verdict.REFUSED
    return Coverage(verdict, consent.version, consent.said_ms)


def consent_of_traits(traits: Mapping[str, Register]) -> Consent | None:
    """The consent among live registers; None where nothing readable was said."""
    register = traits.get(TRAIT)
    if register is None or not isinstance(register.value, Mapping):
        return None
    return Consent(register.value, register.key[:SHORT_ID_LENGTH], register.event_ms)


def consent_of_row(told: Mapping[str, Any] | None) -> Consent | None:
    """The consent of a lake's profile: the trait with its provenance, as `profiles` keeps it."""
    if told is None or not isinstance(told.get("value"), Mapping):
        return None
    return Consent(told["value"], str(told["message_key"])[:SHORT_ID_LENGTH], int(told["event_ms"]))
