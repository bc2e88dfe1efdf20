"""What each source sends, since when and how steadily, and what its events carry, as counts."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stamgast.identity.decision import PLATFORM_SOURCE
from stamgast_lake.query import LakeSession
from stamgast_lake.reports.scope import make
from stamgast_lake.reports.stages import stage_sql
from stamgast_lake.rhythm import rhythm_sql
from stamgast_lake.rules.literals import quoted

Row = dict[str, Any]
MOST_EVENTS, MOST_PROPERTIES = 200, 60
CONTEXT = ("campaign", "page", "locale", "time_zone", "ip", "user_agent")

SENT = """
    create or replace temp table sent as
    select source_id, type, event, event_at, received_at, assurance, anchor_key,
        list_distinct(list_transform(identifiers, lambda one: one.namespace)) as namespaces,
        order_id, revenue_minor, len(coalesce(products, [])) as lines, campaign, page, properties,
        traits, ip, user_agent, locale, time_zone
    from events
    where source_id <> '{platform}' and received_at >= cast('{since}' as timestamptz)
"""
RECEIPTS = """
    select source_id, state, reason, count(*) as receipts from receipt_states
    where source_id <> '{platform}' and received_at >= cast('{since}' as timestamptz)
    group by source_id, state, reason order by source_id, state, reason
"""
DAYS = """
    create or replace temp table day_of_source as
    select distinct source_id as person_id, cast(received_at at time zone {zone} as date)
        as ordered_on
    from receipts where source_id <> '{platform}'
"""
STEADINESS = """
    select rhythm.person_id as source_id, rhythm.order_days as days, rhythm.first_on,
        rhythm.last_on, rhythm.usual_days, rhythm.late_after_days,
        date_diff('day', rhythm.last_on, {today}) as silent_days, {stage} as stage,
        seen.first_at, seen.last_at
    from ({rhythm}) rhythm join (
        select source_id, min(received_at) as first_at, max(received_at) as last_at
        from receipts group by source_id
    ) seen on seen.source_id = rhythm.person_id
    order by rhythm.person_id
"""
EVENTS = """
    select source_id, type, event, count(*) as events, min(event_at) as first_event_at,
        max(event_at) as last_event_at, max(received_at) as last_received_at,
        count(*) filter (received_at > cast('{as_of}' as timestamptz) - interval 7 day)
            as last_7_days,
        count(*) filter (received_at > cast('{as_of}' as timestamptz) - interval 30 day)
            as last_30_days
    from sent group by source_id, type, event
    order by source_id, events desc, type, event
"""
TOTALS = """
    select source_id, count(*) as events, min(event_at) as first_event_at,
        max(event_at) as last_event_at,
        count(*) filter (anchor_key is null) as without_identifier,
        count(*) filter (assurance = 0) as anonymous, count(*) filter (assurance = 1) as claimed,
        count(*) filter (assurance = 2) as verified, {context}
    from sent group by source_id order by source_id
"""
NAMESPACES = """
    select source_id, namespace, count(*) as events
    from (select source_id, unnest(namespaces) as namespace from sent)
    group by source_id, namespace order by source_id, events desc, namespace
"""
# An order's lines stand in a column of their own; where there are any, they were the property.
PROPERTIES = """
    with named as (
        select source_id, type, event, unnest(json_keys(properties)) as property, properties as told
        from sent where properties is not null
        union all
        select source_id, type, event, 'products', '{{"products":[]}}' from sent where lines > 0
    ),
    trait as (
        select source_id, type, event, unnest(json_keys(traits)) as property, traits as told
        from sent where traits is not null
    ),
    told as (
        select source_id, type, event, property,
            json_type(json_extract(told, {pointer})) as form from named
        union all
        select source_id, type, event, 'traits.' || property,
            json_type(json_extract(told, {pointer})) from trait
    )
    select source_id, type, event, property, count(*) filter (form <> 'NULL') as events,
        {forms}
    from told group by source_id, type, event, property
    order by source_id, type, event, events desc, property
"""
POINTER = "'/' || replace(replace(property, '~', '~0'), '/', '~1')"
FORMS: Mapping[str, tuple[str, ...]] = {
    "text": ("VARCHAR",),
    "number": ("BIGINT", "UBIGINT", "HUGEINT", "DOUBLE"),
    "boolean": ("BOOLEAN",),
    "list": ("ARRAY",),
    "object": ("OBJECT",),
    "null": ("NULL",),
}


@dataclass(frozen=True, slots=True)
class Span:
    """As of when a catalogue is made, by which clock, and of receipts since when."""

    as_of: datetime
    zone: ZoneInfo
    since: datetime

    @property
    def today(self) -> date:
        """The day of the moment in the workspace's time zone."""
        return self.as_of.astimezone(self.zone).date()


def sources_counted(lake: LakeSession, span: Span) -> dict[str, dict[str, Any]]:
    """The counts of each source that ever sent anything, by its id; makes table `sent`."""
    told = {"platform": PLATFORM_SOURCE, "since": span.since.isoformat()}
    make(lake, SENT.format(**told))
    sections = {
        "receipts": lake.rows(RECEIPTS.format(**told)),
        "steadiness": _steadiness(lake, span),
        "totals": lake.rows(TOTALS.format(context=_context())),
        "events": lake.rows(EVENTS.format(as_of=span.as_of.isoformat())),
        "namespaces": lake.rows(NAMESPACES),
        "properties": lake.rows(PROPERTIES.format(pointer=POINTER, forms=_forms())),
    }
    found: defaultdict[str, dict[str, Any]] = defaultdict(lambda: {name: [] for name in sections})
    for name, rows in sections.items():
        for row in rows:
            found[row["source_id"]][name].append(row)
    return dict(found)


def _steadiness(lake: LakeSession, span: Span) -> list[Row]:
    """The rhythm of days on which a source sent, by the same rule as a buyer's rhythm."""
    make(lake, DAYS.format(zone=quoted(span.zone.key), platform=PLATFORM_SOURCE))
    today = f"cast('{span.today.isoformat()}' as date)"
    return lake.rows(
        STEADINESS.format(today=today, stage=stage_sql(today), rhythm=rhythm_sql("day_of_source"))
    )


def _context() -> str:
    return ", ".join(
        f"count(*) filter (coalesce({name}, '') not in ('', '{{}}', 'null')) as with_{name}"
        for name in CONTEXT
    )


def _forms() -> str:
    return ", ".join(
        f"count(*) filter (form in ({', '.join(map(quoted, forms))})) as as_{name}"
        for name, forms in FORMS.items()
    )
