"""Devices as they were seen: by hour and address, by page, and since when somebody logged in."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from stamgast.identity.link_settings import DeviceSettings
from stamgast_lake.evidence import see_deterministic
from stamgast_lake.lake import Lake
from stamgast_lake.logs import latest, see
from stamgast_lake.tables import CONSTRAINTS, EVENTS, IDENTITY

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SEEN = """
    create or replace temp view device_event as
    select list_filter(identifiers, lambda one: one.kind = 'ephemeral')[1].key as device,
        len(list_filter(identifiers, lambda one: one.kind <> 'ephemeral')) > 0 as is_known,
        event_at, ip, user_agent, locale, time_zone, page, campaign
    from events
    where event_on >= cast('{first_on}' as date) and event_on <= cast('{last_on}' as date)
      and event_at <= cast('{moment}' as timestamptz) and anchor_key is not null
"""
SHARED_BY_MANY = """
    create or replace temp table many as
    select a as device from (
        select a, lifted_at, row_number() over (
            partition by kind, a, b order by recorded_at desc, run_id desc) as nth
        from constraints where kind = 'off'
    ) where nth = 1 and lifted_at is null
"""
CELLS = """
    create or replace temp table cell as
    select device, ip, date_trunc('hour', event_at) as hour, count(*) as n,
        max_by(user_agent, event_at) as agent, max_by(locale, event_at) as locale,
        max_by(time_zone, event_at) as zone
    from device_event
    where device is not null and device not in (select device from many)
    group by device, ip, hour
"""
ITEMS = """
    create or replace temp table item as
    select device, what, date_trunc('hour', event_at) as hour, count(*) as n from (
        select device, event_at, unnest([
            'p' || coalesce(json_extract_string(page, '$.path'),
                json_extract_string(page, '$.url')),
            'c' || json_extract_string(campaign, '$.name')]) as what
        from device_event where device is not null and (page is not null or campaign is not null)
    ) where what is not null
    group by device, what, hour
"""
LOGINS = """
    create or replace temp table login as
    select device, min(event_at) as known_at from device_event
    where is_known and device is not null group by device
"""
PERSONS = """
    create or replace temp table device_person as
    select identifier as device, person_id, person_id in (
        select person_id from identity_now
        where namespace in (select name from known_name)
    ) as is_known
    from identity_now where person_id is not null and identifier in (select device from cell)
"""
NAMED_TOGETHER = """
    create or replace temp table named_together as
    select distinct least(a, b) as a, greatest(a, b) as b from evidence
    where b is not null and a in (select device from cell) and b in (select device from cell)
"""


def gather_devices(
    engine: "DuckDBPyConnection",
    lake: Lake,
    settings: DeviceSettings,
    moment: datetime,
    known_names: tuple[str, ...],
) -> None:
    """Makes `cell`, `item`, `login`, `device_person` and `named_together` of the history.

    An event belongs to its first ephemeral identifier by priority: a phone that tells a device id
    and a cookie is one device. What serves many persons is nobody's device. `known_names` are the
    namespaces of log-ins.
    """
    see(engine, lake, EVENTS, IDENTITY, CONSTRAINTS)
    see_deterministic(engine, lake)
    latest(engine, "identity", "identifier", "identity_now")
    names = ", ".join(f"('{name}')" for name in known_names)
    engine.execute(
        f"create or replace temp table known_name as select * from (values {names}) named(name)"
    )
    first = moment - timedelta(days=settings.history_days + settings.window_days)
    told = {"first_on": first.date(), "last_on": moment.date(), "moment": moment.isoformat()}
    engine.execute(SEEN.format(**told))
    for made in (SHARED_BY_MANY, CELLS, ITEMS, LOGINS, PERSONS, NAMED_TOGETHER):
        engine.execute(made)
