"""The base item as plain attributes: deflated JSON, one to four kilobytes."""

import zlib
from collections.abc import Sequence
from typing import Any

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.profile.facts import Facts, Moment, Orders, RecentOrder
from stamgast.profile.items import Base
from stamgast.profile.registers import Register, canonical
from stamgast.profile.schema import SCHEMA, check_schema


def base_attributes(base: Base) -> dict[str, Any]:
    """`run`, `needed` version of the live item, `moment` of the run, `d` facts, `m` measures."""
    measured = zlib.compress(orjson.dumps(base.measured)) if base.measured else b""
    return {
        "schema": SCHEMA,
        "run": base.run,
        "needed": base.needed,
        "moment": base.moment_ms,
        "d": zlib.compress(canonical(facts_document(base.facts))),
        "m": measured,
    }


def base_of(attributes: dict[str, Any]) -> Base:
    """The item that `base_attributes` wrote, of this schema or the one before."""
    check_schema(attributes)
    document = orjson.loads(zlib.decompress(attributes["d"]))
    measured = attributes.get("m")
    return Base(
        attributes["run"],
        attributes["needed"],
        attributes["moment"],
        facts_of_document(document),
        orjson.loads(zlib.decompress(measured)) if measured else {},
    )


def facts_document(facts: Facts) -> dict[str, Any]:
    """The facts as JSON values; equal facts give equal documents."""
    return {
        "traits": {
            name: [r.value, int(r.assurance), r.event_ms, r.key] for name, r in facts.traits.items()
        },
        "first": _moment(facts.first),
        "last": _moment(facts.last),
        "counters": dict(facts.counters),
        "orders": {
            currency: [one.count, one.revenue_minor, one.first_ms, one.last_ms]
            for currency, one in facts.orders.items()
        },
        "recent": [
            [one.event_ms, one.key, one.order_id, one.currency, one.revenue_minor]
            for one in facts.recent_orders
        ],
    }


def facts_of_document(document: dict[str, Any]) -> Facts:
    """The facts that `facts_document` wrote."""
    return Facts(
        traits={
            name: Register(value, Assurance(assurance), event_ms, key)
            for name, (value, assurance, event_ms, key) in document["traits"].items()
        },
        first=_moment_of(document["first"]),
        last=_moment_of(document["last"]),
        counters=document["counters"],
        orders={currency: Orders(*told) for currency, told in document["orders"].items()},
        recent_orders=tuple(RecentOrder(*told) for told in document["recent"]),
    )


def _moment(moment: Moment | None) -> list[Any] | None:
    return [moment.event_ms, moment.key] if moment else None


def _moment_of(told: Sequence[Any] | None) -> Moment | None:
    return Moment(*told) if told else None
