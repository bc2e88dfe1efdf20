"""A link between an anchor and another identifier, with the strongest message that supports it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from stamgast.identity.assurance import Assurance

Pair: TypeAlias = tuple[str, str]


class EdgeState(StrEnum):
    """Whether an edge joins: refused by a limit or a rule, cut by a person."""

    ACTIVE = "active"
    REFUSED = "refused"
    CUT = "cut"


class Reason(StrEnum):
    """Why an edge does not join two persons."""

    CANNOT_LINK = "cannot_link"
    MERGE_LIMIT = "merge_limit"
    NAMESPACE_LIMIT = "namespace_limit"
    PERSON_LIMIT = "person_limit"
    TWO_KNOWN_PERSONS = "two_known_persons"
    VALUE_LIMIT = "value_limit"


@dataclass(frozen=True, slots=True, order=True)
class Support:
    """A message's support of an edge, ordered as edges are added: the best assured first.

    `priority` is that of the namespace of the edge's second identifier.
    """

    weakness: int
    priority: int
    event_ms: int
    message_key: str
    position: int
    source_id: str = field(default="", compare=False)

    @property
    def assurance(self) -> Assurance:
        """How well the message's source vouches for the link."""
        return Assurance(Assurance.VERIFIED - self.weakness)

    @staticmethod
    def weakness_of(assurance: Assurance) -> int:
        """0 for verified, 1 for claimed, 2 for anonymous."""
        return Assurance.VERIFIED - assurance


@dataclass(frozen=True, slots=True)
class Edge:
    """The pair (anchor, other), its strongest and earliest support, and what became of it."""

    pair: Pair
    support: Support
    state: EdgeState
    why: Reason | None = None
    rule: str = "together"
