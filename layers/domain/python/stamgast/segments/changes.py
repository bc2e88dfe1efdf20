"""A change of membership, and the id under which it is told any number of times."""

from dataclasses import dataclass
from hashlib import sha256

from stamgast.moments import iso_of

SEPARATOR = "\x1f"
ENTERED, LEFT = "entered", "left"


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """Somebody entered or left a segment, as decided for a moment under a rule's version."""

    person_id: str
    segment: str
    change: str
    rule_version: str
    at_ms: int
    because: str

    @property
    def change_id(self) -> str:
        """The same wherever and however often this change is told."""
        parts = (self.segment, self.person_id, self.change, self.rule_version, str(self.at_ms))
        return sha256(SEPARATOR.join(parts).encode()).hexdigest()[:32]

    @property
    def told(self) -> dict[str, str]:
        """The change as others are told it."""
        return {
            "person_id": self.person_id,
            "segment": self.segment,
            "change": self.change,
            "rule_version": self.rule_version,
            "at": iso_of(self.at_ms),
            "because": self.because,
            "change_id": self.change_id,
        }
