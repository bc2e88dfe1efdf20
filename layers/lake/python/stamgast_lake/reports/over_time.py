"""How a segment's size, activity, revenue and channels went, week by week, beside everyone's."""

from typing import Any

from stamgast_lake.query import LakeSession
from stamgast_lake.reports.scope import GROUPS, Scope
from stamgast_lake.rules.literals import quoted

Row = dict[str, Any]

MEMBERS = """
    with told as (
        select person_id, recorded_at, run_id, change = 'entered' as is_in,
            lag(change = 'entered', 1, false) over (
                partition by person_id order by recorded_at, run_id) as was_in
        from memberships where segment = {segment}
            and person_id not in (select person_id from uncounted)
    )
    select cast(recorded_at at time zone {zone} as date) as day,
        count(*) filter (is_in and not was_in) as entered,
        count(*) filter (was_in and not is_in) as "left"
    from told where is_in <> was_in group by day order by day
"""
PEOPLE = """
    with told as (
        select person_id, recorded_at, run_id, state = 'active' as is_in,
            lag(state = 'active', 1, false) over (
                partition by person_id order by recorded_at, run_id) as was_in
        from persons where person_id not in (select person_id from uncounted)
    )
    select cast(recorded_at at time zone {zone} as date) as day,
        count(*) filter (is_in and not was_in) as entered,
        count(*) filter (was_in and not is_in) as "left"
    from told where is_in <> was_in group by day order by day
"""
WEEKS = """
    select cast(date_trunc('week', local_at) as date) as week_on,
        count(distinct person_id) as people, count(*) as events,
        count(distinct person_id) filter (revenue_minor is not null and currency = {currency})
            as buyers,
        count(*) filter (revenue_minor is not null and currency = {currency}) as orders,
        cast(coalesce(sum(revenue_minor) filter (currency = {currency}), 0) as bigint)
            as revenue_minor
    from happened where {group} group by week_on order by week_on
"""
CHANNELS = """
    select channel, count(distinct person_id) as people, count(*) as events,
        count(distinct person_id) filter (revenue_minor is not null and currency = {currency})
            as buyers,
        count(*) filter (revenue_minor is not null and currency = {currency}) as orders,
        cast(coalesce(sum(revenue_minor) filter (currency = {currency}), 0) as bigint)
            as revenue_minor
    from happened where {group} group by channel order by events desc, channel
"""
CHANNEL_WEEKS = """
    select channel, cast(date_trunc('week', local_at) as date) as week_on,
        count(distinct person_id) as people, count(*) as events
    from happened where {group} group by channel, week_on order by channel, week_on
"""


def size_history(lake: LakeSession, scope: Scope) -> dict[str, list[Row]]:
    """Per day with a change: who entered and left, and the size at its end, as the logs tell it."""
    zone = quoted(scope.zone.key)
    statements = {"segment": MEMBERS, "everyone": PEOPLE}
    return {
        group: _added_up(lake.rows(sql.format(zone=zone, segment=quoted(scope.segment))))
        for group, sql in statements.items()
    }


def _added_up(rows: list[Row]) -> list[Row]:
    size, told = 0, []
    for row in rows:
        size += row["entered"] - row["left"]
        told.append({**row, "size": size})
    return told


def weeks(lake: LakeSession, scope: Scope, currency: str | None) -> dict[str, list[Row]]:
    """Activity and revenue of those who are members now, and of everyone, in each week."""
    found = {}
    for group, condition in GROUPS.items():
        sql = WEEKS.format(currency=quoted(currency or ""), group=condition)
        by_week = {row["week_on"]: row for row in lake.rows(sql)}
        found[group] = [by_week.get(monday, _quiet(monday)) for monday in scope.mondays]
    return found


def _quiet(monday: object) -> Row:
    counts = dict.fromkeys(("people", "events", "buyers", "orders", "revenue_minor"), 0)
    return {"week_on": monday, **counts}


def channels(lake: LakeSession, currency: str | None) -> dict[str, list[Row]]:
    """What came through each channel in all weeks, the busiest first."""
    return {
        group: lake.rows(CHANNELS.format(currency=quoted(currency or ""), group=condition))
        for group, condition in GROUPS.items()
    }


def channel_weeks(lake: LakeSession) -> dict[str, list[Row]]:
    """What came through each channel in each week."""
    return {
        group: lake.rows(CHANNEL_WEEKS.format(group=condition))
        for group, condition in GROUPS.items()
    }
