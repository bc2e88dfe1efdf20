"""What each kind of model takes and needs in `models.yaml`, and the settings of its own."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stamgast.models.declaration import Kind
from stamgast.segments.definitions import segments_of
from stamgast.segments.language.columns import ORDER_EVENT
from stamgast.segments.language.names import Scope
from stamgast.segments.language.rules import nodes_of, segments_in
from stamgast.segments.language.tree import Column

SECTIONS: Mapping[str, Kind] = {
    "contract": Kind.CHURN,
    "recommend": Kind.RECOMMENDATION,
    "experiment": Kind.UPLIFT,
    "clusters": Kind.CLUSTERS,
}
NEEDS_TARGET = frozenset({Kind.PROPENSITY, Kind.UPLIFT})
TAKES_TARGET = NEEDS_TARGET | {Kind.CHURN, Kind.DRIVERS}
WITHOUT_FEATURES = frozenset({Kind.RECOMMENDATION, Kind.DISCOUNT})
ALONE = frozenset({Kind.LIFETIME_VALUE, *WITHOUT_FEATURES})
"""Kinds that can speak without any feature."""
RULES: Mapping[str, Mapping[str, Scope]] = {
    "contract": {"starts": Scope.EVENT, "ends": Scope.EVENT},
    "recommend": {"cold_start_by": Scope.PERSON},
    "experiment": {"treated": Scope.PERSON, "held_out": Scope.PERSON},
    "clusters": {},
}
"""The texts of the language in each section."""
VALUES = frozenset({"cold_start_by"})
CUSTOMERS = "orders.count >= 1"
CONTRACT_FEATURES: Mapping[str, str] = {
    "days_in_contract": "days_since(max(event_at, {starts}))",
    "contracts": "count({starts})",
}

Fault = tuple[str, str]
Part = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seeds:
    """The segments that are declared, and those of them that rest on scores."""

    segments: frozenset[str]
    of_scores: frozenset[str]

    @classmethod
    def of(cls, segments: frozenset[str], told: Iterable[Part]) -> "Seeds":
        """The seeds among declared segments, whose documents stand in the order they rest in."""
        found: set[str] = set()
        for one in segments_of(told):
            named = (node.path[0] for node in nodes_of(one.rule.tree) if isinstance(node, Column))
            if "scores" in named or not found.isdisjoint(segments_in(one.rule.tree)):
                found.add(one.name)
        return cls(segments, frozenset(found))


def unfit(kind: Kind, part: Part, seeds: Seeds) -> Iterator[Fault]:
    """What the kind lacks, and what means nothing beside it: the key and the message of each."""
    yield from _of_target(kind, part)
    if (part["seed"] is None) is (kind is Kind.LOOK_ALIKE):
        yield "seed", "a look_alike, and nothing else, has a seed: the name of a segment"
    if part["seed"] is not None and part["seed"] not in seeds.segments:
        yield "seed", f"no segment is named '{part['seed']}'"
    if part["seed"] in seeds.of_scores:
        yield "seed", f"segment '{part['seed']}' rests on scores, in which another model speaks"
    for section, of in SECTIONS.items():
        if part[section] is not None and kind is not of:
            yield section, f"only the kind `{of}` has a section `{section}`"
    if kind is Kind.UPLIFT and part["experiment"] is None:
        yield "experiment", "an uplift needs an experiment with people who were held out"
    yield from _of_features(kind, part)


def _of_target(kind: Kind, part: Part) -> Iterator[Fault]:
    if kind in NEEDS_TARGET and part["target"] is None:
        yield "target", f"a {kind} needs a target, such as event = '{ORDER_EVENT}'"
    if part["target"] is None:
        return
    if kind not in TAKES_TARGET:
        yield "target", f"a {kind} takes no target"
    elif part["contract"] is not None:
        yield "target", "with a contract, the target is that it ends: `contract.ends`"


def _of_features(kind: Kind, part: Part) -> Iterator[Fault]:
    if kind in WITHOUT_FEATURES:
        if part["features"]:
            yield "features", f"a {kind} takes no features: it is made of what people bought"
    elif not part["defaults"] and not part["features"] and kind not in ALONE:
        yield "features", "without the default features it needs some of its own"


def settings_of(kind: Kind, part: Part, defaults: Mapping[str, Part]) -> dict[str, Any]:
    """The plain settings of the kind's section, its defaults where it was left out."""
    for section, of in SECTIONS.items():
        if of is kind and (told := part[section] or defaults.get(section)):
            return {name: one for name, one in told.items() if name not in RULES[section]}
    return {}


def population_of(part: Part) -> str:
    """Who is meant, as a rule: with a contract, those of the population who are under it."""
    told, contract = part["population"], part["contract"]
    if contract is None:
        return str(told or CUSTOMERS)
    active = f"did ({contract['starts']}) and not ({contract['ends']}) since"
    return active if told is None else f"({told}) and {active}"


def contract_features(contract: Part) -> dict[str, str]:
    """Two features more of people under contract."""
    starts = contract["starts"]
    return {name: text.format(starts=starts) for name, text in CONTRACT_FEATURES.items()}
