"""People with events, as documents for the Python reading and as relations for the SQL reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson
import pyarrow as pa
from duckdb import DuckDBPyConnection

from stamgast.identity.orders import exponent_of
from stamgast.moments import moment_of
from stamgast.segments.language.history import EventHistory
from stamgast.segments.language.rules import Rule, RuleBook
from stamgast.segments.language.view import View
from stamgast.segments.language.windows import Now
from stamgast_lake.rules.statements import VERDICTS, ask, verdicts

MOMENT = pa.timestamp("us", tz="UTC")
PRODUCT = pa.struct({"product_id": pa.string(), "category": pa.string()})
PERSON = pa.schema(
    {
        "person_id": pa.string(),
        "first_at": MOMENT,
        "last_at": MOMENT,
        "orders": pa.int64(),
        "revenue_minor": pa.int64(),
        "currency": pa.string(),
        "orders_first_at": MOMENT,
        "orders_last_at": MOMENT,
        "traits": pa.string(),
        "consent": pa.string(),
        "computed": pa.string(),
        "scores": pa.string(),
        "segment": pa.string(),
        "r": pa.int32(),
        "f": pa.int32(),
        "m": pa.int32(),
        "frequency": pa.int64(),
        "monetary_minor": pa.int64(),
        "rfm_currency": pa.string(),
        "last_order_on": pa.date32(),
    }
)
EVENT = pa.schema(
    {
        "person_id": pa.string(),
        "message_key": pa.string(),
        "event_at": MOMENT,
        "event": pa.string(),
        "type": pa.string(),
        "source_id": pa.string(),
        "order_id": pa.string(),
        "revenue_minor": pa.int64(),
        "currency": pa.string(),
        "products": pa.list_(PRODUCT),
        "properties": pa.string(),
        "campaign": pa.string(),
        "page": pa.string(),
        "context": pa.string(),
        "principal": pa.string(),
    }
)
ANCHOR = "person_id || case when right(message_key, 1) in ('0', '2', '4') then 'a' else 'b' end"
HAPPENINGS = f"""
    create or replace temp view rule_happening as
    select *, {ANCHOR} as anchor_key from rule_event
"""
ANCHORS = f"""
    create or replace temp view rule_anchor as
    select distinct person_id, {ANCHOR} as anchor_key from rule_event
"""


@dataclass(frozen=True)
class Happening:
    """One event of a person; `revenue_minor` of None is no order."""

    key: str
    at_ms: int
    event: str | None
    properties: Mapping[str, Any]
    revenue_minor: int | None = None
    currency: str = "EUR"
    categories: Sequence[str | None] | None = None
    type: str = "track"
    source: str = "web"

    @property
    def document(self) -> dict[str, Any]:
        """The event as the Python reading takes it."""
        order = None
        if self.revenue_minor is not None:
            major = self.revenue_minor / 10 ** exponent_of(self.currency)
            order = {"id": self.key, "revenue": major, "currency": self.currency}
        lines = self.categories
        return {
            "message_key": self.key,
            "event_at": self.at_ms,
            "event": self.event,
            "type": self.type,
            "source": self.source,
            "order": order,
            "products": None if lines is None else [_line(c) for c in lines],
            "properties": orjson.loads(orjson.dumps(self.properties)),
            "campaign": {"source": "mail"},
            "page": None,
            "context": {},
        }

    def row(self, person_id: str, principal: str | None) -> dict[str, Any]:
        """The event as a row of the lake."""
        lines = self.categories
        return {
            "person_id": person_id,
            "message_key": self.key,
            "event_at": moment_of(self.at_ms),
            "event": self.event,
            "type": self.type,
            "source_id": self.source,
            "order_id": None if self.revenue_minor is None else self.key,
            "revenue_minor": self.revenue_minor,
            "currency": None if self.revenue_minor is None else self.currency,
            "products": None if lines is None else [_line(c) for c in lines],
            "properties": orjson.dumps(self.properties).decode(),
            "campaign": '{"source":"mail"}',
            "page": None,
            "context": "{}",
            "principal": principal,
        }


def _line(category: str | None) -> dict[str, str | None]:
    return {"product_id": "p1", "category": category}


@dataclass(frozen=True)
class Someone:
    """A person: what the profile says, and what happened."""

    person_id: str
    events: Sequence[Happening] = ()
    traits: Mapping[str, Any] | None = None
    consent: Mapping[str, bool] | None = None
    orders: int = 0
    revenue_minor: int = 0
    currency: str | None = None
    first_ms: int | None = None
    last_ms: int | None = None
    cell: str | None = None
    r: int | None = None
    last_order_on: date | None = None
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, Any]:
        """The profile as the Python reading takes it."""
        revenue = self.revenue_minor / 10 ** exponent_of(self.currency or "EUR")
        return {
            "person_id": self.person_id,
            "first_at": self.first_ms,
            "last_at": self.last_ms,
            "orders": {"count": self.orders, "revenue": revenue, "currency": self.currency},
            "rfm": {"segment": self.cell, "r": self.r, "last_order_on": self.last_order_on},
            "traits": orjson.loads(orjson.dumps(self.traits or {})),
            "consent": dict(self.consent or {}),
            "scores": orjson.loads(orjson.dumps(self.scores)),
        }

    def view(self, now: Now) -> View:
        """What rules see of the person."""
        return View(self.columns, EventHistory([one.document for one in self.events]), now)

    @property
    def row(self) -> dict[str, Any]:
        """The profile as a row of the lake."""
        traits = {name: {"value": value} for name, value in (self.traits or {}).items()}
        return {
            "person_id": self.person_id,
            "first_at": None if self.first_ms is None else moment_of(self.first_ms),
            "last_at": None if self.last_ms is None else moment_of(self.last_ms),
            "orders": self.orders,
            "revenue_minor": self.revenue_minor,
            "currency": self.currency,
            "traits": orjson.dumps(traits).decode(),
            "consent": orjson.dumps(self.consent or {}).decode(),
            "computed": "{}",
            "scores": orjson.dumps(self.scores).decode(),
            "segment": self.cell,
            "r": self.r,
            "last_order_on": self.last_order_on,
        }


def by_python(rules: Sequence[Rule], people: Sequence[Someone], now: Now) -> dict[str, set[str]]:
    """The members of each rule."""
    book, found = RuleBook(tuple(rules)), {rule.name: set[str]() for rule in rules}
    for person in people:
        for name, is_in in book.evaluate(person.view(now)).items():
            if is_in:
                found[name].add(person.person_id)
    return found


def by_sql(
    engine: DuckDBPyConnection,
    rules: Sequence[Rule],
    people: Sequence[Someone],
    now: Now,
    *,
    anchored: bool = True,
    least: int = 1,
) -> dict[str, set[str]]:
    """The same by the lake's statements; anchored, by two anchors a person.

    `least` counts are made outside SQL.
    """
    events = [one.row(p.person_id, p.currency) for p in people for one in p.events]
    engine.register("rule_person", pa.Table.from_pylist([p.row for p in people], PERSON))
    engine.register("rule_event", pa.Table.from_pylist(events, EVENT))
    engine.execute(HAPPENINGS)
    engine.execute(ANCHORS)
    if anchored:
        ask(engine, rules, now, least=least)
    else:
        for statement in verdicts(rules, now):
            engine.execute(statement)
    rows = engine.execute(f"select * from {VERDICTS}").fetchall()
    return {rule.name: {row[0] for row in rows if row[1 + n]} for n, rule in enumerate(rules)}
