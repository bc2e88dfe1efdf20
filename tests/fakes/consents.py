"""Consents for tests: words said at moments, and the registers that keep them."""

from collections.abc import Iterable
from dataclasses import dataclass

from stamgast.consent.coverage import Consent, consent_of_traits
from stamgast.consent.words import word_name
from stamgast.identity.assurance import Assurance
from stamgast.profile.registers import Register, join_traits


@dataclass(frozen=True)
class Saying:
    """One word as one message says it, by one of a person's anchors."""

    purpose: str
    is_grant: bool
    assurance: Assurance
    at_ms: int
    key: str
    anchor: str = "a"

    @property
    def registers(self) -> dict[str, Register]:
        """The register that the message writes."""
        name = word_name(self.purpose, self.assurance, is_grant=self.is_grant)
        return {name: Register({"by": "trait"}, self.assurance, self.at_ms, self.key)}


def said(*told: Saying) -> Consent | None:
    """The consent that some words come to."""
    return consent_of_traits(joined(told))


def joined(told: Iterable[Saying]) -> dict[str, Register]:
    """The registers of some words, in the order in which they came."""
    traits: dict[str, Register] = {}
    for one in told:
        traits = join_traits(traits, one.registers)
    return traits


def word(
    is_grant: bool,
    purpose: str = "email",
    at_ms: int = 7,
    assurance: Assurance = Assurance.VERIFIED,
    anchor: str = "a",
) -> Saying:
    """A word with a message of its own."""
    key = f"1{purpose[:4]}{at_ms}{int(assurance)}{int(is_grant)}".ljust(16, "x")[:16]
    return Saying(purpose, is_grant, assurance, at_ms, key, anchor)
