"""Who the persons of a history of requests are, in plain Python from the design's words alone.

Nothing of the product is imported, not even what reads an event or makes a key. Naive on purpose:
every list is walked whole, so that each rule stands here as the design says it.
"""

from base64 import b32encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest

CLAIMED, VERIFIED = 1, 2
Pair = tuple[str, str]


@dataclass(frozen=True)
class Space:
    """A namespace: its place in the order, what it may hold, and on whose word."""

    name: str
    names_persons: bool
    value_limit: int
    most: int = 10**9
    least_assurance: int = 0


@dataclass(frozen=True)
class House:
    """What a workspace configures, and the secret that its keys are made with."""

    secret: bytes
    spaces: tuple[Space, ...]
    person_limit: int
    merge_limit: int

    def key(self, name: str, value: str) -> str:
        """How this house writes an identifier."""
        return f"{name}:{self.tagged(name, value)}"

    def tagged(self, *parts: str) -> str:
        """A keyed hash under the first version of the secret."""
        told = digest(self.secret, "\0".join(parts).encode(), sha256)
        return "1" + b32encode(told).decode().lower()[:25]


@dataclass(frozen=True)
class Receipt:
    """One event as it was received: on whose word, and whom it truly names, by namespace.

    `content` tells payloads under one message id apart.
    """

    source: str
    message: str
    received_ms: int
    receipt_id: str
    event_ms: int
    assurance: int
    names: frozenset[tuple[str, str]]
    content: str = ""


@dataclass(frozen=True)
class Verdict:
    """An operator's cut or lift of a pair of keys; `message` is how the archive calls it."""

    message: str
    at_ms: int
    pair: Pair
    is_cut: bool


@dataclass
class Told:
    """The persons by id, whom each identifier shares trust with, and what was refused and why."""

    persons: dict[str, frozenset[str]] = field(default_factory=dict)
    trusted: dict[str, frozenset[str]] = field(default_factory=dict)
    refused: dict[Pair, str] = field(default_factory=dict)
    off: set[str] = field(default_factory=set)


@dataclass(frozen=True, order=True)
class Link:
    """The best support of a pair, in the order in which links are added."""

    weakness: int
    priority: int
    event_ms: int
    message: str
    position: int
    pair: Pair


@dataclass(frozen=True)
class Evidence:
    """What all messages say together: who was named on which word, founded when, linked how."""

    word: Mapping[str, int]
    founded: Mapping[str, tuple[int, str, int, str]]
    links: Mapping[Pair, Link]


def persons_of(house: House, receipts: Iterable[Receipt], verdicts: Sequence[Verdict] = ()) -> Told:
    """The one right answer, whatever the order of the receipts and however often each is there."""
    evidence = _evidence(house, receipts, verdicts)
    newest = {v.pair: v for v in sorted(verdicts, key=lambda v: (v.at_ms, v.message))}
    cuts = [frozenset(pair) for pair, verdict in newest.items() if verdict.is_cut]
    told = Told()
    served = _served(house, evidence)
    told.off = {key for key, (by_any, _) in served.items() if by_any > _space(house, key)[1]}
    groups = {key: frozenset((key,)) for key in evidence.founded}
    for link in sorted(evidence.links.values()):
        why = _why_not(house, link, groups, evidence, served, cuts)
        if why:
            told.refused[link.pair] = why
        elif groups[link.pair[0]] is not groups[link.pair[1]]:
            joined = groups[link.pair[0]] | groups[link.pair[1]]
            groups |= dict.fromkeys(joined, joined)
    for group in set(groups.values()):
        told.persons[min(evidence.founded[key] for key in group)[3]] = group
    told.trusted = _trusted(evidence, groups, told.refused)
    # What other links join after all is not kept apart by the one that was refused.
    told.refused = {pair: why for pair, why in told.refused.items() if _apart(groups, pair)}
    return told


def _apart(groups: Mapping[str, frozenset[str]], pair: Pair) -> bool:
    return groups[pair[0]] is not groups[pair[1]]


def _evidence(house: House, receipts: Iterable[Receipt], verdicts: Iterable[Verdict]) -> Evidence:
    word: dict[str, int] = {}
    founded: dict[str, tuple[int, str, int, str]] = {}
    links: dict[Pair, Link] = {}
    for one in _first_of_each(receipts):
        keys = _named(house, one)
        message = house.tagged("message", one.source, one.message)
        for position, key in enumerate(keys):
            word[key] = max(word.get(key, 0), one.assurance)
            person = "p" + house.tagged("person", one.source, one.message, str(position))
            founding = (one.received_ms, message, position, person)
            founded[key] = min(founded.get(key, founding), founding)
            if position:
                link = Link(
                    VERIFIED - one.assurance,
                    _space(house, key)[0],
                    one.event_ms,
                    message,
                    position,
                    (keys[0], key),
                )
                links[link.pair] = min(links.get(link.pair, link), link)
    for verdict in verdicts:
        message = house.tagged("message", "$platform", verdict.message)
        for position, key in enumerate(sorted(verdict.pair)):
            person = "p" + house.tagged("person", "$platform", verdict.message, str(position))
            founding = (verdict.at_ms, message, position, person)
            founded[key] = min(founded.get(key, founding), founding)
    return Evidence(word, founded, links)


def _first_of_each(receipts: Iterable[Receipt]) -> Iterable[Receipt]:
    """A message is (source, messageId); of its copies the first received is the one that counts."""
    first: dict[tuple[str, str], Receipt] = {}
    for one in sorted(receipts, key=lambda r: (r.received_ms, r.receipt_id)):
        first.setdefault((one.source, one.message), one)
    return first.values()


def _named(house: House, one: Receipt) -> list[str]:
    """The keys that a message names, its anchor first."""
    allowed = [
        (place, house.key(space.name, value))
        for place, space in enumerate(house.spaces)
        for name, value in one.names
        if name == space.name and one.assurance >= space.least_assurance
    ]
    return [key for _, key in sorted(allowed)]


def _space(house: House, key: str) -> tuple[int, int, bool]:
    """Place in the order, value limit, and whether such a key names a person."""
    name = key.partition(":")[0]
    for place, space in enumerate(house.spaces):
        if space.name == name:
            return place, space.value_limit, space.names_persons
    raise KeyError(name)


def _served(house: House, evidence: Evidence) -> dict[str, tuple[int, int]]:
    """How many persons each value serves: by all links, and by verified ones alone."""
    return {
        key: (_serves(house, key, evidence, CLAIMED), _serves(house, key, evidence, VERIFIED))
        for key in evidence.founded
    }


def _serves(house: House, key: str, evidence: Evidence, least: int) -> int:
    """The most persistent or linked values of one namespace that stand at the other end."""
    counts: dict[str, int] = {}
    for (a, b), link in evidence.links.items():
        if key in (a, b) and (VERIFIED - link.weakness >= least or least == CLAIMED):
            other = b if key == a else a
            if _space(house, other)[2]:
                name = other.partition(":")[0]
                counts[name] = counts.get(name, 0) + 1
    return max(counts.values(), default=0)


def _why_not(
    house: House,
    link: Link,
    groups: Mapping[str, frozenset[str]],
    evidence: Evidence,
    served: Mapping[str, tuple[int, int]],
    cuts: Iterable[frozenset[str]],
) -> str | None:
    """Why this link does not hold; None where it does."""
    is_claim = link.weakness > 0
    for key in link.pair:
        by_any, by_verified = served[key]
        if (by_any if is_claim else by_verified) > _space(house, key)[1]:
            return "value_limit"
    one, two = (groups[key] for key in link.pair)
    if one is two:
        return None
    both = one | two
    if any(cut <= both for cut in cuts):
        return "cannot_link"
    return _too_large(house, both, is_claim) or _two_known(house, (one, two), evidence, is_claim)


def _too_large(house: House, person: frozenset[str], is_claim: bool) -> str | None:
    """The limit that such a person would break; claims fill at most half, rounded up."""

    def room(limit: int) -> int:
        return (limit + 1) // 2 if is_claim else limit

    if len(person) > room(house.person_limit):
        return "person_limit"
    for space in house.spaces:
        if sum(key.startswith(f"{space.name}:") for key in person) > room(space.most):
            return "namespace_limit"
    named = sum(_space(house, key)[2] for key in person)
    return "merge_limit" if named - 1 > room(house.merge_limit) else None


def _two_known(
    house: House, sides: Iterable[frozenset[str]], evidence: Evidence, is_claim: bool
) -> str | None:
    """Known is who has a persistent or linked identifier that a server vouched for."""
    is_known = [
        any(evidence.word.get(key) == VERIFIED and _space(house, key)[2] for key in side)
        for side in sides
    ]
    return "two_known_persons" if is_claim and all(is_known) else None


def _trusted(
    evidence: Evidence, groups: Mapping[str, frozenset[str]], refused: Mapping[Pair, str]
) -> dict[str, frozenset[str]]:
    """For each identifier those that verified links connect it to inside its person."""
    trusted = {key: frozenset((key,)) for key in groups}
    for pair, link in evidence.links.items():
        a, b = pair
        if link.weakness == 0 and groups[a] is groups[b] and refused.get(pair) is None:
            both = trusted[a] | trusted[b]
            trusted |= dict.fromkeys(both, both)
    return trusted
