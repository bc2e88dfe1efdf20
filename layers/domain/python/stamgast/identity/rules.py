"""The rules that decide whether evidence joins: one place for live, corrections and the lake."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stamgast.identity.assurance import Assurance
from stamgast.identity.edge import Pair, Reason
from stamgast.identity.root import Member
from stamgast.identity.settings import IdentitySettings, Kind

LEAST_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Side:
    """One of two persons that an edge would join.

    `is_known` says that it has a verified linked or persistent identifier.
    """

    members: frozenset[str]
    is_known: bool
    cannot_links: frozenset[Pair] = frozenset()


def may_join(left: Side, right: Side, assurance: Assurance, person_limit: int) -> Reason | None:
    """None when an edge of this assurance may make one person of two, else why not."""
    joined = left.members | right.members
    if any(a in joined and b in joined for a, b in left.cannot_links | right.cannot_links):
        return Reason.CANNOT_LINK
    if len(joined) > person_limit:
        return Reason.PERSON_LIMIT
    if assurance < Assurance.VERIFIED and left.is_known and right.is_known:
        return Reason.TWO_KNOWN_PERSONS
    return None


def joined(left: Side, right: Side) -> Side:
    """The person that two become."""
    return Side(
        left.members | right.members,
        left.is_known or right.is_known,
        left.cannot_links | right.cannot_links,
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
    return Side(frozenset(members), known, frozenset(cannot_links))


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
