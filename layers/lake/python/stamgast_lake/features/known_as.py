"""Persons as they were known at a cut-off: what nothing had joined by then is apart.

Whoever says who they are because they buy is joined with all that they did unnamed. Of the past
that tells who was to buy: a joined history, which nobody had on that day. So a person of today is
as many at a cut-off as the links of before it make of them; the outcome of each is that of all,
and of lifetime values, which are added up, each has an equal part of the money.
"""

from typing import TYPE_CHECKING

from stamgast.models.declaration import Kind
from stamgast_lake.components import connect
from stamgast_lake.features.measured import CutOff
from stamgast_lake.lake import Lake
from stamgast_lake.logs import count, see
from stamgast_lake.rules.literals import moment_sql
from stamgast_lake.tables import EVIDENCE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

AS_THEN = frozenset({Kind.PROPENSITY, Kind.CHURN, Kind.DRIVERS, Kind.LIFETIME_VALUE, Kind.UPLIFT})
"""Of these models a row is a person as they were known at its cut-off; of others, of today."""
EVENTS_NOW = "select * from every_event"
OF_TODAY = f"create or replace temp view person_event as {EVENTS_NOW}"
SEEN = "create or replace temp view person_event as select * from ({events}) seen where {only}"
NO_LINKS = """
    create or replace temp table person_link (
        person_id varchar, a varchar, b varchar, since timestamptz)
"""
SEVERAL = """
    create or replace temp table of_several as
    select identifier, person_id from identity_now where person_id in (
        select person_id from every_event
        group by person_id having min(anchor_key) <> max(anchor_key))
"""
SAID = """
    create or replace temp table said_together as
    select one.person_id, said.* from (
        select a, b, message_key, source_id, event_at, received_at from evidence
        where b is not null and probability is null and rule = 'seen_together'
    ) said
    join of_several one on one.identifier = said.a
    join of_several other on other.identifier = said.b and other.person_id = one.person_id
"""
# What a source brought in its first day without a time is history: nobody can tell since when.
LINKS = """
    create or replace temp table person_link as
    select person_id, a, b, min(case when is_undated and received_at < began_at + interval 1 day
        then timestamptz '-infinity' else event_at end) as since
    from said_together
    join (select message_key, not has_own_time as is_undated from events
        where message_key in (select message_key from said_together)) told using (message_key)
    join (select source_id, min(received_at) as began_at from events group by source_id) began
        using (source_id)
    group by person_id, a, b
"""
HAS_LISTS = "select count(*) from person_link where since = timestamptz '-infinity'"
LISTED = """
    create or replace temp table panel as
    select panel.*, cast(person_id in (
        select person_id from person_link where since = timestamptz '-infinity'
    ) as double) as listed from panel
"""
PARTED = "select person_id from person_link where since >= {cut}"
LINKS_THEN = f"""
    create or replace temp table link_then as
    select a, b from person_link where since < {{cut}} and person_id in ({PARTED})
"""
KNOWN_AS = f"""
    create or replace temp table known_as as
    with part as (
        select distinct person_id, anchor_key, coalesce(component, anchor_key) as part
        from every_event left join joined_then on joined_then.key = anchor_key
        where event_at < {{cut}} and person_id in ({PARTED})
    )
    select person_id, anchor_key, person_id || '/' || part as then_id from part
    where person_id in (
        select person_id from part group by person_id having count(distinct part) > 1)
"""
NOBODY = """
    create or replace temp table known_as (
        person_id varchar, anchor_key varchar, then_id varchar)
"""
EVENTS_THEN = """
    select coalesce(then_id, was.person_id) as person_id, was.* exclude (person_id)
    from every_event was left join known_as using (anchor_key)
    where event_at < {cut}
    union all
    select coalesce(then_id, is_now.person_id) as person_id, is_now.* exclude (person_id)
    from every_event is_now
    left join (select distinct person_id, then_id from known_as) known using (person_id)
    where event_at >= {cut}
"""


def see_links(engine: "DuckDBPyConnection", lake: Lake) -> None:
    """Makes `person_link`: since when two identifiers of a person were joined by a message.

    Of persons with events at several anchors. Needs `every_event`, `events` and `identity_now`.
    """
    engine.execute(NO_LINKS)
    engine.execute(SEVERAL)
    if count(engine, "select count(*) from of_several"):
        see(engine, lake, EVIDENCE)
        engine.execute(SAID)
        engine.execute(LINKS)


def mark_listed(engine: "DuckDBPyConnection") -> None:
    """Adds `listed` to table `panel` where links without a time hold any of its people together.

    Nobody can tell when such a list was made: one of buyers alone is made of the outcome.
    """
    if count(engine, HAS_LISTS):
        engine.execute(LISTED)


def _apart(engine: "DuckDBPyConnection", cut_off: CutOff) -> int:
    """Makes `known_as`: each anchor of whoever was several at a cut-off; how many those are."""
    cut = moment_sql(cut_off.ms)
    if not count(engine, f"select count(*) from ({PARTED.format(cut=cut)})"):
        return 0
    engine.execute(LINKS_THEN.format(cut=cut))
    connect(engine, "link_then", "joined_then")
    engine.execute(KNOWN_AS.format(cut=cut))
    return count(engine, "select count(distinct person_id) from known_as")


def as_known(engine: "DuckDBPyConnection", cut_off: CutOff | None, only: str = "true") -> int:
    """Makes `person_event` of persons as they were known at a cut-off, of today without one.

    Answers how many persons of today were several then. `only` is a condition on an event of view
    `seen`. Needs `every_event` and `person_link`; `known_as` says who is who.
    """
    engine.execute(NOBODY)
    found = 0 if cut_off is None else _apart(engine, cut_off)
    events = EVENTS_NOW
    if cut_off is not None and found:
        events = EVENTS_THEN.format(cut=moment_sql(cut_off.ms))
    engine.execute(SEEN.format(events=events, only=only))
    return found
