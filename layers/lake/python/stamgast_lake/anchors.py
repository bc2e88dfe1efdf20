"""The base facts of anchors, read from the table `events` in SQL.

The rules are those of `stamgast.profile.facts`; tests/parity holds the two readings together.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from stamgast.consent.words import MOST_WORDS, PREFIX
from stamgast.identity.assurance import Assurance
from stamgast.identity.event import SHORT_ID_LENGTH
from stamgast.profile.facts import (
    LONGEST_COUNTER,
    LONGEST_ORDER_ID,
    RECENT_ORDERS,
    Facts,
    Moment,
    Orders,
    RecentOrder,
)
from stamgast.profile.registers import LONGEST_NAME_BYTES, MOST_TRAITS, Register, bounded
from stamgast_lake.facts_json import Source, Sourced

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TOLD = f"""
    create or replace temp table told as
    select anchor_key as anchor, message_key, source_id, assurance, traits,
        substr(message_key, 1, {SHORT_ID_LENGTH}) as short, epoch_ms(event_at) as ms,
        case when type = 'track' and event is not null then substr(event, 1, {LONGEST_COUNTER})
            else '$' || type end as counter,
        revenue_minor, currency, substr(coalesce(order_id, ''), 1, {LONGEST_ORDER_ID}) as order_id
    from {{events}}
    where anchor_key is not null and {{only}}
"""
TRAITS = f"""
    with said as (
        select told.anchor, trait.key as name,
            coalesce(cast(trait.value as varchar), 'null') as value,
            assurance, ms, short, message_key, source_id
        from told, json_each(told.traits) trait
        where told.traits is not null and strlen(trait.key) <= {LONGEST_NAME_BYTES}
    ), ranked as (
        select *, row_number() over (
            partition by anchor, name order by assurance desc, ms desc, message_key desc) as place
        from said
    ), best as (
        select *, row_number() over (
            partition by anchor, starts_with(name, '{PREFIX}')
            order by assurance desc, ms desc, short desc, name desc) as size
        from ranked where place = 1
    )
    select anchor, name, value, assurance, ms, short, message_key, source_id
    from best where size <= case when starts_with(name, '{PREFIX}') then {MOST_WORDS}
        else {MOST_TRAITS} end
"""
SPANS = """
    select anchor, count(*), min(struct_pack(ms, short)), max(struct_pack(ms, short))
    from told group by anchor
"""
COUNTERS = "select anchor, counter, count(*) from told group by anchor, counter"
ORDERS = """
    select anchor, currency, count(*), cast(sum(revenue_minor) as bigint), min(ms), max(ms)
    from told where revenue_minor is not null group by anchor, currency
"""
RECENT = f"""
    select anchor, ms, short, order_id, currency, revenue_minor
    from (
        select *, row_number() over (
            partition by anchor order by ms desc, message_key desc) as place
        from told where revenue_minor is not null
    ) where place <= {RECENT_ORDERS}
"""

Grouped = Mapping[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class AnchorFacts:
    """What the events of one anchor say, and how many they are."""

    anchor: str
    events: int
    sourced: Sourced


def facts_of_anchors(
    engine: "DuckDBPyConnection", events: str, only: str = "true"
) -> Iterator[AnchorFacts]:
    """The facts of each anchor among the rows of relation `events` that match `only`."""
    engine.execute(TOLD.format(events=events, only=only))
    traits, counters = _grouped(engine, TRAITS), _grouped(engine, COUNTERS)
    orders, recent = _grouped(engine, ORDERS), _grouped(engine, RECENT)
    for anchor, count, first, last in engine.execute(SPANS).fetchall():
        registers, sources = _registers(traits.get(anchor, []))
        facts = Facts(
            traits=registers,
            first=Moment(first["ms"], first["short"]),
            last=Moment(last["ms"], last["short"]),
            counters=dict(counters[anchor]),
            orders={currency: Orders(*rest) for currency, *rest in orders.get(anchor, [])},
            recent_orders=_newest_first(recent.get(anchor, [])),
        )
        yield AnchorFacts(anchor, count, Sourced(facts, sources))


def _newest_first(rows: list[tuple[Any, ...]]) -> tuple[RecentOrder, ...]:
    return tuple(sorted((RecentOrder(*row) for row in rows), reverse=True))


def _grouped(engine: "DuckDBPyConnection", statement: str) -> Grouped:
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for anchor, *rest in engine.execute(statement).fetchall():
        found[anchor].append(tuple(rest))
    return found


def _registers(
    rows: list[tuple[Any, ...]],
) -> tuple[dict[str, Register], dict[str, Source]]:
    registers: dict[str, Register] = {}
    sources: dict[str, Source] = {}
    for name, value, assurance, ms, short, message_key, source_id in rows:
        told = bounded(orjson.loads(value))
        registers[name] = Register(told, Assurance(assurance), ms, short)
        sources[name] = Source(message_key, source_id)
    return registers, sources
