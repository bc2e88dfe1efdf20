"""The rules of a workspace together: in the order in which they rest on each other."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from stamgast.segments.language.codec import document_of, of_document, to_json
from stamgast.segments.language.errors import RuleCycleError
from stamgast.segments.language.reading import reader_of
from stamgast.segments.language.tree import InSegment, Node
from stamgast.segments.language.view import Reader, View


@dataclass(frozen=True, slots=True)
class Rule:
    """A segment's rule; `version` tells whether it, or a rule that it rests on, says the same."""

    name: str
    tree: Node
    version: str

    @property
    def document(self) -> dict[str, Any]:
        """The rule as JSON."""
        return {"name": self.name, "version": self.version, **document_of(self.tree)}


def rule_of_document(told: Mapping[str, Any]) -> Rule:
    """The rule that a JSON document tells."""
    return Rule(told["name"], of_document(told), told["version"])


def rules_of(trees: Mapping[str, Node]) -> tuple[Rule, ...]:
    """The rules, each after those that it rests on; raises RuleCycleError, the cycle named."""
    made: dict[str, Rule] = {}
    for name in ordered(trees):
        below = [made[other].version for other in sorted(segments_in(trees[name]))]
        told = json.dumps([to_json(trees[name]), below], sort_keys=True, ensure_ascii=False)
        version = hashlib.sha256(told.encode()).hexdigest()[:12]
        made[name] = Rule(name, trees[name], version)
    return tuple(made.values())


def ordered(trees: Mapping[str, Node]) -> list[str]:
    """The names, each after those it rests on, else as they stand; raises RuleCycleError."""
    done: list[str] = []
    for name in trees:
        _visit(name, trees, done, [])
    return done


def _visit(name: str, trees: Mapping[str, Node], done: list[str], path: list[str]) -> None:
    if name in done or name not in trees:
        return
    if name in path:
        cycle = [*path[path.index(name) :], name]
        raise RuleCycleError(cycle, _place(trees, cycle))
    for other in segments_in(trees[name]):
        _visit(other, trees, done, [*path, name])
    done.append(name)


def _place(trees: Mapping[str, Node], cycle: list[str]) -> int:
    """Where the first segment of the cycle names the second."""
    named = (node for node in nodes_of(trees[cycle[0]]) if isinstance(node, InSegment))
    return next(node.at for node in named if node.name == cycle[1])


def segments_in(tree: Node) -> list[str]:
    """The segments that a rule names, in the order in which it does."""
    return list(dict.fromkeys(n.name for n in nodes_of(tree) if isinstance(n, InSegment)))


def nodes_of(tree: Any) -> Iterator[Any]:
    """Every node of a tree, the tree itself first."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting += reversed(node)
        elif is_dataclass(node):
            yield node
            waiting += [getattr(node, one.name) for one in reversed(fields(node))]


class RuleBook:
    """Every rule compiled once; evaluates all of them for one person."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self._readers: tuple[tuple[str, Reader], ...] = tuple(
            (rule.name, reader_of(rule.tree)) for rule in rules
        )

    def evaluate(self, view: View) -> dict[str, bool]:
        """Whether the person is in each segment: a rule that is null keeps out, like a false one.

        Also kept in the view's `is_in`, by which later rules see earlier ones.
        """
        is_in = view.is_in
        for name, reader in self._readers:
            is_in[name] = reader(view) is True
        return is_in
