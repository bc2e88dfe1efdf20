"""Recency, frequency and money of every buyer in one SQL statement, derived from the pure rules."""

from stamgast.segments.rfm import GRID

_BUYERS = """
    ranked as (
        select person_id, currency, orders, revenue_minor, last_ms,
            row_number() over (
                partition by person_id order by orders desc, last_ms desc, currency) as place,
            sum(orders) over (partition by person_id) as frequency,
            max(last_ms) over (partition by person_id) as latest_ms
        from {spendings} where orders > 0
    ),
    buyer as (
        select person_id, currency, revenue_minor as monetary_minor,
            cast(frequency as bigint) as frequency,
            {last_on} as last_order_on,
            greatest(0, date_diff('day', {last_on}, {moment_on})) as recency_days
        from ranked where place = 1
    )
"""
_PARTS = """
    placed as (
        select *,
            count(*) over () as population,
            rank() over (order by recency_days) - 1 as fresher,
            rank() over (partition by frequency > 1 order by frequency) - 1 as rarer,
            count(*) over (partition by frequency > 1) as alike,
            rank() over (partition by currency order by monetary_minor) - 1 as poorer,
            count(*) over (partition by currency) as payers
        from buyer
    ),
    scored as (
        select person_id, recency_days, last_order_on, frequency, monetary_minor, currency,
            population,
            5 - (5 * fresher) // population as recency_score,
            case when frequency <= 1 then 1 else 2 + (4 * rarer) // alike end as frequency_score,
            1 + (5 * poorer) // payers as monetary_score
        from placed
    ),
    valued as (
        select *, case when frequency_score = 1 then 1
            else (frequency_score + monetary_score + 1) // 2 end as value_score
        from scored
    )
"""
_DAY = "cast(to_timestamp({ms} // 1000) at time zone 'UTC' as date)"


def rfm_sql(spendings: str, moment_ms: int) -> str:
    """A SELECT of every buyer's measures, scores and cell.

    `spendings` is a relation (person_id, currency, orders, revenue_minor, last_ms), one row per
    person and currency. Equal, row by row, to `stamgast.segments.rfm.score`.
    """
    buyers = _BUYERS.format(
        spendings=spendings,
        last_on=_DAY.format(ms="latest_ms"),
        moment_on=_DAY.format(ms=f"cast({moment_ms} as bigint)"),
    )
    return f"""
        with {buyers}, {_PARTS}
        select person_id,
            cast(recency_days as bigint) as recency_days, last_order_on,
            frequency, monetary_minor, currency,
            cast(recency_score as integer) as recency_score,
            cast(frequency_score as integer) as frequency_score,
            cast(monetary_score as integer) as monetary_score,
            {_grid()} as cell, cast(population as bigint) as population
        from valued
    """


def _grid() -> str:
    arms = [
        f"when recency_score = {r} and value_score = {v} then '{cell}'"
        for r, row in enumerate(GRID, 1)
        for v, cell in enumerate(row, 1)
    ]
    return f"case {' '.join(arms)} end"
