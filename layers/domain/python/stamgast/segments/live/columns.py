"""The columns of a profile that live rules read, from the facts of a person."""

from collections.abc import Mapping
from typing import Any

from stamgast.consent.words import TRAIT
from stamgast.identity.orders import exponent_of
from stamgast.profile.facts import Facts
from stamgast.segments.rfm import Spending, principal


def columns_of(person_id: str, facts: Facts) -> dict[str, Any]:
    """The document that `stamgast.segments.language.view.View` wants, but for what runs make."""
    traits = facts.values
    return {
        "person_id": person_id,
        "first_at": facts.first.event_ms if facts.first else None,
        "last_at": facts.last.event_ms if facts.last else None,
        "orders": _orders(facts),
        "traits": traits,
        "consent": consents_of(traits),
    }


def consents_of(traits: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is known of consents by purpose: what words come to, as `Facts.values` tells it."""
    told = traits.get(TRAIT)
    return told if isinstance(told, Mapping) else {}


def _orders(facts: Facts) -> dict[str, Any]:
    main = principal(
        Spending(currency, o.count, o.revenue_minor, o.last_ms)
        for currency, o in facts.orders.items()
    )
    told = {"count": float(sum(o.count for o in facts.orders.values())), "revenue": 0.0}
    if main is None:
        return told
    return {
        **told,
        "revenue": main.revenue_minor / 10 ** exponent_of(main.currency),
        "currency": main.currency,
        "first_at": min(o.first_ms for o in facts.orders.values()),
        "last_at": max(o.last_ms for o in facts.orders.values()),
    }
