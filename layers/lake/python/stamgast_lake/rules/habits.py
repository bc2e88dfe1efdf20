"""The rhythm and the stage of life of every person as columns, made where a rule names them."""

from stamgast.segments.language.columns import Path
from stamgast.segments.language.kinds import Type
from stamgast.segments.language.orders import ordered
from stamgast.segments.language.windows import Now
from stamgast.segments.rhythm import LAPSED_DAYS, LAPSED_TIMES_LATE, LATE_DAYS, Stage
from stamgast_lake.rhythm import rhythm_sql
from stamgast_lake.rules.expressions import Expressions
from stamgast_lake.rules.extractions import Extractions
from stamgast_lake.rules.guards import guard_of
from stamgast_lake.rules.literals import literal_sql, moment_sql, quoted

HABITS = "rule_habit"
COLUMNS = """
    select person_id, cast(order_days as double) as rhythm_order_days,
        cast(usual_days as double) as rhythm_usual_days,
        cast(late_after_days as double) as rhythm_late_after_days,
        cast(greatest(0, {today} - last_on) as double) / cast(usual_days as double)
            as rhythm_slowness,
        last_on as rhythm_last_on, late_since as rhythm_late_since,
        lapsed_since as rhythm_lapsed_since,
        case when {today} >= lapsed_since then '{lapsed}'
            when {today} >= late_since then '{late}'
            when order_days = 1 then '{new}'
            when has_returned then '{returned}' else '{active}' end as lifecycle
    from (
        select *,
            last_on + cast(1 + coalesce(late_after_days, {late_days}) as integer) as late_since,
            last_on + cast(1 + coalesce({times} * late_after_days, {lapsed_days}) as integer)
                as lapsed_since
        from ({rhythm}) rhythm
    ) dated
"""


def habit_column(path: Path) -> str:
    """What the rule sees of the table joined to the persons; who never ordered is a prospect."""
    name = "_".join(path)
    return f"coalesce({name}, {quoted(Stage.PROSPECT)})" if path == ("lifecycle",) else name


def habits_sql(now: Now, events: str) -> str:
    """A SELECT of the persons who ordered up to now, with the columns of their habit."""
    extractions = Extractions(now.zone.key, "h")
    is_order = Expressions(now, extractions, _never, guard_of(ordered())).sql(ordered())
    day = f"cast(event_at at time zone {quoted(now.zone.key)} as date)"
    until = f"person_id is not null and event_at < {moment_sql(now.ms + 1)}"
    days = f"(select person_id, {day} as ordered_on from {events} where {until} and {is_order})"
    return COLUMNS.format(
        rhythm=rhythm_sql(days),
        today=literal_sql(Type.DATE, now.today),
        late_days=LATE_DAYS,
        lapsed_days=LAPSED_DAYS,
        times=LAPSED_TIMES_LATE,
        lapsed=Stage.LAPSED,
        late=Stage.LATE,
        new=Stage.NEW,
        returned=Stage.RETURNED,
        active=Stage.ACTIVE,
    )


def _never(node: object) -> str:
    raise TypeError(f"{type(node).__name__} is no part of an event's filter")
