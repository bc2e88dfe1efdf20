"""The tree as JSON and back: what a workspace's document keeps and live functions load."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, get_args, get_type_hints

from stamgast.segments.language import tree
from stamgast.segments.language.tree import TREE_VERSION, Literal, Node, OneOf, Type, Window

KIND = "is"
KINDS: Mapping[str, type] = {kind.__name__: kind for kind in (*get_args(Node), *get_args(Window))}


class TreeVersionError(ValueError):
    """A tree that another version of the language wrote."""


def document_of(node: Node) -> dict[str, Any]:
    """The tree with the version of its form."""
    return {"tree": TREE_VERSION, "rule": to_json(node)}


def of_document(told: Mapping[str, Any]) -> Node:
    """The tree that `document_of` told; raises TreeVersionError for another version's."""
    if told.get("tree") != TREE_VERSION:
        raise TreeVersionError(f"a tree of version {told.get('tree')}, not {TREE_VERSION}")
    node: Node = from_json(told["rule"])
    return node


def to_json(value: Any) -> Any:
    """A node as JSON: its kind and its fields; defaults are left out."""
    if isinstance(value, Literal):
        return {KIND: "Literal", "type": value.type.value, "value": _plain(value.value)}
    if type(value).__name__ in KINDS:
        kind: type = type(value)
        return {KIND: kind.__name__, **{n: to_json(getattr(value, n)) for n in _names(kind)}}
    if isinstance(value, tuple):
        return [to_json(one) for one in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def from_json(told: Any) -> Any:
    """The node that `to_json` told."""
    if isinstance(told, list):
        return tuple(from_json(one) for one in told)
    if not isinstance(told, Mapping):
        return told
    kind = KINDS[told[KIND]]
    made = {
        name: _enumerated(kind, name, from_json(value))
        for name, value in told.items()
        if name != KIND
    }
    return _restored(kind(**made))


def _restored(node: Any) -> Any:
    """Literals with the Python value of their type."""
    if isinstance(node, Literal):
        return Literal(_typed(node.type, node.value), node.type)
    if isinstance(node, OneOf):
        return OneOf(node.of, tuple(_typed(node.type, v) for v in node.values), node.type)
    return node


def _typed(kind: Type, value: Any) -> Any:
    if value is None:
        return None
    if kind is Type.DATE:
        return date.fromisoformat(value)
    return float(value) if kind in (Type.NUMBER, Type.MOMENT) else value


def _enumerated(kind: type, name: str, value: Any) -> Any:
    wanted = _hints(kind).get(name)
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return wanted(value)
    return value


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind) if one.name != "at")


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind, vars(tree))
