"""The purchase rhythm of every person in one SQL statement, derived from the pure rules."""

from stamgast.segments.rhythm import (
    LAPSED_DAYS,
    LAPSED_TIMES_LATE,
    LATE_PERCENT,
    LATE_TIMES_USUAL,
    LEAST_GAPS,
)

_GAPS = """
    order_day as (select distinct person_id, ordered_on from {order_days}),
    gap as (
        select person_id, ordered_on,
            date_diff('day', lag(ordered_on) over newest, ordered_on) as days,
            row_number() over (partition by person_id order by ordered_on desc) as age
        from order_day
        window newest as (partition by person_id order by ordered_on)
    ),
    ranked as (
        select person_id, days, age,
            row_number() over (partition by person_id order by days, age) as place,
            count(*) over (partition by person_id) as gaps,
            row_number() over (partition by person_id, age > 1 order by days, age) as place_before
        from gap where days is not null
    )
"""
_HABIT = """
    {name} as (
        select person_id,
            min(case when 100 * {place} >= 50 * {gaps} then days end) as usual_days,
            min(case when 100 * {place} >= {percent} * {gaps} then days end) as rare_days
        from ranked where {kept} and {gaps} >= {least} group by person_id
    )
"""


def rhythm_sql(order_days: str) -> str:
    """A SELECT of each person's rhythm from a relation (person_id, ordered_on), rows repeating.

    Equal, row by row, to `stamgast.segments.rhythm.rhythm_of`.
    """
    told = {"percent": LATE_PERCENT, "least": LEAST_GAPS}
    habit = _HABIT.format(name="habit", place="place", gaps="gaps", kept="true", **told)
    before = _HABIT.format(
        name="before", place="place_before", gaps="(gaps - 1)", kept="age > 1", **told
    )
    return f"""
        with {_GAPS.format(order_days=order_days)}, {habit}, {before},
        span as (
            select person_id, count(*) as order_days, min(ordered_on) as first_on,
                max(ordered_on) as last_on, max(case when age = 1 then days end) as last_gap
            from gap group by person_id
        )
        select span.person_id, span.order_days, span.first_on, span.last_on,
            habit.usual_days, {_late("habit")} as late_after_days,
            coalesce(span.last_gap > coalesce({LAPSED_TIMES_LATE} * {_late("before")},
                {LAPSED_DAYS}), false) as has_returned
        from span
        left join habit on habit.person_id = span.person_id
        left join before on before.person_id = span.person_id
    """


def _late(habit: str) -> str:
    """Null without a habit, in engines whose `greatest` passes over nulls too."""
    usual = f"{LATE_TIMES_USUAL} * {habit}.usual_days"
    return f"case when {usual} >= {habit}.rare_days then {usual} else {habit}.rare_days end"
