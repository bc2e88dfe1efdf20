"""Rules and computed traits of a workspace compiled together, every fault with its place."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from stamgast.segments.definitions import ComputedTrait, Making
from stamgast.segments.language.check import checked, checked_window
from stamgast.segments.language.columns import Schema
from stamgast.segments.language.errors import RuleCycleError, RuleError
from stamgast.segments.language.event_check import valued
from stamgast.segments.language.names import Scope
from stamgast.segments.language.rules import rules_of
from stamgast.segments.language.tree import Node, Type
from stamgast.segments.language.types import type_of
from stamgast.segments.live.freshness import Reasons, rules_that_wait
from stamgast.workspace.entries import Entry
from stamgast.workspace.yaml_files import Fault, Place, YamlFile

NUMBERS = frozenset(
    {
        Making.COUNT,
        Making.SUM,
        Making.AVERAGE,
        Making.UNIQUE_COUNT,
        Making.DAYS_SINCE,
        Making.USUAL_INTERVAL,
        Making.SHARE,
    }
)
LIFETIME = "lifetime"
COMMENT = "; YAML takes ` #` and what follows for a comment: put the text under `|`"
WITHOUT_VALUE = frozenset({Making.COUNT, Making.DAYS_SINCE, Making.USUAL_INTERVAL, Making.SHARE})
"""These are made of the events themselves; every other making needs a value."""


class LanguageCompiler:
    """Compiles the texts of rules; collects faults, and leaves out what has one."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults

    def computed(self, file: YamlFile, told: Mapping[str, Entry]) -> list[ComputedTrait]:
        """The computed traits of `traits.yaml`."""
        made = [self._trait(file, name, one) for name, one in told.items()]
        return [one for one in made if one is not None]

    def segments(
        self, file: YamlFile, entries: Mapping[str, Entry], schema: Schema, traits: Reasons
    ) -> list[dict[str, Any]]:
        """The segments of `segments.yaml`, each after those that it rests on, as documents.

        `traits` says why a computed trait waits for a run, if it does.
        """
        trees: dict[str, Node] = {}
        known = len(self.faults)
        told = {name: one.part for name, one in entries.items() if one.part["rule"] is not None}
        for name, part in told.items():
            trees[name], faults = checked(part["rule"], schema)
            for fault in faults:
                self._add(file, ("segments", name, "rule"), fault)
        if len(self.faults) > known:
            return []
        try:
            rules = rules_of(trees)
        except RuleCycleError as error:
            self._cycle(file, told, error)
            return []
        waits = rules_that_wait(rules, traits)
        return [
            {**_words(rule.name, told[rule.name]), **rule.document, **lives(waits[rule.name])}
            for rule in rules
        ]

    def _cycle(self, file: YamlFile, told: Mapping[str, Any], error: RuleCycleError) -> None:
        name = error.cycle[0]
        place = ("segments", name, "rule")
        self._add(file, place, error.placed_in(told[name]["rule"]))

    def _trait(self, file: YamlFile, name: str, told: Entry) -> ComputedTrait | None:
        part, known = told.part, len(self.faults)
        if part["making"] is None:
            return None
        making = Making(part["making"])
        scope = Scope.PERSON if making is Making.EXPRESSION else Scope.EVENT
        place = ("traits", name)
        for message in () if told.faulty else _unfit(part, making):
            self.faults.append(file.fault(place, message))
        of = self._text(file, (*place, "value"), part["value"], scope, making)
        where = self._text(file, (*place, "where"), part["where"], Scope.EVENT)
        matching = self._text(file, (*place, "matching"), part["matching"], Scope.EVENT)
        window, fault = checked_window(part["window"])
        if fault is not None:
            self._add(file, (*place, "window"), fault)
        if told.faulty or len(self.faults) > known:
            return None
        trait = ComputedTrait(
            *(name, making, _type(making, of), "", of, where, matching, window),
            *(part["limit"], part["description"]),
        )
        text = json.dumps({**trait.document, "description": ""}, sort_keys=True)
        return replace(trait, version=hashlib.sha256(text.encode()).hexdigest()[:12])

    def _text(
        self,
        file: YamlFile,
        place: Place,
        text: str | None,
        scope: Scope,
        making: Making | None = None,
    ) -> Node | None:
        """The tree of a text: a condition, or the value of a making."""
        if text is None:
            return None
        tree, faults = checked(text, Schema(), scope, is_condition=making is None)
        try:
            tree = tree if making is None or faults else valued(making.value, tree)
        except RuleError as error:
            faults = [error.placed_in(text)]
        for fault in faults:
            self._add(file, place, fault)
        return None if faults else tree

    def _add(self, file: YamlFile, place: Place, error: RuleError) -> None:
        hint = COMMENT if file.is_cut_by_comment(place) else ""
        self.faults.append(file.fault(place, f"{error}{hint}", file.line_in(place, error.line)))


def lives(why_not: str | None) -> dict[str, Any]:
    """Whether something is live, and why it is not."""
    return {"live": why_not is None, "why_not_live": why_not}


def _type(making: Making, of: Node | None) -> Type:
    if making is Making.UNIQUE_LIST:
        return Type.LIST
    return Type.NUMBER if making in NUMBERS or of is None else type_of(of)


def _unfit(part: Mapping[str, Any], making: Making) -> Iterator[str]:
    """What the making lacks, and what means nothing beside it."""
    if (part["value"] is None) is not (making in WITHOUT_VALUE):
        wants = "takes no" if making in WITHOUT_VALUE else "needs a"
        yield f"`{making}` {wants} `value`"
    if (part["matching"] is None) is (making is Making.SHARE):
        wants = "needs a" if making is Making.SHARE else "takes no"
        yield f"`{making}` {wants} `matching` condition"
    if making is Making.EXPRESSION and (part["where"] or part["window"] != LIFETIME):
        yield "an expression is of the person: conditions and windows stand inside it"


def _words(name: str, part: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "text": part["rule"],
        "title": part["title"] or name.replace("_", " ").capitalize(),
        "description": part["description"],
        "purpose": part["purpose"],
        "owner": part["owner"],
    }
