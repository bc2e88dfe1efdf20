"""The rules that decide whether evidence joins: one place for live, corrections and the lake."""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from stamgast.identity.assurance import Assurance
from stamgast.identity.edge import Pair, Reason
from stamgast.identity.root import Member
from stamgast.identity.settings import IdentitySettings, Kind, Limits

LEAST_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Side:
    """One of two persons that an edge would join.

    `is_known` says that it has a verified linked or persistent identifier; `claimed` are members
    that no server has vouched for.
    """

    members: frozenset[str]
    is_known: bool
    cannot_links: frozenset[Pair] = frozenset()
    claimed: frozenset[str] = frozenset()


def may_join(left: Side, right: Side, assurance: Assurance, limits: Limits) -> Reason | None:
    """None when an edge of this assurance may make one person of two, else why not.

    Limits of a verified edge count what is verified alone, up to a ceiling of all: a run adds
    such edges first, and live does not let what was claimed meanwhile stand in their way.
    """
    joined = left.members | right.members
    if any(a in joined and b in joined for a, b in left.cannot_links | right.cannot_links):
        return Reason.CANNOT_LINK
    claimed = left.claimed | right.claimed
    why = over(joined - claimed if assurance is Assurance.VERIFIED else joined, assurance, limits)
    if why is not None:
        return why
    if len(joined) > limits.ceiling:
        return Reason.PERSON_LIMIT
    if assurance < Assurance.VERIFIED and left.is_known and right.is_known:
        return Reason.TWO_KNOWN_PERSONS
    return None


def over(members: Set[str], assurance: Assurance, limits: Limits) -> Reason | None:
    """Which limit a person of these identifiers would be over, joined by such an edge.

    Claims fill at most half of a limit: what a server vouches for always finds room.
    """
    if len(members) > share(limits.person, assurance):
        return Reason.PERSON_LIMIT
    counts = Counter(key.partition(":")[0] for key in members)
    if any(counts[name] > share(most, assurance) for name, most in limits.most.items()):
        return Reason.NAMESPACE_LIMIT
    named = sum(counts[name] for name in limits.naming)
    return Reason.MERGE_LIMIT if named - 1 > share(limits.merges, assurance) else None


def share(limit: int, assurance: Assurance) -> int:
    """The part of a limit that edges of this assurance may fill."""
    return limit if assurance is Assurance.VERIFIED else -(-limit // 2)


def joined(left: Side, right: Side) -> Side:
    """The person that two become."""
    return Side(
        left.members | right.members,
        left.is_known or right.is_known,
        left.cannot_links | right.cannot_links,
        left.claimed | right.claimed,
    )


def makes_known(kind: Kind, assurance: Assurance) -> bool:
    """Whether an identifier of this kind, known this well, makes its person a known one."""
    return assurance is Assurance.VERIFIED and kind is not Kind.EPHEMERAL


def value_limit(namespace: str, settings: IdentitySettings) -> int:
    """How many persons a value may serve before it links nobody."""
    found = settings.by_name.get(namespace)
    return LEAST_LIMIT if found is None else found.value_limit


def kind_of(key: str, settings: IdentitySettings) -> Kind:
    """The kind of a key's namespace; ephemeral when the configuration no longer names it."""
    found = settings.by_name.get(key.partition(":")[0])
    return Kind.EPHEMERAL if found is None else found.kind


def side_of(
    members: Mapping[str, Member], cannot_links: Iterable[Pair], settings: IdentitySettings
) -> Side:
    """A person as `may_join` sees it."""
    known = any(makes_known(kind_of(key, settings), m.assurance) for key, m in members.items())
    claimed = (key for key, m in members.items() if m.assurance < Assurance.VERIFIED)
    return Side(frozenset(members), known, frozenset(cannot_links), frozenset(claimed))


def trust_groups(keys: Iterable[str], verified: Iterable[Pair]) -> dict[str, str]:
    """The label of each key's trust group: the smallest key that verified edges connect it to."""
    keys = sorted(keys)
    label = {key: key for key in keys}

    def find(key: str) -> str:
        while label[key] != key:
            label[key] = label[label[key]]
            key = label[key]
        return key

    for a, b in verified:
        if a in label and b in label:
            first, second = sorted((find(a), find(b)))
            label[second] = first
    return {key: find(key) for key in keys}
