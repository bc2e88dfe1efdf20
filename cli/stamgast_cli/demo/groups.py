"""Who belongs where after the demo's runs: segments, computed traits, stages of life, changes."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from stamgast.segments.definitions import computed_traits_of, segments_of
from stamgast.workspace.model import Workspace
from stamgast_lake.query import LakeSession
from stamgast_lake.reports.scope import Scope, look_at, newest_moment
from stamgast_lake.reports.stages import make_stages

MOST_COMMON = 3
Row = dict[str, Any]

SIZES = "select segment, count(*) as people from memberships_current group by segment"
OVERLAPS = """
    select one.segment as a, other.segment as b, count(*) as "both"
    from memberships_current one join memberships_current other
        on other.person_id = one.person_id and other.segment > one.segment
    group by a, b order by "both" desc, a, b
"""
CHANGES = """
    select run_id as run, strftime(recorded_at, '%Y-%m-%dT%H:%M:%SZ') as moment, segment,
        count(*) filter (change = 'entered') as entered,
        count(*) filter (change = 'left') as "left"
    from memberships group by run_id, recorded_at, segment order by recorded_at, run, segment
"""
STAGES = "select stage, count(*) as people from stage_of_life group by stage order by stage"
TRAITS = """
    create or replace temp table said as
    select person_id, entry.key as trait, entry.value as value
    from (
        select person_id, unnest(map_entries(cast(cast(traits as json) as map(varchar, json))))
            as entry
        from computed_traits_current
    ) where json_type(entry.value) <> 'NULL'
"""
VALUES = """
    with told as (
        select trait, person_id, case when json_type(value) = 'OBJECT' then cast(date_diff('day',
                cast(json_extract_string(value, '$."$since"') as date), cast('{today}' as date))
                as double)
            when json_type(value) not in ('VARCHAR', 'BOOLEAN', 'ARRAY')
                then cast(json_extract_string(value, '$') as double) end as number,
            case when json_type(value) = 'VARCHAR' then json_extract_string(value, '$') end as text
        from said
    )
    select trait, count(distinct person_id) as people, quantile_disc(number, 0.25) as low,
        quantile_disc(number, 0.5) as median, quantile_disc(number, 0.75) as high
    from told group by trait order by trait
"""
COMMON = """
    select trait, json_extract_string(value, '$') as value, count(*) as people from said
    where json_type(value) = 'VARCHAR' group by trait, value order by people desc, value
"""
GRID = """
    select r, case when f = 1 then 1 else (f + m + 1) // 2 end as value, segment as cell,
        count(*) as people
    from rfm_current group by r, value, cell order by r, value
"""


def groups(lake: LakeSession, workspace: Workspace) -> Row:
    """The report's part on segments, as of the newest run."""
    moment = newest_moment(lake)
    assert moment is not None, "the demo runs the loop first"
    scope = Scope("", moment.astimezone(UTC), ZoneInfo(workspace.time_zone), 1)
    look_at(lake, scope)
    make_stages(lake, scope)
    everyone = lake.rows("select count(*) as people from everybody")[0]["people"]
    segments = _segments(lake, workspace, everyone)
    return {
        "as_of": scope.as_of.isoformat(),
        "time_zone": workspace.time_zone,
        "people": everyone,
        "segments": segments,
        "overlaps": _overlaps(lake.rows(OVERLAPS), segments, everyone),
        "changes": lake.rows(CHANGES),
        "traits": _traits(lake, scope, workspace),
        "lifecycle": {row["stage"]: row["people"] for row in lake.rows(STAGES)},
        "grid": lake.rows(GRID),
    }


def _segments(lake: LakeSession, workspace: Workspace, everyone: int) -> list[Row]:
    sizes = {row["segment"]: row["people"] for row in lake.rows(SIZES)}
    return [
        {
            "segment": one.name,
            "title": one.title,
            "rule": one.text.strip(),
            "people": sizes.get(one.name, 0),
            "share": sizes.get(one.name, 0) / everyone if everyone else None,
        }
        for one in segments_of(workspace.segments)
    ]


def _overlaps(rows: Sequence[Row], segments: Sequence[Row], everyone: int) -> list[Row]:
    """Pairs with anybody in both; `lift` is that against chance."""
    sizes = {one["segment"]: one["people"] for one in segments}
    known = [row for row in rows if row["a"] in sizes and row["b"] in sizes]
    return [
        {**row, "lift": row["both"] * everyone / (sizes[row["a"]] * sizes[row["b"]])}
        for row in known
    ]


def _traits(lake: LakeSession, scope: Scope, workspace: Workspace) -> list[Row]:
    """For each computed trait how many have it; quartiles of numbers, the most common texts."""
    lake.open_named(TRAITS)
    lake.connection.execute(TRAITS)
    found = {row["trait"]: row for row in lake.rows(VALUES.format(today=scope.today.isoformat()))}
    common = lake.rows(COMMON)
    told = []
    for one in computed_traits_of(workspace.traits):
        row = found.get(one.name, {})
        texts = [[row["value"], row["people"]] for row in common if row["trait"] == one.name]
        told.append(
            {
                "trait": one.name,
                "making": one.making.value,
                "description": one.description,
                "people": row.get("people", 0),
                "quartiles": [row.get(name) for name in ("low", "median", "high")],
                "common": texts[:MOST_COMMON],
            }
        )
    return told
