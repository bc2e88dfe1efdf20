"""What an explanation is made of: a person, the component around it, and what is pending."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stamgast.identity.edge import Edge, EdgeState, Pair, Support
from stamgast.identity.survey import Survey


@dataclass(frozen=True, slots=True)
class CannotLink:
    """A pair that may not be joined; who said so, when and why, as far as it is known."""

    pair: Pair
    by: str | None = None
    reason: str | None = None
    recorded_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Provisional:
    """A statistical link, which never joins; `reasons` are the weights behind its probability."""

    pair: Pair
    probability: float
    rule: str
    event_ms: int
    expires_ms: int | None = None
    state: str = "standing"
    reasons: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pending:
    """What has not been applied yet: keys of parked messages, and the jobs that hold persons."""

    parked: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A person as it stands, or stood, with everything around it that decides.

    `found` is the component, closed unless `is_whole` is false; `edges` the edges with an end among
    the members; `supports` the messages behind an edge, the best first, where more than one is
    known; `homes` the persons of the other ends, as far as they are not in `found`.
    """

    key: str
    person_id: str
    members: frozenset[str]
    found: Survey
    edges: Mapping[Pair, Edge]
    supports: Mapping[Pair, tuple[Support, ...]] = field(default_factory=dict)
    homes: Mapping[str, str] = field(default_factory=dict)
    cannot_links: tuple[CannotLink, ...] = ()
    provisional: tuple[Provisional, ...] = ()
    pending: Pending = Pending()
    is_whole: bool = True

    @property
    def active(self) -> dict[Pair, Support]:
        """The edges that hold the person together."""
        return {
            pair: edge.support
            for pair, edge in self.edges.items()
            if edge.state is EdgeState.ACTIVE
            and self.members.issuperset(pair)
            and not self.found.is_blocked(pair, edge.support.assurance)
        }

    @property
    def apart(self) -> tuple[Edge, ...]:
        """The edges that do not join, the best first."""
        left = [edge for edge in self.edges.values() if edge.state is not EdgeState.ACTIVE]
        return tuple(sorted(left, key=lambda edge: (edge.support, edge.pair)))

    def home_of(self, key: str) -> str | None:
        """The person of an identifier of this case, as far as it is known."""
        return self.found.home.get(key) or self.homes.get(key)
