"""Whom a report on a segment is about, up to which moment, and over which weeks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stamgast_lake.query import LakeSession
from stamgast_lake.rules.literals import quoted
from stamgast_lake.runs import DONE, WHOLE
from stamgast_lake.tables import COMPUTED_TRAITS, IDENTITY, MEMBERSHIPS, PERSONS, PROFILES, RFM

LOGS = (IDENTITY, PERSONS, PROFILES, RFM, COMPUTED_TRAITS, MEMBERSHIPS)

MOMENT = f"""
    select max(moment) as moment from runs where stage = '{WHOLE}' and status = '{DONE}'
"""
VERSION = f"""
    select workspace_version from runs
    where stage = '{WHOLE}' and status = '{DONE}' order by seq desc limit 1
"""
UNCOUNTED = """
    create or replace temp table uncounted as
    select person_id from profiles_current where not ({counts})
"""
EVERYBODY = """
    create or replace temp table everybody as
    select person_id, person_id in (
        select person_id from memberships_current where segment = {segment}) as is_member
    from profiles_current where person_id not in (select person_id from uncounted)
"""
# A channel is what the event says of itself, else the source that sent it.
HAPPENED = """
    create or replace temp table happened as
    select happening.person_id, everybody.is_member, message_key, event_at,
        event_at at time zone {zone} as local_at, source_id,
        case when type in ('page', 'screen') and event is not null then type || ': ' || event
            when type = 'track' then coalesce(event, type) else type end as step,
        coalesce({own_channel}, {context_channel}, source_id) as channel,
        revenue_minor, currency
    from events_by_person happening
    join everybody on everybody.person_id = happening.person_id
    where event_on >= cast('{first_day}' as date)
      and event_at >= cast('{from_at}' as timestamptz)
      and event_at <= cast('{as_of}' as timestamptz)
"""
TEXT_OF = """case when json_type({of}, '$.channel') = 'VARCHAR'
            then nullif(left(json_extract_string({of}, '$.channel'), 60), '') end"""
CURRENCY = """
    select currency from happened where revenue_minor is not null
    group by currency order by count(*) desc, currency limit 1
"""
GROUPS: Mapping[str, str] = {"segment": "is_member", "everyone": "true"}


@dataclass(frozen=True, slots=True)
class Scope:
    """One segment as of a moment; `weeks` are calendar weeks from Monday, the last one begun."""

    segment: str
    as_of: datetime
    zone: ZoneInfo
    weeks: int

    @property
    def today(self) -> date:
        """The day of the moment in the workspace's time zone."""
        return self.as_of.astimezone(self.zone).date()

    @property
    def first_on(self) -> date:
        """The Monday on which the first week begins."""
        monday = self.today - timedelta(days=self.today.weekday())
        return monday - timedelta(weeks=self.weeks - 1)

    @property
    def from_at(self) -> datetime:
        """The start of the first week."""
        return datetime.combine(self.first_on, time.min, self.zone)

    @property
    def mondays(self) -> tuple[date, ...]:
        """The first day of each week."""
        return tuple(self.first_on + timedelta(weeks=n) for n in range(self.weeks))


def newest_moment(lake: LakeSession) -> datetime | None:
    """The moment of the newest run that was closed as done; None before the first."""
    found: datetime | None = lake.rows(MOMENT)[0]["moment"]
    return found


def newest_version(lake: LakeSession) -> str | None:
    """The version of the workspace under which the newest finished run asked the rules."""
    rows = lake.rows(VERSION)
    return rows[0]["workspace_version"] if rows else None


def look_at(lake: LakeSession, scope: Scope, counts: str = "true") -> None:
    """Makes the tables `uncounted`, `everybody` and `happened` that the rest of a report reads.

    `counts` is the SQL of whose profile is counted at all. Logs have what runs that ended wrote.
    """
    lake.settle(*LOGS)
    make(lake, UNCOUNTED.format(counts=counts))
    make(lake, EVERYBODY.format(segment=quoted(scope.segment)))
    make(
        lake,
        HAPPENED.format(
            zone=quoted(scope.zone.key),
            own_channel=TEXT_OF.format(of="properties"),
            context_channel=TEXT_OF.format(of="context"),
            first_day=(scope.first_on - timedelta(days=1)).isoformat(),
            from_at=scope.from_at.isoformat(),
            as_of=scope.as_of.isoformat(),
        ),
    )


def make(lake: LakeSession, statement: str) -> None:
    """Runs a statement that makes a table, after opening what it names."""
    lake.open_named(statement)
    lake.connection.execute(statement)


def strangers(lake: LakeSession, segment: str, version: str) -> int:
    """How many members are in by another version of the rule than this one."""
    found = lake.rows(
        "select count(*) as strangers from memberships_current"
        f" where segment = {quoted(segment)} and rule_version <> {quoted(version)}"
    )
    return int(found[0]["strangers"])


def main_currency(lake: LakeSession) -> str | None:
    """The currency of most orders in the weeks looked at; None without an order."""
    rows = lake.rows(CURRENCY)
    return str(rows[0]["currency"]) if rows else None


def sizes(lake: LakeSession) -> dict[str, int]:
    """How many people each group has."""
    rows: list[dict[str, Any]] = lake.rows(
        "select count(*) filter (is_member) as segment, count(*) as everyone from everybody"
    )
    return {name: int(rows[0][name]) for name in GROUPS}
