"""A component as a correction sees it: closed under live persons, live edges and the inputs."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.decision import Decision
from stamgast.identity.edge import Edge, Pair, Support
from stamgast.identity.evidence import Evidence
from stamgast.identity.lost_copies import NO_DOUBTS, Doubts, void_births, void_pairs, without
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Root
from stamgast.identity.rules import value_limit
from stamgast.identity.served import NOBODY, Neighbours, Off
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.star import Sighting
from stamgast.identity.store import IdentityStore
from stamgast.identity.view import View, read_view

Met: TypeAlias = defaultdict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Trait:
    """What decides an identifier's place: its birth, assurance, neighbours, and if it is off.

    A void birth is that of a message whose copy with this identifier lost.
    """

    born: Birth
    assurance: Assurance
    met: Neighbours = NOBODY
    off: Off = Off.NOT
    is_void: bool = False

    @property
    def near(self) -> frozenset[str]:
        """The neighbours that name persons, on whatever word."""
        return self.met.all

    @property
    def is_off(self) -> bool:
        """Whether it serves more persons than it may, by claims at least."""
        return self.off is not Off.NOT


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything a plan needs, valid as long as the roots keep their versions.

    `told_cuts` are the cannot-links that the inputs know; `decisions` the newest there is about
    each pair that roots or inputs name, read after the roots. `void` are the live edges by which
    only copies that lost stand, or stand as high as they do. `is_closed` says that no link which
    may join leads out of it.
    """

    traits: Mapping[str, Trait]
    links: Mapping[Pair, Support]
    anchors: frozenset[str]
    roots: Mapping[str, Root]
    home: Mapping[str, str]
    pointers: Mapping[str, Pointer]
    edges: Mapping[Pair, Edge]
    told_cuts: frozenset[Pair] = frozenset()
    decisions: Mapping[Pair, Decision] = field(default_factory=dict)
    void: frozenset[Pair] = frozenset()
    is_closed: bool = True

    @property
    def cuts(self) -> frozenset[Pair]:
        """The pairs that may not be one person: a newest decision overrules roots and inputs."""
        named = named_cuts(self.roots.values()) | self.told_cuts | self.decisions.keys()
        return frozenset(
            pair for pair in named if pair not in self.decisions or self.decisions[pair].is_cut
        )

    def is_blocked(self, pair: Pair, assurance: Assurance) -> bool:
        """Whether one end of this link, as far as it is known, serves more persons than it may."""
        traits = (self.traits.get(key) for key in pair)
        return any(trait is not None and trait.off.blocks(assurance) for trait in traits)


def named_cuts(roots: Iterable[Root]) -> frozenset[Pair]:
    """The cannot-links that these roots carry."""
    return frozenset(pair for root in roots for pair in root.cannot_links)


def survey_of(evidence: Evidence, keys: Collection[str], settings: IdentitySettings) -> Survey:
    """A component of which nothing is live yet."""
    seen, links = evidence.sightings(keys), evidence.links(keys)
    anchors = frozenset(evidence.anchors(keys))
    cuts = frozenset(evidence.cannot_links(keys))
    return Survey(_traits(seen, {}, links, settings), links, anchors, {}, {}, {}, {}, cuts)


def survey(
    store: IdentityStore,
    evidence: Evidence,
    start: Collection[str],
    settings: IdentitySettings,
    absent: set[str] | None = None,
    *,
    follows: bool = True,
    about: Collection[Pair] = (),
) -> Survey | None:
    """Roots first, then pointers again and edges, until nothing more belongs to it.

    Unless it `follows` links, it stays within the persons of `start`. Decisions are read of the
    pairs that roots or inputs name, and of those that it is `about`.

    None when an identifier has no person yet, a person is locked, or the reads do not fit. Those
    without a person are added to `absent`: live persons can lead to what only the inputs know.
    """
    ids = set(start)
    while True:
        view = read_view(store, sorted(ids))
        if view is not None and absent is not None:
            absent |= ids - view.pointers.keys()
        if view is None or view.is_locked or ids - view.pointers.keys():
            return None
        found = _read_rest(store, evidence, view, ids, settings, about)
        if found is None:
            return None
        grown = _grown(found, ids, follows=follows)
        if grown == ids:
            return replace(found, is_closed=follows)
        ids = grown


def _read_rest(
    store: IdentityStore,
    evidence: Evidence,
    view: View,
    ids: Collection[str],
    settings: IdentitySettings,
    about: Collection[Pair],
) -> Survey | None:
    pointers = store.read_pointers(ids)
    if pointers.keys() != set(ids):
        return None
    named = {anchor for root in view.roots.values() for anchor in root.anchors}
    edges = {e.pair: e for anchor in sorted(named) for e in store.edges_from(anchor)}
    links = dict(evidence.links(ids))
    void = void_pairs(evidence, edges.values(), links)
    for edge in edges.values():
        if edge.pair not in void:
            links[edge.pair] = min(edge.support, links.get(edge.pair, edge.support))
    seen = evidence.sightings(ids)
    doubts = Doubts(
        without(void, pointers), void_births(evidence, pointers, seen), evidence.disputed(ids)
    )
    traits = _traits(seen, pointers, links, settings, doubts)
    anchors = frozenset(evidence.anchors(ids)) | named
    told = frozenset(evidence.cannot_links(ids))
    pairs = named_cuts(view.roots.values()) | told | set(about)
    decisions = store.read_decisions(pairs) if pairs else {}
    return Survey(
        traits, links, anchors, view.roots, view.home, pointers, edges, told, decisions, void
    )


def _grown(found: Survey, ids: set[str], *, follows: bool) -> set[str]:
    grown = ids | {key for root in found.roots.values() for key in root.members}
    if not follows:
        return grown
    followed = {
        key
        for pair, support in found.links.items()
        if not grown.isdisjoint(pair) and not found.is_blocked(pair, support.assurance)
        for key in pair
    }
    return grown | followed | {k for pair in found.void if grown & set(pair) for k in pair}


def _traits(
    seen: Mapping[str, Sighting],
    pointers: Mapping[str, Pointer],
    links: Mapping[Pair, Support],
    settings: IdentitySettings,
    doubts: Doubts = NO_DOUBTS,
) -> dict[str, Trait]:
    near, vouched = _neighbours(links)
    traits = {}
    for key in seen.keys() | pointers.keys():
        limit = value_limit(key.partition(":")[0], settings)
        before = doubts.met.get(key, NOBODY)
        now = Neighbours(before.near | near[key], before.vouched | vouched[key])
        now = now.bounded(limit, settings)
        known = _joined(key, pointers.get(key), seen.get(key), doubts)
        traits[key] = replace(known, met=now, off=now.off(limit, settings))
    return traits


def _neighbours(links: Mapping[Pair, Support]) -> tuple[Met, Met]:
    """Who was seen with whom: on any word, and on verified ones."""
    near, vouched = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for (a, b), support in links.items():
        kept = vouched if support.assurance is Assurance.VERIFIED else near
        kept[a].add(b)
        kept[b].add(a)
    return near, vouched


def _joined(key: str, had: Pointer | None, told: Sighting | None, doubts: Doubts) -> Trait:
    ones = [one for one in (told, had) if one is not None]
    words = [one.assurance for one in ([told] if key in doubts.disputed else ones) if one]
    word = max(words, default=Assurance.ANONYMOUS)
    if key not in doubts.births:
        return Trait(min(one.born for one in ones), word)
    return Trait(ones[0].born if told else ones[0].born.voided(), word, is_void=told is None)
