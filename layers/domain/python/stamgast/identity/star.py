"""The identity content of events: an anchor, what was seen with it, and on whose word."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from stamgast.identity.assurance import Assurance
from stamgast.identity.birth import Birth
from stamgast.identity.edge import Support
from stamgast.identity.event import Event
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import Kind


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a set of messages says of one identifier: its oldest receipt, its best assurance."""

    key: str
    namespace: str
    kind: Kind
    assurance: Assurance
    born: Birth
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Star:
    """Identifiers around one anchor; `supports` holds the support of each edge (anchor, other).

    `because` is the key of the message that a change of identity is reported with.
    """

    anchor: str
    because: str
    sightings: Mapping[str, Sighting]
    supports: Mapping[str, Support]


def star_of(event: Event, keyring: Keyring) -> Star | None:
    """The star of one event; None when it names nobody."""
    if event.anchor is None:
        return None
    sightings, supports = {}, {}
    for position, seen in event.placed:
        person_id = keyring.person_id(event.source_id, event.message_id, position)
        sightings[seen.key] = Sighting(
            seen.key,
            seen.namespace,
            seen.kind,
            event.assurance,
            Birth(event.received_ms, event.message_key, position, person_id),
            seen.value,
        )
        if seen.key != event.anchor:
            supports[seen.key] = Support(
                Support.weakness_of(event.assurance),
                seen.priority,
                event.event_ms,
                event.message_key,
                position,
                event.source_id,
            )
    return Star(event.anchor, event.message_key, sightings, supports)


def join_sightings(left: Sighting, right: Sighting) -> Sighting:
    """What both say together; commutative, associative and idempotent."""
    return replace(
        left,
        assurance=max(left.assurance, right.assurance),
        born=min(left.born, right.born),
        kind=min(left.kind, right.kind),
    )


def fold_stars(stars: Iterable[Star]) -> list[Star]:
    """One star an anchor, whatever the order and number of copies of the stars.

    Each tells the oldest receipt that any of them tells of an identifier. Events of one request
    share their moment, and whichever star is settled first founds the person that a run founds.
    """
    folded: dict[str, Star] = {}
    for star in stars:
        had = folded.get(star.anchor)
        folded[star.anchor] = star if had is None else join_stars(had, star)
    born = _births(folded.values())
    return [_born_as(star, born) for star in folded.values()]


def _births(stars: Iterable[Star]) -> Mapping[str, Birth]:
    """The oldest receipt that these stars tell of each identifier."""
    born: dict[str, Birth] = {}
    for star in stars:
        for key, sighting in star.sightings.items():
            born[key] = min(sighting.born, born.get(key, sighting.born))
    return born


def _born_as(star: Star, born: Mapping[str, Birth]) -> Star:
    """The star with these births of its identifiers."""
    seen = star.sightings.items()
    if all(sighting.born == born[key] for key, sighting in seen):
        return star
    return replace(star, sightings={key: replace(one, born=born[key]) for key, one in seen})


def join_stars(left: Star, right: Star) -> Star:
    """Two stars around one anchor as one."""
    sightings, supports = dict(left.sightings), dict(left.supports)
    for key, sighting in right.sightings.items():
        had = sightings.get(key)
        sightings[key] = sighting if had is None else join_sightings(had, sighting)
    for key, support in right.supports.items():
        supports[key] = min(support, supports.get(key, support))
    return Star(left.anchor, min(left.because, right.because), sightings, supports)


def parts(star: Star, most: int) -> list[Star]:
    """The same star in pieces of at most `most` edges, the strongest first."""
    others = sorted(star.supports, key=star.supports.__getitem__)
    if len(others) <= most:
        return [star]
    pieces = [others[n : n + most] for n in range(0, len(others), most)]
    return [
        replace(
            star,
            sightings={k: star.sightings[k] for k in (star.anchor, *piece)},
            supports={k: star.supports[k] for k in piece},
        )
        for piece in pieces
    ]
