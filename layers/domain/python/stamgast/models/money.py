"""Amounts among features: which expressions hold one, each made of one's own currency alone."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from stamgast.segments.language.rules import nodes_of
from stamgast.segments.language.tree import Aggregate, And, Column, Compare, Field, Node, OneOf

AMOUNTS = frozenset({("orders", "revenue"), ("order", "revenue"), ("rfm", "monetary")})
NO_TRAITS: frozenset[str] = frozenset()


def is_in_money(tree: Any, computed: frozenset[str] = NO_TRAITS) -> bool:
    """Whether an amount of orders is anywhere in a tree, or a computed trait of these names."""
    named = (node.path for node in nodes_of(tree) if isinstance(node, Column | Field))
    return any(path in AMOUNTS or (path[0] == "computed" and path[1] in computed) for path in named)


def in_own_currency(tree: Any) -> Any:
    """The tree, its amounts made of the orders in the person's principal currency alone.

    So `max(order.revenue)` of somebody who pays in two currencies compares no euros with yen.
    """
    if isinstance(tree, tuple):
        return tuple(in_own_currency(one) for one in tree)
    if not is_dataclass(tree) or isinstance(tree, type):
        return tree
    told = replace(
        tree, **{one.name: in_own_currency(getattr(tree, one.name)) for one in fields(tree)}
    )
    if isinstance(told, Aggregate) and _is_of_amounts(told):
        return replace(told, is_principal=True)
    return told


def _is_of_amounts(node: Aggregate) -> bool:
    """Whether only events with an amount count: it is made of amounts, or cannot hold without."""
    parts: tuple[Node | None, ...] = node.where.parts if isinstance(node.where, And) else ()
    needed = [one for one in (node.where, *parts) if isinstance(one, Compare | OneOf)]
    return any(is_in_money(one) for one in (node.of, *needed) if one is not None)
