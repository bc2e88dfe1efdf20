"""What the live loop believed of copies of messages that lost, and what of it a run takes back.

Two payloads under one message id are in conflict, and a run keeps the first. A message that was
erased has lost as a whole: whom it founded and who stays has the id of what is left. An edge shows
its smallest support: where that names such a message, and is smaller than all that the inputs say
of the pair, no copy that counts says it. What came while the run ran names messages that the inputs
do not know, and stays.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from stamgast.identity.edge import Edge, Pair, Support
from stamgast.identity.evidence import Evidence
from stamgast.identity.pointer import Pointer
from stamgast.identity.served import Neighbours
from stamgast.identity.star import Sighting


@dataclass(frozen=True, slots=True)
class Doubts:
    """What does not count of live identifiers: whom they `met` instead, void births, words.

    How well an identifier in `disputed` is known is for the inputs to say; they may not name it.
    """

    met: Mapping[str, Neighbours] = field(default_factory=dict)
    births: Collection[str] = ()
    disputed: Collection[str] = ()


NO_DOUBTS = Doubts()


def void_pairs(
    evidence: Evidence, edges: Iterable[Edge], links: Mapping[Pair, Support]
) -> frozenset[Pair]:
    """The live edges whose support is that of a losing copy; `links` is what the inputs say."""
    suspects = [e for e in edges if e.pair not in links or e.support < links[e.pair]]
    lost = evidence.conflicting({edge.support.message_key for edge in suspects})
    return frozenset(edge.pair for edge in suspects if edge.support.message_key in lost)


def void_births(
    evidence: Evidence, pointers: Mapping[str, Pointer], seen: Mapping[str, Sighting]
) -> frozenset[str]:
    """The identifiers whose founding receipt is that of a losing copy, or was erased.

    Or was so in an earlier run, which knew of nothing else that names them.
    """
    suspects = {
        key: pointer.born
        for key, pointer in pointers.items()
        if key not in seen or pointer.born < seen[key].born
    }
    lost = evidence.conflicting({born.message_key for born in suspects.values()})
    return frozenset(
        key for key, born in suspects.items() if born.is_void or born.message_key in lost
    )


def without(pairs: Collection[Pair], pointers: Mapping[str, Pointer]) -> dict[str, Neighbours]:
    """Whom each identifier met, less the other ends of these pairs."""
    gone = defaultdict[str, set[str]](set)
    for a, b in pairs:
        gone[a].add(b)
        gone[b].add(a)
    return {
        key: Neighbours(pointer.met.near - gone[key], pointer.met.vouched - gone[key])
        for key, pointer in pointers.items()
    }
