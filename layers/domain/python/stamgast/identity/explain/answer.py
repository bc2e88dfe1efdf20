"""An explanation as JSON: structure, cuts, refusals, each value masked unless it may be told."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from stamgast.identity.edge import Edge, EdgeState, Pair, Reason, Support
from stamgast.identity.explain.case import CannotLink, Case, Provisional
from stamgast.identity.explain.effects import Effect, Part, effects_of, is_settled
from stamgast.identity.explain.masking import masked
from stamgast.identity.explain.structure import Structure, structure_of
from stamgast.identity.links import is_calibrated
from stamgast.identity.rules import kind_of, value_limit
from stamgast.identity.served import Off
from stamgast.identity.settings import IdentitySettings
from stamgast.moments import iso_of

Json: TypeAlias = dict[str, Any]
MayTell: TypeAlias = Callable[[str], bool]
MOST_MESSAGES = 5
WHY = {
    Reason.CANNOT_LINK: "the two were cut apart, and no path may join them until that is lifted",
    Reason.MERGE_LIMIT: "the person would be made of more named ones than the merge limit",
    Reason.NAMESPACE_LIMIT: "the person would have more identifiers of one kind than it may",
    Reason.PERSON_LIMIT: "the person would have more identifiers than the person limit",
    Reason.TWO_KNOWN_PERSONS: "the link is only claimed, and both persons are known",
    Reason.VALUE_LIMIT: "one of the values serves more than it may, so it links nobody",
}


@dataclass(frozen=True, slots=True)
class Telling:
    """Under which settings, with which values, to whom; `may_tell` asks a namespace."""

    settings: IdentitySettings
    values: Mapping[str, str]
    may_tell: MayTell
    most_cuts: int

    def identifier(self, key: str) -> Json:
        """An identifier with its value, whole or masked; None where the value is not known."""
        namespace = key.partition(":")[0]
        value = self.values.get(key)
        is_told = self.may_tell(namespace)
        shown = value if is_told or value is None else masked(namespace, value, self.settings)
        return {
            "key": key,
            "namespace": namespace,
            "value": shown,
            "is_masked": value is not None and not is_told,
        }

    def pair(self, pair: Pair) -> Json:
        """Both ends of an edge."""
        return {"a": self.identifier(pair[0]), "b": self.identifier(pair[1])}


def explanation_of(case: Case, telling: Telling) -> Json:
    """The whole explanation, without the heading that says from where it was answered."""
    active = case.active
    structure = structure_of(active)
    root = case.found.roots[case.person_id]
    asked = _asked_cuts(active, structure, telling.most_cuts)
    weakest = structure.weakest
    return {
        "identifier": telling.identifier(case.key),
        "person_id": case.person_id,
        "born_at": iso_of(root.born.received_ms),
        "founding_message": root.born.message_key,
        "is_settled": is_settled(case, telling.settings),
        "is_whole_component": case.is_whole,
        "identifiers": [_member(case, key, telling) for key in sorted(case.members)],
        "evidence": [_edge(case, pair, structure, telling) for pair in _ordered(active)],
        "weakest": _edge(case, weakest, structure, telling) if weakest else None,
        "bridges": len(structure.bridges),
        "cuts": [_effect(e, telling) for e in effects_of(case, asked, telling.settings)],
        "cuts_left_out": len(active) - len(asked),
        "refused": [_refusal(case, edge, telling) for edge in case.apart],
        "off": [_off(case, key, telling) for key in _values_off(case)],
        "cannot_links": [_cannot_link(one, telling) for one in case.cannot_links],
        "provisional": [_provisional(one, telling) for one in case.provisional],
        "pending": {"parked": list(case.pending.parked), "jobs": list(case.pending.jobs)},
    }


def _ordered(edges: Mapping[Pair, Support]) -> list[Pair]:
    return sorted(edges, key=lambda pair: (edges[pair], pair))


def _asked_cuts(
    active: Mapping[Pair, Support], structure: Structure, most: int
) -> Collection[Pair]:
    """The weakest first: of the tree, for a cut elsewhere takes an edge of the tree with it."""
    tree = list(reversed(structure.tree))
    rest = [pair for pair in reversed(_ordered(active)) if pair not in set(tree)]
    return (tree + rest)[:most]


def _member(case: Case, key: str, telling: Telling) -> Json:
    trait, root = case.found.traits[key], case.found.roots[case.person_id]
    member = root.members.get(key)
    return {
        **telling.identifier(key),
        "kind": kind_of(key, telling.settings).value,
        "assurance": trait.assurance.name.lower(),
        "first_received_at": iso_of(trait.born.received_ms),
        "is_founder": key == root.founder,
        "is_anchor": key in case.found.anchors,
        "is_off": trait.is_off,
        "trust_group": member.group if member else key,
    }


def _edge(case: Case, pair: Pair, structure: Structure, telling: Telling) -> Json:
    edge = case.edges[pair]
    return {
        **telling.pair(pair),
        **_support(edge),
        "in_tree": pair in structure.tree,
        "is_bridge": pair in structure.bridges,
        **_messages(case, pair),
    }


def _support(edge: Edge) -> Json:
    return {**_message(edge.support), "rule": edge.rule, "priority": edge.support.priority}


def _message(support: Support) -> Json:
    return {
        "message": support.message_key,
        "event_at": iso_of(support.event_ms),
        "source": support.source_id or None,
        "assurance": support.assurance.name.lower(),
    }


def _messages(case: Case, pair: Pair) -> Json:
    supports = case.supports.get(pair, ())
    told = [_message(support) for support in supports[:MOST_MESSAGES]]
    return {"messages": told, "supported_by": len(supports)} if supports else {}


def _effect(effect: Effect, telling: Telling) -> Json:
    is_final = effect.parts == effect.settled
    return {
        **telling.pair(effect.pair),
        "persons": _parts(effect.parts, telling),
        "persons_after_run": None if is_final else _parts(effect.settled, telling),
    }


def _parts(parts: tuple[Part, ...], telling: Telling) -> list[Json]:
    return [
        {
            "person_id": part.person_id,
            "is_same_person": part.is_same_person,
            "identifiers": [telling.identifier(key) for key in part.identifiers],
        }
        for part in parts
    ]


def _refusal(case: Case, edge: Edge, telling: Telling) -> Json:
    why = edge.why
    beyond = [key for key in edge.pair if key not in case.members]
    return {
        **telling.pair(edge.pair),
        **_support(edge),
        "state": edge.state.value,
        "reason": why.value if why else edge.state.value,
        "because": WHY.get(why, "it was cut") if why else _without_reason(edge),
        "other_person": case.home_of(beyond[0]) if beyond else case.person_id,
        **_messages(case, edge.pair),
    }


def _without_reason(edge: Edge) -> str:
    return WHY[Reason.CANNOT_LINK] if edge.state is EdgeState.CUT else "a rule refused it"


def _values_off(case: Case) -> list[str]:
    """The values that link nobody, among the person's own and those that it met."""
    near = {key for edge in case.edges.values() for key in edge.pair} | case.members
    return sorted(k for k in near if k in case.found.traits and case.found.traits[k].is_off)


def _off(case: Case, key: str, telling: Telling) -> Json:
    return {
        **telling.identifier(key),
        "neighbours_known": len(case.found.traits[key].near),
        "limit": value_limit(key.partition(":")[0], telling.settings),
        "blocks": "claims" if case.found.traits[key].off is Off.TO_CLAIMS else "everything",
    }


def _cannot_link(one: CannotLink, telling: Telling) -> Json:
    return {
        **telling.pair(one.pair),
        "by": one.by,
        "reason": one.reason,
        "recorded_at": None if one.recorded_ms is None else iso_of(one.recorded_ms),
    }


def _provisional(one: Provisional, telling: Telling) -> Json:
    return {
        **telling.pair(one.pair),
        "probability": round(one.probability, 6),
        "is_calibrated": is_calibrated(one.rule),
        "rule": one.rule,
        "event_at": iso_of(one.event_ms),
        "expires_at": None if one.expires_ms is None else iso_of(one.expires_ms),
        "state": one.state,
        "reasons": dict(sorted(one.reasons.items(), key=_heaviest_first)),
    }


def _heaviest_first(reason: tuple[str, Any]) -> float:
    weight = reason[1]
    return -abs(weight) if isinstance(weight, int | float) else 0.0
