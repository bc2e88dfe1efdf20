"""From identifiers to profiles: two rounds to the store, a third after a merge or for values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from stamgast.identity.pointer import Pointer
from stamgast.lookup.person import Lens, Person, Profile, Row, Sight, profile_of, sight_of
from stamgast.profile.facts import Facts
from stamgast.profile.store import Pair
from stamgast.segments.live.coverage import Coverage

MOST_ROUNDS = 8


class Moved(NamedTuple):
    """What stands where a person was before a merge: the person it went into."""

    into: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What one round brought: roots (or where they went) by person, facts by anchor.

    `pairs` are the items of which the facts were folded: live rules look at them.
    """

    people: Mapping[str, Person | Moved] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)
    pairs: Mapping[str, Pair] = field(default_factory=dict)

    def __or__(self, other: "Reading") -> "Reading":
        return Reading(
            {**self.people, **other.people},
            {**self.facts, **other.facts},
            {**self.pairs, **other.pairs},
        )


class ProfileStore(Protocol):
    """What a look-up needs of a store; each call is one round, its reads side by side."""

    def pointers(self, keys: Iterable[str]) -> Mapping[str, Pointer]:
        """The pointers that exist among these identifiers."""

    def read(self, person_ids: Iterable[str], anchors: Iterable[str]) -> Reading:
        """Roots with their rows, and facts; every anchor asked for has an entry."""

    def values(self, keys: Iterable[str]) -> Mapping[str, Row]:
        """What may be told of identifiers, such as `{"value": …, "assurance": …}`."""

    def coverage(self) -> Coverage:
        """What runs have published so far."""


def find(
    keys: Iterable[str],
    store: ProfileStore,
    lens: Lens,
    *,
    with_values: bool = False,
    is_live: bool = False,
) -> dict[str, Profile]:
    """The profiles of those identifiers (given by key) that are known.

    Somebody who is not known costs the same rounds, so that time tells nobody who is. The facts of
    all anchors of a person are read, in sight or not, for a consent is of the person;
    with `is_live` the profile brings their items, too, for so is a segment.
    """
    keys = tuple(dict.fromkeys(keys))
    sights, reading = _look(keys, store, lens)
    told = {key for sight in sights.values() for key in sight.keys} if with_values else set()
    told |= {key for key in keys if key not in sights} if with_values else set()
    values = store.values(told) if told else {}
    return {
        key: profile_of(sight, reading.facts, values, reading.pairs if is_live else {})
        for key, sight in sights.items()
    }


def sights(keys: Iterable[str], store: ProfileStore, lens: Lens) -> dict[str, Sight]:
    """What each known identifier may see, without a thought to facts."""
    pointers = store.pointers(keys)
    reading = store.read({p.person_id for p in pointers.values()}, ())
    reading = _followed(pointers, reading, store)
    return _sights(pointers, reading, lens)


def _look(
    keys: tuple[str, ...], store: ProfileStore, lens: Lens
) -> tuple[dict[str, Sight], Reading]:
    pointers = store.pointers(keys)
    hinted = {anchor for pointer in pointers.values() for anchor in pointer.hint} | set(keys)
    # No person's id is an identifier's key: there is nobody to be read under it.
    people = {pointers[key].person_id if key in pointers else key for key in keys}
    reading = _followed(pointers, store.read(people, hinted), store)
    found = _sights(pointers, reading, lens)
    wanted = {anchor for sight in found.values() for anchor in sight.person.root.anchors}
    missing = wanted.difference(reading.facts)
    if missing:
        reading |= store.read((), missing)
    return found, reading


def _followed(pointers: Mapping[str, Pointer], reading: Reading, store: ProfileStore) -> Reading:
    """The reading with every move of a wanted person followed to where it ends."""
    for _ in range(MOST_ROUNDS):
        ends = {_end(pointer.person_id, reading) for pointer in pointers.values()}
        unread = ends.difference(reading.people)
        if not unread:
            return reading
        found = store.read(unread, ())
        reading |= found
        if not unread & found.people.keys():
            return reading
    return reading


def _end(person_id: str, reading: Reading) -> str:
    """The last person on the way of moves that has been read so far."""
    seen = {person_id}
    while isinstance(there := reading.people.get(person_id), Moved) and there.into not in seen:
        person_id = there.into
        seen.add(person_id)
    return person_id


def _sights(pointers: Mapping[str, Pointer], reading: Reading, lens: Lens) -> dict[str, Sight]:
    found = {}
    for key, pointer in pointers.items():
        person = reading.people.get(_end(pointer.person_id, reading))
        if isinstance(person, Person):
            found[key] = sight_of(person, key, lens)
    return found
