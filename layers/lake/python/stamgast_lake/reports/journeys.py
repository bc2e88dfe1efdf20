"""The ways to a conversion: journeys that ended in one, those that stopped, and their steps."""

from itertools import pairwise
from typing import Any

from stamgast_lake.query import LakeSession
from stamgast_lake.reports.scope import GROUPS, Scope, make
from stamgast_lake.rules.literals import quoted

Row = dict[str, Any]
MOST_PATHS, LONGEST_PATH = 10, 6

# A journey begins after a conversion, or after a silence longer than `days`.
ACTS = """
    create or replace temp table act as
    with placed as (
        select person_id, is_member, event_at, message_key, step, step = {event} as is_conversion,
            lag(event_at) over told as before_at,
            lag(step = {event}, 1, true) over told as was_conversion
        from happened
        window told as (partition by person_id order by event_at, message_key)
    )
    select person_id, is_member, event_at, message_key, step, is_conversion,
        sum(case when was_conversion or event_at > before_at + interval ({days}) day
            then 1 else 0 end)
            over (partition by person_id order by event_at, message_key) as journey
    from placed
"""
STEPS = """
    create or replace temp table journey_step as
    select person_id, journey, step,
        row_number() over (
            partition by person_id, journey order by min(event_at), min(message_key)) as place
    from act where not is_conversion group by person_id, journey, step
"""
# What may still go on is neither a conversion nor a stop.
JOURNEYS = """
    create or replace temp table journey as
    select ended.person_id, ended.is_member, ended.journey, ended.outcome, ended.last_step,
        coalesce(way.path, []) as path
    from (
        select person_id, bool_or(is_member) as is_member, journey,
            case when bool_or(is_conversion) then 'converted'
                when max(event_at) >= cast('{as_of}' as timestamptz) - interval ({days}) day
                then 'open' else 'stopped' end as outcome,
            arg_max(step, (event_at, message_key)) filter (not is_conversion) as last_step
        from act group by person_id, journey
    ) ended
    left join (
        select person_id, journey, list(step order by place) as path
        from journey_step group by person_id, journey
    ) way on way.person_id = ended.person_id and way.journey = ended.journey
"""
OUTCOMES = """
    select outcome, count(*) as journeys, count(distinct person_id) as people,
        count(*) filter (len(path) = 0) as without_step
    from journey where {group} group by outcome order by outcome
"""
SHARED = """
    select step,
        count(*) filter (outcome = 'converted') as converted,
        count(*) filter (outcome = 'stopped') as stopped,
        count(*) filter (outcome = 'stopped' and last_step = step) as stopped_here,
        count(distinct person_id) as people,
        count(distinct person_id) filter (outcome = 'converted') as people_converted,
        count(distinct person_id) filter (outcome = 'stopped') as people_stopped,
        count(distinct person_id) filter (outcome = 'stopped' and last_step = step)
            as people_stopped_here,
        avg(place) filter (outcome = 'converted') as place
    from (
        select journey.person_id, is_member, outcome, last_step, journey_step.step, place
        from journey join journey_step
            on journey_step.person_id = journey.person_id
            and journey_step.journey = journey.journey
    ) taken where {group} and outcome <> 'open' group by step
    order by converted desc, stopped desc, step
"""
PATHS = """
    select * exclude (nth) from (
        select *, row_number() over (
            partition by outcome order by journeys desc, path, is_cut) as nth
        from (
            select outcome, path[:{longest}] as path, len(path) > {longest} as is_cut,
                count(*) as journeys, count(distinct person_id) as people
            from journey where {group} and outcome <> 'open' group by all
        )
    ) where nth <= {most} order by outcome, nth
"""
FUNNEL = """
    select count(*) as journeys, count(distinct person_id) as people
    from journey where {group} and outcome <> 'open' and {reached}
"""


def journeys(lake: LakeSession, scope: Scope, event: str, days: int) -> dict[str, dict[str, Any]]:
    """For the segment and everyone: outcomes, steps, and the paths that came most often.

    `event` is the conversion's name; a silence of more than `days` ends a journey. Needs `look_at`.
    """
    told = {"event": quoted(event), "days": days, "as_of": scope.as_of.isoformat()}
    for statement in (ACTS, STEPS, JOURNEYS):
        make(lake, statement.format(**told))
    return {group: _told(lake, condition) for group, condition in GROUPS.items()}


def _told(lake: LakeSession, group: str) -> dict[str, Any]:
    paths = PATHS.format(group=group, longest=LONGEST_PATH, most=MOST_PATHS)
    return {
        "outcomes": lake.rows(OUTCOMES.format(group=group)),
        "steps": lake.rows(SHARED.format(group=group)),
        "paths": lake.rows(paths),
    }


def funnel(lake: LakeSession, steps: list[str]) -> dict[str, list[Row]]:
    """How many ended journeys took the first step, the first two in that order, and so on; and
    of those that took all how many converted."""
    return {group: list(_reached(lake, steps, group)) for group in GROUPS}


def _reached(lake: LakeSession, steps: list[str], group: str) -> list[Row]:
    rows = []
    for place in range(1, len(steps) + 1):
        found = _count(lake, group, _in_order(steps[:place]))
        rows.append({"step": steps[place - 1], **found})
    if steps:
        condition = f"{_in_order(steps)} and outcome = 'converted'"
        rows.append({"step": None, **_count(lake, group, condition)})
    return rows


def _count(lake: LakeSession, group: str, reached: str) -> Row:
    return lake.rows(FUNNEL.format(group=GROUPS[group], reached=reached))[0]


def _in_order(steps: list[str]) -> str:
    """The steps stand in the path, each after the one before."""
    places = [f"list_position(path, {quoted(step)})" for step in steps]
    has = [f"coalesce({place}, 0) > 0" for place in places]
    after = [f"{later} > {sooner}" for sooner, later in pairwise(places)]
    return " and ".join([*has, *after])
