"""A person's profile as the table `profiles` keeps it."""

from typing import Any

from stamgast.consent.coverage import consent_of_traits, row_of_consent
from stamgast.consent.words import TRAIT, is_word
from stamgast.profile.facts import Facts
from stamgast.profile.registers import canonical
from stamgast.segments.rfm import Spending, principal
from stamgast_lake.facts_json import Sourced, hash_of, to_json

Row = dict[str, Any]


def profile_row(person_id: str, told: Sourced) -> Row:
    """A person's profile as the table keeps it; its hash covers all that it says."""
    facts = told.facts
    main = principal(
        Spending(currency, o.count, o.revenue_minor, o.last_ms)
        for currency, o in facts.orders.items()
    )
    return {
        "person_id": person_id,
        "first_ms": facts.first.event_ms if facts.first else None,
        "last_ms": facts.last.event_ms if facts.last else None,
        "traits": canonical(_traits(told)).decode(),
        "counters": canonical(dict(facts.counters)).decode(),
        "orders": sum(o.count for o in facts.orders.values()),
        "revenue_minor": main.revenue_minor if main else 0,
        "currency": main.currency if main else None,
        "spending": _spending(facts),
        "profile_hash": hash_of(to_json(told)),
    }


def _traits(told: Sourced) -> dict[str, Row]:
    """Each trait with the event, source, assurance and time behind it; a deleted one is null.

    Words about consents stand under `consent`, with what they come to and the last of them.
    """
    traits = told.facts.traits
    rows = {name: _trait(told, name) for name in traits if not is_word(name)}
    if (consent := consent_of_traits(traits)) is not None:
        last = max((name for name in traits if is_word(name)), key=lambda one: traits[one].order)
        rows[TRAIT] = {**_trait(told, last), **row_of_consent(consent)}
    return rows


def _trait(told: Sourced, name: str) -> Row:
    register, source = told.facts.traits[name], told.sources[name]
    return {
        "value": register.value,
        "assurance": register.assurance.name.lower(),
        "event_ms": register.event_ms,
        "message_key": source.message_key,
        "source_id": source.source_id,
    }


def _spending(facts: Facts) -> list[Row]:
    return [
        {
            "currency": currency,
            "orders": o.count,
            "revenue_minor": o.revenue_minor,
            "first_ms": o.first_ms,
            "last_ms": o.last_ms,
        }
        for currency, o in sorted(facts.orders.items())
    ]
