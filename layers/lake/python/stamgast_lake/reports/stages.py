"""The stage of life of everybody on a day, from the rhythm of their order days; one statement."""

from stamgast.segments.rhythm import LAPSED_DAYS, LAPSED_TIMES_LATE, LATE_DAYS, Stage
from stamgast_lake.query import LakeSession
from stamgast_lake.reports.scope import Scope, make
from stamgast_lake.rhythm import rhythm_sql
from stamgast_lake.rules.literals import quoted

ORDER_DAYS = """
    create or replace temp table day_of_order as
    select distinct person_id, cast(event_at at time zone {zone} as date) as ordered_on
    from events_by_person
    where revenue_minor is not null and event_at <= cast('{as_of}' as timestamptz)
      and person_id in (select person_id from everybody)
"""
STAGES = """
    create or replace temp table stage_of_life as
    select everybody.person_id, rhythm.order_days, rhythm.usual_days, rhythm.last_on,
        date_diff('day', rhythm.last_on, cast('{today}' as date)) as silent_days,
        {stage} as stage
    from everybody left join ({rhythm}) rhythm on rhythm.person_id = everybody.person_id
"""


def stage_sql(today: str) -> str:
    """The stage on a day (an expression of SQL), over a row of the relation `rhythm`.

    Equal to `stamgast.segments.rhythm.Rhythm.stage`; without a row a prospect.
    """
    silent = f"date_diff('day', rhythm.last_on, {today})"
    return f"""case when rhythm.last_on is null then '{Stage.PROSPECT}'
        when {silent} > coalesce({LAPSED_TIMES_LATE} * late_after_days, {LAPSED_DAYS})
            then '{Stage.LAPSED}'
        when {silent} > coalesce(late_after_days, {LATE_DAYS}) then '{Stage.LATE}'
        when rhythm.order_days = 1 then '{Stage.NEW}'
        when rhythm.has_returned then '{Stage.RETURNED}' else '{Stage.ACTIVE}' end"""


def make_stages(lake: LakeSession, scope: Scope) -> None:
    """Makes table `stage_of_life`, one row a person; needs `everybody`."""
    make(lake, ORDER_DAYS.format(zone=quoted(scope.zone.key), as_of=scope.as_of.isoformat()))
    today = scope.today.isoformat()
    make(
        lake,
        STAGES.format(
            today=today,
            stage=stage_sql(f"cast('{today}' as date)"),
            rhythm=rhythm_sql("day_of_order"),
        ),
    )
