"""What the inputs of a run say of identifiers, as far as a correction asks."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from stamgast.identity.edge import Pair, Support
from stamgast.identity.star import Sighting, Star, join_sightings


class Evidence(Protocol):
    """All that a run's inputs say of some identifiers."""

    def sightings(self, keys: Collection[str]) -> Mapping[str, Sighting]:
        """The oldest receipt and best assurance of each identifier that the inputs name."""
        ...

    def anchors(self, keys: Collection[str]) -> Collection[str]:
        """Those of the identifiers that are the anchor of an event."""
        ...

    def links(self, keys: Collection[str]) -> Mapping[Pair, Support]:
        """Every pair (anchor, other) with an end among these, with its smallest support."""
        ...

    def cannot_links(self, keys: Collection[str]) -> Collection[Pair]:
        """Every pair with an end among these that the inputs say may not be one person."""
        ...

    def conflicting(self, messages: Collection[str]) -> Collection[str]:
        """Those of these message keys that were erased, or of which a copy lost against another.

        Nothing that counts is said by an erased message. Of another the supports that count are
        those of the copy that was kept: a live support by it that `links` does not bear out is
        void (`stamgast.identity.lost_copies`).
        """
        ...

    def disputed(self, keys: Collection[str]) -> Collection[str]:
        """Those of these identifiers that may be named by a losing copy that is new to this run.

        Their live items are read in full even where their persons are as the inputs say, and how
        well they are known is what the inputs say. Such an identifier belongs to a component of its
        own if the inputs do not name it.
        """
        ...


@dataclass(slots=True)
class EvidenceInMemory:
    """Evidence held as it was added, for as many identifiers as fit in memory."""

    seen: dict[str, Sighting] = field(default_factory=dict)
    anchored: set[str] = field(default_factory=set)
    supports: dict[Pair, Support] = field(default_factory=dict)
    touching: defaultdict[str, set[Pair]] = field(default_factory=lambda: defaultdict(set))
    cuts: defaultdict[str, set[Pair]] = field(default_factory=lambda: defaultdict(set))
    lost: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, stars: Iterable[Star]) -> "EvidenceInMemory":
        """The evidence of these stars."""
        evidence = cls()
        for star in stars:
            evidence.anchored.add(star.anchor)
            for sighting in star.sightings.values():
                evidence.see(sighting)
            for other, support in star.supports.items():
                evidence.link((star.anchor, other), support)
        return evidence

    def see(self, sighting: Sighting, is_anchor: bool = False) -> None:
        """Adds what one or more messages say of an identifier."""
        had = self.seen.get(sighting.key)
        self.seen[sighting.key] = join_sightings(had, sighting) if had else sighting
        if is_anchor:
            self.anchored.add(sighting.key)

    def link(self, pair: Pair, support: Support) -> None:
        """Adds a support of an edge (anchor, other)."""
        self.supports[pair] = min(support, self.supports.get(pair, support))
        for key in pair:
            self.touching[key].add(pair)

    def sightings(self, keys: Collection[str]) -> Mapping[str, Sighting]:
        """What was added of these identifiers."""
        return {key: self.seen[key] for key in keys if key in self.seen}

    def anchors(self, keys: Collection[str]) -> Collection[str]:
        """Those of the identifiers that are anchors."""
        return self.anchored.intersection(keys)

    def links(self, keys: Collection[str]) -> Mapping[Pair, Support]:
        """Every edge with an end among these."""
        pairs = set().union(*(self.touching.get(key, ()) for key in keys))
        return {pair: self.supports[pair] for pair in pairs}

    def cut(self, pair: Pair) -> None:
        """Adds a pair that may not be one person."""
        for key in pair:
            self.cuts[key].add(pair)

    def cannot_links(self, keys: Collection[str]) -> Collection[Pair]:
        """Every pair with an end among these that was added as cut."""
        return set().union(*(self.cuts.get(key, ()) for key in keys))

    def lose(self, message_key: str, named: Collection[str]) -> None:
        """Adds a copy that lost, and the identifiers that it named."""
        self.lost[message_key] = self.lost.get(message_key, frozenset()) | frozenset(named)

    def conflicting(self, messages: Collection[str]) -> Collection[str]:
        """Those of the messages of which a copy lost."""
        return self.lost.keys() & set(messages)

    def disputed(self, keys: Collection[str]) -> Collection[str]:
        """Those of these identifiers that a losing copy names."""
        return frozenset().union(*self.lost.values()) & set(keys)
