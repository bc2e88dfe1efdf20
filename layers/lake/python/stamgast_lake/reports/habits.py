"""What is typical of a segment: medians of people, and the hours at which they are about."""

from typing import Any

from stamgast_lake.query import LakeSession
from stamgast_lake.reports.scope import GROUPS
from stamgast_lake.rules.literals import quoted

Row = dict[str, Any]

BUYING = """
    with buyer as (
        select person_id, any_value(is_member) as is_member, count(*) as orders,
            cast(sum(revenue_minor) as bigint) as revenue_minor
        from happened where revenue_minor is not null and currency = {currency} group by person_id
    )
    select count(*) as buyers, cast(coalesce(sum(orders), 0) as bigint) as orders,
        cast(coalesce(sum(revenue_minor), 0) as bigint) as revenue_minor,
        {orders} as median_orders, {revenue} as median_revenue_minor,
        {basket} as median_basket_minor
    from buyer where {group}
"""
RHYTHM = """
    select count(usual_days) as with_rhythm, {usual} as median_usual_days,
        count(silent_days) as ever_bought, {silent} as median_silent_days
    from stage_of_life join everybody on everybody.person_id = stage_of_life.person_id
    where {group}
"""
HOURS = """
    select cast(isodow(local_at) as integer) as weekday, cast(hour(local_at) as integer) as hour,
        count(distinct person_id) as people, count(*) as events
    from happened where {group} group by weekday, hour order by weekday, hour
"""
MEDIAN = "quantile_disc({value}, 0.5)"


def habits(lake: LakeSession, currency: str | None) -> dict[str, Row]:
    """Medians over the people of each group; amounts in the minor units of `currency`.

    Needs `look_at` and the stages of life.
    """
    buying = BUYING.format(
        currency=quoted(currency or ""),
        group="{group}",
        orders=MEDIAN.format(value="orders"),
        revenue=MEDIAN.format(value="revenue_minor"),
        basket=MEDIAN.format(value="cast(round(revenue_minor / orders) as bigint)"),
    )
    rhythm = RHYTHM.format(
        group="{group}",
        usual=MEDIAN.format(value="usual_days"),
        silent=MEDIAN.format(value="silent_days"),
    )
    return {
        group: {
            **lake.rows(buying.format(group=condition))[0],
            **lake.rows(rhythm.format(group=condition))[0],
            "hours": lake.rows(HOURS.format(group=condition)),
        }
        for group, condition in GROUPS.items()
    }
