"""Which rules and computed traits are live, decided from their trees alone.

Live means exact at the moment of asking, whatever came late or twice. What rests on everybody
(RFM), on the order of several steps, or on sets without a bound is made by runs.
"""

from collections.abc import Iterable, Iterator, Mapping

from stamgast.segments.computed import node_of
from stamgast.segments.definitions import ComputedTrait
from stamgast.segments.language.columns import OF_HABIT
from stamgast.segments.language.rules import Rule, nodes_of
from stamgast.segments.language.tree import (
    Aggregate,
    Call,
    Clock,
    Column,
    Did,
    DidNotSince,
    Function,
    InSegment,
    Node,
    Type,
)
from stamgast.segments.language.types import type_of

Reasons = Mapping[str, str | None]
"""By name, why something is not live; None for what is."""


def why_not_live(tree: Node, traits: Reasons, segments: Reasons) -> str | None:
    """The first reason for which a tree waits for a run; None for one that is live."""
    return next(_reasons(tree, traits, segments), None)


def _reasons(tree: Node, traits: Reasons, segments: Reasons) -> Iterator[str]:
    for node in nodes_of(tree):
        match node:
            case Column(("rfm", *_)):
                yield "RFM compares everybody with everybody, which runs do"
            case Column(("scores", *_)):
                yield "scores are made by runs of models"
            case Column((root, *_)) if root in OF_HABIT:
                yield "a rhythm looks at all orders, which runs do"
            case Column(("computed", name)) if traits.get(name):
                yield f"`computed.{name}` is made by runs"
            case Aggregate(Function.COUNT_DISTINCT):
                yield "different values are counted by runs"
            case Aggregate() if node.of is not None and type_of(node.of) is Type.LIST:
                yield "lists are gathered by runs"
            case Did(steps) if len(steps) > 1:
                yield "steps one after another are followed by runs"
            case Aggregate() | Did() | DidNotSince() if _looks_at_clock(node):
                yield "a condition on events that looks at the clock is asked by runs"
            case InSegment(name) if segments.get(name):
                yield f"segment '{name}' is evaluated by runs"


def _looks_at_clock(node: Aggregate | Did | DidNotSince) -> bool:
    """Whether time alone changes which events count, other than by the window."""
    match node:
        case Aggregate():
            parts: tuple[Node | None, ...] = (node.where, node.of)
        case Did():
            parts = node.steps
        case DidNotSince():
            parts = (node.did, node.lacking)
    below = (one for part in parts if part is not None for one in nodes_of(part))
    return any(isinstance(one, Clock) or _is_since(one) for one in below)


def _is_since(node: object) -> bool:
    return isinstance(node, Call) and node.name == "days_since"


def traits_that_wait(traits: Iterable[ComputedTrait]) -> dict[str, str | None]:
    """Each computed trait with the reason for which it waits for a run, or None."""
    return {trait.name: _trait_waits(trait) for trait in traits}


def _trait_waits(trait: ComputedTrait) -> str | None:
    node = node_of(trait)
    if node is None:
        return f"`{trait.making.value}` looks at all events, which runs do"
    return why_not_live(node, {}, {})


def rules_that_wait(rules: Iterable[Rule], traits: Reasons) -> dict[str, str | None]:
    """Each rule with its reason; `rules` stand after those that they rest on."""
    found: dict[str, str | None] = {}
    for rule in rules:
        found[rule.name] = why_not_live(rule.tree, traits, found)
    return found
