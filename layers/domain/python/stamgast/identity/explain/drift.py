"""How far the live view is from the lake, over a sample of identifiers."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum

from stamgast.identity.edge import EdgeState, Pair
from stamgast.identity.root import Root
from stamgast.identity.store import IdentityStore
from stamgast.identity.view import end_of, read_chain


class Agreement(StrEnum):
    """How the live person of an identifier compares with the lake's.

    Ahead is no drift: an edge that the lake has not taken in yet has moved it.
    """

    SAME = "same"
    AHEAD = "ahead"
    ABSENT = "absent"
    APART = "apart"


DRIFT = (Agreement.ABSENT, Agreement.APART)
KnownPairs = Callable[[Collection[Pair]], Collection[Pair]]


def drift_of(
    store: IdentityStore, sample: Mapping[str, str], known: KnownPairs
) -> dict[str, float | int]:
    """The sample's identifiers by agreement, with the share that drifts.

    `sample` has the lake's person of each identifier; `known` says which edges the lake has.
    """
    counts = _compared(store, sample, known)
    drifting = sum(counts[agreement] for agreement in DRIFT)
    return {
        "sampled": len(sample),
        **{agreement.value: counts[agreement] for agreement in Agreement},
        "drifting": drifting,
        "share": round(drifting / len(sample), 6) if sample else 0.0,
    }


def _compared(
    store: IdentityStore, sample: Mapping[str, str], known: KnownPairs
) -> Counter[Agreement]:
    pointers = store.read_pointers(list(sample))
    roots, _ = read_chain(store, {pointer.person_id for pointer in pointers.values()})
    counts: Counter[Agreement] = Counter()
    for key, person_id in sample.items():
        pointer = pointers.get(key)
        end = end_of(pointer.person_id, roots) if pointer else None
        if end is None:
            counts[Agreement.ABSENT] += 1
        elif end == person_id and key in roots[end].members:
            counts[Agreement.SAME] += 1
        else:
            is_ahead = _has_news(store, roots[end], known)
            counts[Agreement.AHEAD if is_ahead else Agreement.APART] += 1
    return counts


def _has_news(store: IdentityStore, root: Root, known: KnownPairs) -> bool:
    """Whether an edge that holds the live person is not in the lake yet."""
    pairs = [
        edge.pair
        for anchor in sorted(root.anchors)
        for edge in store.edges_from(anchor)
        if edge.state is EdgeState.ACTIVE
    ]
    return not set(pairs) <= set(known(pairs)) if pairs else False
