"""What an operator decided about two identifiers: that they are not one person, or may be again."""

from dataclasses import dataclass, field
from enum import StrEnum

from stamgast.identity.edge import Pair

# No source of a workspace can have this id: theirs begin with a letter.
PLATFORM_SOURCE = "$platform"


class Verdict(StrEnum):
    """`cut` forbids that two identifiers are one person, `lift` takes that back."""

    CUT = "cut"
    LIFT = "lift"


@dataclass(frozen=True, slots=True)
class Decision:
    """One verdict about one pair of identifiers, ordered by when it was made.

    `by` is the name of the token that asked, `reason` a text without personal data.
    """

    pair: Pair
    verdict: Verdict
    at_ms: int
    message_id: str
    by: str = field(default="", compare=False)
    reason: str = field(default="", compare=False)

    @property
    def is_cut(self) -> bool:
        """Whether the pair may not be one person."""
        return self.verdict is Verdict.CUT

    @property
    def age(self) -> tuple[int, str]:
        """Of two decisions about a pair the one with the larger (time, message) holds."""
        return self.at_ms, self.message_id


def pair_of(one: str, other: str) -> Pair:
    """Two identifiers in the order in which a cannot-link names them."""
    return (one, other) if one < other else (other, one)
