"""Who has which trait, habit or product, counted in a segment and in everybody."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from stamgast_lake.query import LakeSession
from stamgast_lake.reports.scope import Scope, make
from stamgast_lake.reports.stages import make_stages
from stamgast_lake.rules.literals import quoted

Row = dict[str, Any]
FEW_NUMBERS, LONGEST_TEXT = 12, 80

TRAITS = """
    create or replace temp table told as
    select person_id, 'trait' as kind, entry.key as name,
        json_extract(entry.value, '$.value') as value
    from (
        select person_id, unnest(map_entries(cast(cast(traits as json) as map(varchar, json))))
            as entry
        from profiles_current where person_id in (select person_id from everybody)
    )
    union all
    select person_id, 'computed' as kind, entry.key, entry.value
    from (
        select person_id, unnest(map_entries(cast(cast(traits as json) as map(varchar, json))))
            as entry
        from computed_traits_current where person_id in (select person_id from everybody)
    )
"""
# Objects are opened once, lists count by their elements, and a day to count from is days.
LEAVES = """
    create or replace temp table leaf as
    with opened as (
        select person_id, kind, name, value from told where json_type(value) <> 'OBJECT'
        union all
        select person_id, kind, name || '.' || entry.key, entry.value from (
            select person_id, kind, name,
                unnest(map_entries(cast(value as map(varchar, json)))) as entry
            from told where json_type(value) = 'OBJECT'
                and json_extract(value, '$."$since"') is null)
        union all
        select person_id, kind, name, to_json(date_diff('day',
            cast(json_extract_string(value, '$."$since"') as date), cast('{today}' as date)))
        from told where json_type(value) = 'OBJECT'
            and json_extract(value, '$."$since"') is not null
    ),
    single as (
        select person_id, kind, name, value from opened where json_type(value) <> 'ARRAY'
        union all
        select person_id, kind, name, unnest(cast(value as json[])) from opened
        where json_type(value) = 'ARRAY'
    )
    select distinct person_id, kind, name, json_type(value) as form,
        json_extract_string(value, '$') as text
    from single
    where json_type(value) in ('VARCHAR', 'BOOLEAN', 'BIGINT', 'UBIGINT', 'DOUBLE', 'HUGEINT')
      and not (kind = 'trait' and name in ({personal}))
"""
NUMBERS = """
    create or replace temp table number as
    select person_id, kind, name, cast(text as double) as number from leaf
    where form not in ('VARCHAR', 'BOOLEAN')
    union all
    select person_id, 'orders', 'number of orders', cast(frequency as double) from rfm_current
    where person_id in (select person_id from everybody)
    union all
    select person_id, 'orders', 'days since the last order',
        cast(date_diff('day', last_order_on, cast('{today}' as date)) as double) from rfm_current
    where person_id in (select person_id from everybody)
"""
# Quartiles of everyone who has the number, by nearest rank (Hyndman and Fan 1996, type 1).
BANDS = f"""
    create or replace temp table band as
    with ranked as (
        select kind, name, number,
            row_number() over (partition by kind, name order by number) as place,
            count(*) over (partition by kind, name) as people
        from number where isfinite(number)
    )
    select kind, name, count(distinct number) > {FEW_NUMBERS} as is_wide,
        min(number) filter (4 * place >= people) as q1,
        min(number) filter (2 * place >= people) as q2,
        min(number) filter (4 * place >= 3 * people) as q3
    from ranked group by kind, name
"""
NUMBER_ROWS = """
    select person_id, number.kind, number.name,
        case when not is_wide then rtrim(rtrim(printf('%.6f', number), '0'), '.') end as value,
        case when not is_wide or number <= q1 then null when number <= q2 then q1
            when number <= q3 then q2 else q3 end as low,
        case when not is_wide or number > q3 then null when number <= q1 then q1
            when number <= q2 then q2 else q3 end as high
    from number join band on band.kind = number.kind and band.name = number.name
"""
ATTRIBUTES = """
    create or replace temp table attribute as
    select person_id, kind, name, text as value, cast(null as double) as low,
        cast(null as double) as high
    from leaf where form in ('VARCHAR', 'BOOLEAN') and length(text) <= {longest}
    union all {numbers}
    union all
    select person_id, 'rfm', 'group', segment, null, null from rfm_current
    union all
    select person_id, 'lifecycle', 'stage', stage, null, null from stage_of_life
    union all
    select distinct person_id, 'identifier', namespace, 'known', null, null from identity_current
    union all
    select person_id, 'segment', segment, 'member', null, null from memberships_current
    where segment <> {segment}
    union all
    select distinct person_id, 'channel', channel, 'used', null, null from happened
"""
COUNTED = """
    select kind, name, value, low, high, count(distinct everybody.person_id) as everyone,
        count(distinct everybody.person_id) filter (is_member) as segment
    from attribute join everybody on everybody.person_id = attribute.person_id
    group by all order by kind, name, value, low nulls first, high
"""
BOUGHT = """
    create or replace temp table bought as
    select distinct person_id, line.product_id as product, line.category as category
    from (
        select person_id, unnest(products) as line from events_by_person
        where products is not null and event_on >= cast('{from_day}' as date)
          and event_at >= cast('{from_at}' as timestamptz)
          and event_at <= cast('{as_of}' as timestamptz)
          and person_id in (select person_id from everybody)
    )
"""
BUYERS = """
    select {column} as name, count(distinct everybody.person_id) as everyone,
        count(distinct everybody.person_id) filter (is_member) as segment
    from bought join everybody on everybody.person_id = bought.person_id
    where {column} is not null group by 1 order by everyone desc, name
"""


def traits_counted(lake: LakeSession, scope: Scope, personal: Collection[str]) -> list[Row]:
    """People by trait and value: `kind`, `name`, `value` or a band of numbers above `low`, up to
    and with `high`; how many of everyone and of the segment.

    Traits named in `personal` are left out. Needs `look_at`.
    """
    told = {"today": scope.today.isoformat(), "segment": quoted(scope.segment)}
    names = ", ".join(quoted(name) for name in sorted(personal)) or "''"
    make_stages(lake, scope)
    make(lake, TRAITS)
    for statement in (LEAVES, NUMBERS, BANDS):
        make(lake, statement.format(personal=names, **told))
    make(lake, ATTRIBUTES.format(longest=LONGEST_TEXT, numbers=NUMBER_ROWS, **told))
    return lake.rows(COUNTED)


def products_counted(lake: LakeSession, scope: Scope) -> dict[str, list[Row]]:
    """Buyers of each product and of each category in the weeks looked at."""
    make(
        lake,
        BOUGHT.format(
            from_day=(scope.first_on - timedelta(days=1)).isoformat(),
            from_at=scope.from_at.isoformat(),
            as_of=scope.as_of.isoformat(),
        ),
    )
    return {column: lake.rows(BUYERS.format(column=column)) for column in ("product", "category")}
