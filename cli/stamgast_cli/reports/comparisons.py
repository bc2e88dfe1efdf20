"""What distinguishes a segment: rows of counts with their lift, the surest difference first."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stamgast.identity.orders import COMPLETED
from stamgast.segments.definitions import Segment
from stamgast.segments.language.rules import nodes_of, segments_in
from stamgast.segments.language.tree import Column, Field, Literal, Node
from stamgast_cli.reports.small import Minimum
from stamgast_learn.lift import Counted, Lift, lifts

MOST_COMPARED = 2_000
Row = dict[str, Any]
Named = frozenset[tuple[str, str | None]]
# Scores, stages and counts are all made of the same orders.
OF_ORDERS: tuple[tuple[str, None], ...] = (("orders", None), ("rfm", None), ("lifecycle", None))


def compared(
    rows: Iterable[Row], sizes: Mapping[str, int], minimum: Minimum, named: Named
) -> dict[str, Any]:
    """One family of comparisons: its rows, how many were withheld, and how many left out.

    A row is withheld when it tells of too few members or too few others. Of the rest the
    `MOST_COMPARED` that most people have are compared.
    """
    told = list(rows)
    shown = [one for one in told if not _is_small(one, minimum)]
    shown.sort(key=lambda one: (-one["everyone"], _place(one)))
    kept = shown[:MOST_COMPARED]
    counts = [Counted(one["segment"], one["everyone"]) for one in kept]
    found = lifts(counts, sizes["segment"], sizes["everyone"])
    paired = sorted(zip(kept, found, strict=True), key=_surest_first)
    return {
        "rows": [_row(one, lift, sizes, named) for one, lift in paired],
        "suppressed": len(told) - len(shown),
        "left_out": len(shown) - len(kept),
    }


def _is_small(row: Row, minimum: Minimum) -> bool:
    return minimum.hides(row["segment"], row["everyone"] - row["segment"])


def _place(row: Row) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in ("kind", "name", "value", "low", "high"))


def _surest_first(pair: tuple[Row, Lift]) -> tuple[Any, ...]:
    row, lift = pair
    q = 1.0 if lift.q is None else lift.q
    return not lift.is_distinguishing, -lift.strength, q, -row["everyone"], _place(row)


def _row(row: Row, lift: Lift, sizes: Mapping[str, int], named: Named) -> Row:
    return {
        "kind": row["kind"],
        "name": row["name"],
        "value": row.get("value"),
        "above": row.get("low"),
        "up_to": row.get("high"),
        "segment": row["segment"],
        "everyone": row["everyone"],
        "segment_share": _share(row["segment"], sizes["segment"]),
        "everyone_share": _share(row["everyone"], sizes["everyone"]),
        "lift": lift.lift,
        "lift_low": lift.low,
        "lift_high": lift.high,
        "confidence": lift.confidence,
        "p": lift.p,
        "q": lift.q,
        "is_distinguishing": lift.is_distinguishing,
        "is_of_the_rule": is_named(row, named),
    }


def _share(count: int, of: int) -> float | None:
    return count / of if of else None


def is_named(row: Mapping[str, Any], named: Named) -> bool:
    """Whether the rule itself speaks of this, so that a difference is no discovery."""
    kind, name = row["kind"], row["name"]
    return (kind, None) in named or (kind, name) in named


def named_by(name: str, segments: Sequence[Segment]) -> Named:
    """What a segment's rule speaks of, and the rules that it rests on: kinds and names.

    Of products, categories and channels it speaks by the values that it writes.
    """
    by_name = {one.name: one for one in segments}
    found: set[tuple[str, str | None]] = set()
    waiting, seen = [name], set[str]()
    while waiting:
        one = waiting.pop()
        if one in seen or one not in by_name:
            continue
        seen.add(one)
        tree = by_name[one].rule.tree
        waiting += segments_in(tree)
        found |= {("segment", other) for other in segments_in(tree)}
        found |= _spoken_of(tree)
    return frozenset(found)


def _spoken_of(tree: Node) -> set[tuple[str, str | None]]:
    nodes = list(nodes_of(tree))
    texts = {str(node.value) for node in nodes if isinstance(node, Literal)}
    found: set[tuple[str, str | None]] = set(OF_ORDERS) if COMPLETED in texts else set()
    for node in nodes:
        if isinstance(node, Column | Field):
            found.update(_kinds(node.path, texts))
    return found


def _kinds(path: tuple[str, ...], texts: set[str]) -> Iterable[tuple[str, str | None]]:
    match path:
        case ("traits", *rest):
            yield "trait", ".".join(rest)
        case ("computed", name, *_):
            yield "computed", name
        case ("consent", purpose, *_):
            yield "trait", f"consent.{purpose}"
        case ("orders" | "order" | "rfm", *_):
            yield from OF_ORDERS
        case ("products", "category"):
            yield from (("category", text) for text in texts)
        case ("products", "product_id"):
            yield from (("product", text) for text in texts)
        case ("properties" | "context", "channel"):
            yield from (("channel", text) for text in texts)
