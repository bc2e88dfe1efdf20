"""Models of a workspace compiled: target, population and features as trees, every fault placed."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace
from typing import Any

from stamgast.models.declaration import Cutoffs, Feature, Kind, Model
from stamgast.models.features import BY_LIST, DEFAULT_FEATURES
from stamgast.segments.language.check import checked
from stamgast.segments.language.columns import ORDER_EVENT, Schema
from stamgast.segments.language.errors import RuleError
from stamgast.segments.language.names import Scope
from stamgast.segments.language.tree import Node, Type
from stamgast.segments.language.types import type_of
from stamgast.workspace.entries import Entry
from stamgast.workspace.model_kinds import (
    CONTRACT_FEATURES,
    RULES,
    SECTIONS,
    VALUES,
    WITHOUT_FEATURES,
    Seeds,
    contract_features,
    population_of,
    settings_of,
    unfit,
)
from stamgast.workspace.model_schema import SECTION_DEFAULTS, ModelPart
from stamgast.workspace.yaml_files import Fault, Place, YamlFile

NUMBERS = frozenset({Type.NUMBER, Type.BOOLEAN})
TARGETS: Mapping[Kind | None, str] = {Kind.CHURN: f"event = '{ORDER_EVENT}'"}
WORDS = ("within_days", "seed", "purpose", "train_every_days", "least_of_each", "margin")
TEXTS = ("target", "population", "exclude")
ALLOWABLE = frozenset({"kind", "defaults", "features", "allow", "contract"})
"""Where one of these has a fault of its form, nobody can say which features there are."""
ASKED_ALREADY = (
    "a leak is looked for under this name (whom lists without times join); take another name"
)


class ModelCompiler:
    """Compiles the models of a file; collects faults, and leaves out what has one.

    `schema` has the computed traits; `seeds` the segments that may be one.
    """

    def __init__(self, file: YamlFile, schema: Schema, seeds: Seeds, faults: list[Fault]) -> None:
        self.file = file
        self.schema = schema
        self.seeds = seeds
        self.faults = faults

    def documents(self, told: Mapping[str, Entry]) -> list[dict[str, Any]]:
        """The models as documents."""
        made = (self._model(name, one) for name, one in told.items())
        return [model.document for model in made if model is not None]

    def _model(self, name: str, told: Entry) -> Model | None:
        part, known = told.part, len(self.faults)
        kind = None if part["kind"] is None else Kind(part["kind"])
        self._require_fit(name, kind, told)
        rules = self._rules(name, part)
        under = part if {"starts", "ends"} <= set(rules) else {**part, "contract": None}
        texts = _texts(kind, under)
        target, population, exclude = (self._tree(name, key, texts[key]) for key in TEXTS)
        features = () if kind in WITHOUT_FEATURES else tuple(self._features(name, under))
        if not told.faulty & ALLOWABLE:
            of_contract = CONTRACT_FEATURES if part["contract"] is not None else ()
            given = {*(feature.name for feature in features), *of_contract, BY_LIST}
            self._require_known(name, part["allow"], given)
        if told.faulty or len(self.faults) > known or kind is None or population is None:
            return None
        model = Model(
            name=name,
            kind=kind,
            version="",
            features=features,
            cutoffs=Cutoffs(**part["cutoffs"]),
            title=part["title"] or name.replace("_", " ").capitalize(),
            description=part["description"],
            texts=texts,
            target=target,
            population=population,
            exclude=exclude,
            settings=settings_of(kind, part, SECTION_DEFAULTS),
            rules=rules,
            allow=tuple(part["allow"]),
            **{word: part[word] for word in WORDS},
        )
        return replace(model, version=_version(model))

    def _require_fit(self, name: str, kind: Kind | None, told: Entry) -> None:
        """Adds what the kind lacks; not what may stand under a name that nobody knows."""
        if kind is None or not told.faulty <= ModelPart.model_fields.keys():
            return
        for key, message in unfit(kind, told.part, self.seeds):
            if key not in told.faulty:
                self.faults.append(self.file.fault(("models", name, key), message))

    def _rules(self, name: str, part: Mapping[str, Any]) -> dict[str, Node]:
        """The trees that the section of its kind names, of those texts that are sound."""
        found = {}
        for section in SECTIONS:
            for key, scope in RULES[section].items():
                text = (part[section] or {}).get(key)
                if text is not None:
                    is_condition = key not in VALUES
                    tree, faults = checked(text, self.schema, scope, is_condition=is_condition)
                    self._add(("models", name, section, key), faults)
                    if not faults:
                        found[key] = tree
        return found

    def _tree(self, name: str, key: str, text: str | None) -> Node | None:
        if text is None:
            return None
        scope = Scope.EVENT if key == "target" else Scope.PERSON
        tree, faults = checked(text, self.schema, scope)
        self._add(("models", name, key), faults)
        return tree

    def _features(self, name: str, part: Mapping[str, Any]) -> Iterator[Feature]:
        defaults = dict(DEFAULT_FEATURES) if part["defaults"] else {}
        if part["defaults"] and part["contract"] is not None:
            defaults |= contract_features(part["contract"])
        for feature, text in {**defaults, **part["features"]}.items():
            place = ("models", name, "features", feature)
            tree, faults = checked(text, self.schema, Scope.PERSON, is_condition=False)
            self._add(place, faults)
            if not faults and type_of(tree) not in NUMBERS:
                message = "a feature is a number or a condition, such as traits.city = 'Delft'"
                if type_of(tree) is Type.ANY:
                    message += f"; for the number that a trait tells, say `{text} + 0`"
                self.faults.append(self.file.fault(place, message))
            if feature == BY_LIST:
                self.faults.append(self.file.fault(place, ASKED_ALREADY))
            yield Feature(feature, tree, text)

    def _require_known(self, name: str, allowed: Iterable[str], known: Set[str]) -> None:
        for place, feature in enumerate(allowed):
            if feature not in known:
                message = f"{feature!r} is no feature of this model"
                self.faults.append(self.file.fault(("models", name, "allow", str(place)), message))

    def _add(self, place: Place, faults: list[RuleError]) -> None:
        for fault in faults:
            line = self.file.line_in(place, fault.line)
            self.faults.append(self.file.fault(place, str(fault), line))


def _texts(kind: Kind | None, part: Mapping[str, Any]) -> dict[str, str | None]:
    """Target, population and exclusion as they are asked; with a contract, the first two of it."""
    contract = part["contract"]
    target = part["target"] or TARGETS.get(kind)
    return {
        "target": target if contract is None else contract["ends"],
        "population": population_of(part),
        "exclude": part["exclude"],
    }


def _version(model: Model) -> str:
    """Of all that changes what it predicts; words about it do not."""
    document = {**model.document, "title": "", "description": "", "texts": {}}
    told = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:12]
