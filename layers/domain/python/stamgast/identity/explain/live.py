"""A person as the live view holds it, read as a correction reads it, and never written."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from stamgast.identity.decision import Decision
from stamgast.identity.edge import Edge, Pair
from stamgast.identity.evidence import EvidenceInMemory
from stamgast.identity.explain.case import CannotLink, Case, Pending
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Root, RootState
from stamgast.identity.settings import IdentitySettings
from stamgast.identity.star import Star
from stamgast.identity.store import IdentityStore, Outcome, Parked, Pause, StoreError, Write
from stamgast.identity.survey import Survey, survey
from stamgast.identity.view import end_of, read_chain

MOST_IDENTIFIERS = 2_000
MOST_PARKED = 1_000
TRIES = 8


class TooLargeError(Exception):
    """A component has more identifiers than an explanation reads."""


class BusyError(Exception):
    """The person is being changed, by this job."""

    def __init__(self, job: str | None) -> None:
        super().__init__("the person is being changed")
        self.job = job


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """A store that refuses every write, and reads of more identifiers than are explained."""

    store: IdentityStore

    def read_pointers(self, keys: Collection[str]) -> dict[str, Pointer]:
        """The pointers there are among these identifiers; TooLargeError for too many."""
        if len(keys) > MOST_IDENTIFIERS:
            raise TooLargeError(f"more than {MOST_IDENTIFIERS} identifiers")
        return self.store.read_pointers(keys)

    def read_persons(
        self, person_ids: Collection[str], pairs: Collection[Pair] = ()
    ) -> tuple[dict[str, Root], dict[Pair, Edge]]:
        """The roots and the edges there are among these."""
        return self.store.read_persons(person_ids, pairs)

    def edges_from(self, anchor: str) -> list[Edge]:
        """Every edge of which this identifier is the anchor."""
        return self.store.edges_from(anchor)

    def read_decisions(self, pairs: Collection[Pair]) -> Mapping[Pair, Decision]:
        """The newest decision about each of these pairs of which there is one."""
        return self.store.read_decisions(pairs)

    def commit(self, writes: Sequence[Write]) -> Outcome:
        """Refused: nobody changes a person by asking about it."""
        raise StoreError(f"{len(writes)} writes in a read")

    def park(self, star: Star) -> None:
        """Refused."""
        raise StoreError(f"parking {star.because} in a read")

    def parked(self, most: int) -> list[Parked]:
        """Up to `most` parked stars."""
        return self.store.parked(most)

    def unpark(self, parked: Parked) -> None:
        """Refused."""
        raise StoreError(f"forgetting {parked.token} in a read")


def live_case(
    store: IdentityStore, key: str, settings: IdentitySettings, pause: Pause
) -> Case | None:
    """The person of an identifier as it stands now; None when the identifier is unknown.

    Raises BusyError while a job holds the person, and StoreError when reads stay torn.
    """
    for attempt in range(TRIES):
        pointer = store.read_pointers([key]).get(key)
        if pointer is None:
            return None
        root = _root_of(store, pointer)
        found, is_whole = _survey(store, key, settings) if root else (None, False)
        if found is not None:
            return _case(store, key, found, is_whole=is_whole)
        if root is not None and root.state is RootState.SPLITTING and attempt == TRIES - 1:
            raise BusyError(root.job)
        pause(0.05 * 2**attempt)
    raise StoreError("a person's items stayed torn")


def _root_of(store: IdentityStore, pointer: Pointer) -> Root | None:
    roots, _ = read_chain(store, {pointer.person_id})
    end = end_of(pointer.person_id, roots)
    return roots[end] if end is not None else None


def _survey(
    store: IdentityStore, key: str, settings: IdentitySettings
) -> tuple[Survey | None, bool]:
    """The component, and whether it is all of it: of one that is too large the person alone."""
    try:
        return survey(ReadOnly(store), EvidenceInMemory(), {key}, settings), True
    except TooLargeError:
        return survey(ReadOnly(store), EvidenceInMemory(), {key}, settings, follows=False), False


def _case(store: IdentityStore, key: str, found: Survey, *, is_whole: bool) -> Case:
    person_id = found.home[key]
    root = found.roots[person_id]
    members = frozenset(root.members)
    edges = {pair: edge for pair, edge in found.edges.items() if not members.isdisjoint(pair)}
    edges |= _edges_to(store, found, members)
    return Case(
        key,
        person_id,
        members,
        found,
        edges,
        homes=_homes(store, {key for pair in edges for key in pair} - found.home.keys()),
        cannot_links=tuple(_cannot_link(found, pair) for pair in sorted(root.cannot_links)),
        pending=Pending(_parked(store, members), _jobs(found)),
        is_whole=is_whole,
    )


def _cannot_link(found: Survey, pair: Pair) -> CannotLink:
    told = found.decisions.get(pair)
    return CannotLink(pair, told.by, told.reason, told.at_ms) if told else CannotLink(pair)


def _edges_to(store: IdentityStore, found: Survey, members: frozenset[str]) -> dict[Pair, Edge]:
    """The edges that lead here from anchors of others, which remember whom they met."""
    met = {
        pair
        for key in members
        for other in found.traits[key].near - members
        for pair in ((key, other), (other, key))
    }
    return store.read_persons((), met - found.edges.keys())[1] if met else {}


def _homes(store: IdentityStore, keys: Collection[str]) -> dict[str, str]:
    pointers = store.read_pointers(keys) if keys else {}
    roots, _ = read_chain(store, {pointer.person_id for pointer in pointers.values()})
    ends = {key: end_of(pointer.person_id, roots) for key, pointer in pointers.items()}
    return {key: end for key, end in ends.items() if end is not None}


def _parked(store: IdentityStore, members: frozenset[str]) -> tuple[str, ...]:
    stars = [parked.star for parked in store.parked(MOST_PARKED)]
    return tuple(sorted({s.because for s in stars if not members.isdisjoint(s.sightings)}))


def _jobs(found: Survey) -> tuple[str, ...]:
    return tuple(sorted({root.job for root in found.roots.values() if root.job}))
