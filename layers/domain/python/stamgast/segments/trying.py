"""A rule that somebody tries out: compiled among the segments in force, never put in force."""

from collections.abc import Sequence
from dataclasses import dataclass

from stamgast.segments.definitions import ComputedTrait, Segment
from stamgast.segments.language.check import checked
from stamgast.segments.language.columns import Schema
from stamgast.segments.language.errors import RuleCycleError, RuleError
from stamgast.segments.language.rules import Rule, rules_of

NAMELESS = "_rule"
"""The name of a rule that was given without one: no segment of a workspace can be called so."""


@dataclass(frozen=True, slots=True)
class Tried:
    """All rules with the one that is tried among them, each after those that it rests on."""

    name: str
    text: str
    rules: tuple[Rule, ...]

    @property
    def rule(self) -> Rule:
        """The rule that is tried."""
        return next(rule for rule in self.rules if rule.name == self.name)


def tried(
    name: str,
    text: str | None,
    segments: Sequence[Segment],
    traits: Sequence[ComputedTrait],
    models: frozenset[str] = frozenset(),
    purposes: frozenset[str] = frozenset(),
) -> Tried | list[RuleError]:
    """The segment of this name with its rule, or with another text in its place; else the faults.

    Without a text, a segment of this name must exist.
    """
    if text is None:
        told = next(one for one in segments if one.name == name)
        return Tried(name, told.text, tuple(one.rule for one in segments))
    names = frozenset(one.name for one in segments) | ({name} - {NAMELESS})
    schema = Schema(names, {one.name: one.type for one in traits}, models, purposes)
    tree, faults = checked(text, schema)
    if faults:
        return faults
    trees = {one.name: one.rule.tree for one in segments} | {name: tree}
    try:
        return Tried(name, text, rules_of(trees))
    except RuleCycleError as error:
        return [error.placed_in(text)]
