"""The answer to a look-up: a person's sections, cut to the reader's scope and to the view."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from stamgast.lookup.person import Profile
from stamgast.lookup.reader import Reader, covers
from stamgast.lookup.request import View
from stamgast.moments import iso_of
from stamgast.profile.facts import Facts, Moment, Orders, RecentOrder

Answer: TypeAlias = dict[str, Any]


def answer_of(
    profile: Profile,
    sections: frozenset[str],
    reader: Reader,
    safe_when_claimed: tuple[str, ...],
    *,
    verbose: bool = False,
) -> Answer:
    """The profile as JSON: exactly the sections asked for, without what the scope leaves out."""
    told = seen_at(profile)
    for section in sorted(sections):
        told |= _section(section, profile, safe_when_claimed, verbose=verbose)
    within = {name: _within(reader, name, value) for name, value in told.items()}
    return {
        "person_id": profile.person.person_id,
        "view": profile.view.value,
        **{name: value for name, value in within.items() if value is not OUTSIDE},
    }


OUTSIDE = object()


def seen_at(profile: Profile) -> dict[str, str | None]:
    """Three moments, each a field of its name; when a person was founded no claimed path tells."""
    facts, is_claimed = profile.facts, profile.view is View.CLAIMED
    created = {} if is_claimed else {"created_at": iso_of(profile.person.created_ms)}
    seen = {"first_seen_at": _moment(facts.first), "last_seen_at": _moment(facts.last)}
    return {**created, **seen}


def _section(
    section: str,
    profile: Profile,
    safe_when_claimed: tuple[str, ...],
    *,
    verbose: bool,
) -> Answer:
    match section:
        case "traits":
            return {"traits": traits_of(profile.facts, verbose=verbose)}
        case "activity":
            return _activity(profile.facts)
        case "identifiers":
            return {"identifiers": _identifiers(profile)}
        case "computed":
            return {"computed": _computed(profile, safe_when_claimed, verbose=verbose)}
        case _:
            rows = profile.person.rows.get(section, {})
            if profile.view is View.CLAIMED:
                rows = _safe(section, rows, safe_when_claimed)
            return {section: dict(rows["rfm"]) if section == "rfm" and rows else dict(rows)}


def traits_of(facts: Facts, *, verbose: bool) -> Answer:
    """Trait by name; verbose adds how well each is known, since when, and by which message."""
    if not verbose:
        return facts.values
    return {
        name: {
            "value": register.value,
            "assurance": register.assurance.name.lower(),
            "updated_at": iso_of(register.event_ms),
            "message": register.key,
        }
        for name, register in facts.told.items()
    }


def _activity(facts: Facts) -> Answer:
    return {
        "counters": dict(facts.counters),
        "orders": {currency: _orders(total) for currency, total in facts.orders.items()},
        "recent_orders": [_recent(order) for order in facts.recent_orders],
    }


def _orders(total: Orders) -> Answer:
    return {
        "count": total.count,
        "revenue_minor": total.revenue_minor,
        "first_at": iso_of(total.first_ms),
        "last_at": iso_of(total.last_ms),
    }


def _recent(order: RecentOrder) -> Answer:
    return {
        "order_id": order.order_id,
        "at": iso_of(order.event_ms),
        "currency": order.currency,
        "revenue_minor": order.revenue_minor,
    }


def _computed(profile: Profile, allowed: tuple[str, ...], *, verbose: bool) -> Answer:
    """Trait by name; verbose adds whether each is live, and as of when it holds."""
    told = profile.computed if verbose else profile.computed_values
    if profile.view is View.CLAIMED:
        return {name: v for name, v in told.items() if covers(allowed, f"computed.{name}")}
    return dict(told)


def _identifiers(profile: Profile) -> list[Answer]:
    return [
        {"namespace": key.partition(":")[0], "key": key, **profile.values.get(key, {})}
        for key in sorted(profile.keys)
    ]


def _safe(
    section: str, rows: Mapping[str, Mapping[str, Any]], allowed: tuple[str, ...]
) -> dict[str, Mapping[str, Any]]:
    """Of what was published about the person, the fields marked `safe_when_claimed`."""
    if section == "rfm":
        fields = {k: v for k, v in rows.get("rfm", {}).items() if covers(allowed, f"rfm.{k}")}
        return {"rfm": fields} if fields else {}
    return {name: row for name, row in rows.items() if covers(allowed, f"{section}.{name}")}


def _within(reader: Reader, section: str, told: Any) -> Any:
    """What of a section the reader's scope covers; `OUTSIDE` when no part of it is."""
    if section == "identifiers":
        if not reader.sees_into(section):
            return OUTSIDE
        return [
            one
            for one in told
            if reader.may_name(one["namespace"])
            and reader.may_see(f"identifiers.{one['namespace']}")
        ]
    if isinstance(told, dict):
        kept = {name: v for name, v in told.items() if reader.may_see(f"{section}.{name}")}
        return kept if kept or reader.sees_into(section) else OUTSIDE
    return told if reader.may_see(section) else OUTSIDE


def _moment(moment: Moment | None) -> str | None:
    return None if moment is None else iso_of(moment.event_ms)
