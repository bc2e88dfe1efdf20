"""What a step of identity has read: pointers, where each of them ends, roots and edges."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from stamgast.identity.edge import Edge, Pair
from stamgast.identity.pointer import Pointer
from stamgast.identity.root import Root, RootState
from stamgast.identity.store import IdentityStore


@dataclass(frozen=True, slots=True)
class View:
    """Reads that fit together; `home` is the person in which each pointer ends."""

    pointers: Mapping[str, Pointer]
    home: Mapping[str, str]
    roots: Mapping[str, Root]
    edges: Mapping[Pair, Edge]

    @property
    def is_locked(self) -> bool:
        """Whether a job holds one of these persons."""
        return any(root.state is RootState.SPLITTING for root in self.roots.values())


def read_view(
    store: IdentityStore,
    keys: Collection[str],
    pairs: Collection[Pair] = (),
    pointers: Mapping[str, Pointer] | None = None,
) -> View | None:
    """Pointers first, then roots and edges; None when they do not fit together.

    A pointer counts only if the ACTIVE root in which it ends lists the identifier. `pointers` may
    hold what was read before: a stale one is found out in the same way.
    """
    if pointers is None:
        pointers = store.read_pointers(keys)
    pointers = {key: pointers[key] for key in keys if key in pointers}
    read, edges = read_chain(store, {p.person_id for p in pointers.values()}, pairs)
    home: dict[str, str] = {}
    for key, pointer in pointers.items():
        end = end_of(pointer.person_id, read)
        if end is None or not _fits(key, read[end]):
            return None
        home[key] = end
    return View(pointers, home, {p: read[p] for p in set(home.values())}, edges)


def read_chain(
    store: IdentityStore, person_ids: Collection[str], pairs: Collection[Pair] = ()
) -> tuple[dict[str, Root], dict[Pair, Edge]]:
    """The roots of these ids and every root they were merged into, each read once."""
    roots: dict[str, Root] = {}
    edges: dict[Pair, Edge] = {}
    wanted = set(person_ids)
    while wanted or pairs:
        found, more = store.read_persons(wanted, pairs)
        roots |= found
        edges |= more
        wanted = {root.into for root in found.values() if root.into} - roots.keys()
        pairs = ()
    return roots, edges


def end_of(person_id: str, roots: Mapping[str, Root]) -> str | None:
    """The person that a chain of merges ends in; None when the chain is torn."""
    seen: set[str] = set()
    while person_id not in seen:
        seen.add(person_id)
        root = roots.get(person_id)
        if root is None or root.state is not RootState.MERGED:
            return None if root is None else person_id
        person_id = root.into or person_id
    return None


def _fits(key: str, root: Root) -> bool:
    return root.state is not RootState.ACTIVE or key in root.members
