"""The structure of a person's evidence: its spanning tree, its weakest edge and its bridges.

A person stands on a spanning tree of its active edges, taken best first (Kruskal 1956). The weakest
edge is the worst one of that tree: without it and everything weaker the person falls apart, while
everything better than it leaves the person whole. A bridge is an edge that alone holds two sides.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from stamgast.identity.edge import Pair, Support

Edges = Mapping[Pair, Support]


@dataclass(frozen=True, slots=True)
class Structure:
    """The edges of the spanning tree, best first, and those that nothing could replace."""

    tree: tuple[Pair, ...]
    bridges: frozenset[Pair]

    @property
    def weakest(self) -> Pair | None:
        """The worst edge of the tree; None for a person of one identifier."""
        return self.tree[-1] if self.tree else None


def structure_of(edges: Edges) -> Structure:
    """The structure of a set of active edges; every part of them gets a tree of its own."""
    tree = spanning_tree(edges)
    return Structure(tree, _bridges(tree, edges.keys() - set(tree)))


def spanning_tree(edges: Edges) -> tuple[Pair, ...]:
    """The edges that joined two sides when all are added in their order."""
    side: dict[str, str] = {}

    def head(key: str) -> str:
        while (above := side.setdefault(key, key)) != key:
            side[key] = side[above]
            key = above
        return key

    tree = []
    for pair in sorted(edges, key=lambda one: (edges[one], one)):
        left, right = head(pair[0]), head(pair[1])
        if left != right:
            side[left] = right
            tree.append(pair)
    return tuple(tree)


def _bridges(tree: tuple[Pair, ...], others: set[Pair]) -> frozenset[Pair]:
    """The tree's edges that lie on no cycle: no other edge leads around them."""
    above, depth = _rooted(tree)
    covered: set[Pair] = set()
    for a, b in others:
        while a != b:
            if depth[a] < depth[b]:
                a, b = b, a
            a, edge = above[a]
            covered.add(edge)
    return frozenset(tree) - covered


def _rooted(tree: tuple[Pair, ...]) -> tuple[dict[str, tuple[str, Pair]], dict[str, int]]:
    """For each key the one above it with the edge that leads there, and how deep it lies."""
    near: defaultdict[str, list[tuple[str, Pair]]] = defaultdict(list)
    for pair in tree:
        near[pair[0]].append((pair[1], pair))
        near[pair[1]].append((pair[0], pair))
    above: dict[str, tuple[str, Pair]] = {}
    depth: dict[str, int] = {}
    for start in sorted(near):
        waiting = [] if start in depth else [start]
        depth.setdefault(start, 0)
        while waiting:
            key = waiting.pop()
            for other, pair in near[key]:
                if other not in depth:
                    depth[other], above[other] = depth[key] + 1, (key, pair)
                    waiting.append(other)
    return above, depth
