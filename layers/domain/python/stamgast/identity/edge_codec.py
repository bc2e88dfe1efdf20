"""Edges and decisions about pairs as plain attributes and back."""

from typing import Any

from stamgast.identity.codec import SCHEMA, Attributes, Read
from stamgast.identity.decision import Decision, Verdict
from stamgast.identity.edge import Edge, EdgeState, Pair, Reason, Support


def support_list(support: Support) -> list[Any]:
    """A support in the order of its fields."""
    return [
        support.weakness,
        support.priority,
        support.event_ms,
        support.message_key,
        support.position,
        support.source_id,
    ]


def edge_attributes(edge: Edge) -> Attributes:
    """An edge without its pair."""
    return {
        "schema": SCHEMA,
        "support": support_list(edge.support),
        "state": edge.state.value,
        "rule": edge.rule,
        "why": edge.why.value if edge.why else None,
    }


def edge_of(pair: Pair, item: Read) -> Edge:
    """The edge of this pair."""
    return Edge(
        pair,
        Support(*item["support"]),
        EdgeState(item["state"]),
        Reason(item["why"]) if item["why"] else None,
        item["rule"],
    )


def decision_attributes(decision: Decision) -> Attributes:
    """A decision as `control` keeps it."""
    return {
        "schema": SCHEMA,
        "pair": list(decision.pair),
        "verdict": decision.verdict.value,
        "at_ms": decision.at_ms,
        "message_id": decision.message_id,
        "by": decision.by,
        "reason": decision.reason,
    }


def decision_of(item: Read) -> Decision:
    """Reads what `decision_attributes` wrote."""
    a, b = item["pair"]
    return Decision(
        (a, b),
        Verdict(item["verdict"]),
        item["at_ms"],
        item["message_id"],
        item["by"],
        item["reason"],
    )
