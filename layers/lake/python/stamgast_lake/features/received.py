"""Features at a cut-off as they had been received by the end of its day, beside those known now.

An event that was dated before the cut-off and received after it was not known then. That is asked
of events of the time since their source first delivered alone: what happened before is history that
was loaded, and nobody can tell what of it had been known.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from stamgast.models.declaration import Kind, Model
from stamgast_lake.features.known_as import AS_THEN, as_known
from stamgast_lake.features.measured import DAY_MS, MEASURED, CutOff, measured
from stamgast_lake.logs import count
from stamgast_lake.rules.literals import moment_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OF_OUTCOMES = frozenset(
    {Kind.PROPENSITY, Kind.CHURN, Kind.LIFETIME_VALUE, Kind.UPLIFT, Kind.DRIVERS}
)
LATE = """event_at < {cut} and received_at >= {day_after} and exists (
        select 1 from began where began.source_id = {events}.source_id
            and event_at >= began.began_at)"""
BEGAN = """
    create or replace temp table began as
    select source_id, min(received_at) as began_at from person_event group by source_id
"""
KNOWN = """
    select count(*) as events, count(*) filter ({late}) as late,
        count(*) filter (received_at >= {day_after} and not ({late})) as loaded
    from person_event where event_at < {cut} and event_at >= {since}
"""
BESIDE = """
    create or replace temp table panel as
    select panel.*, {columns}
    from panel left join {measured} received on received.person_id = panel.then_id
        and panel.cut_on = date '{cut_on}'
"""


def known(engine: "DuckDBPyConnection", model: Model, cut_off: CutOff) -> Mapping[str, Any]:
    """Of the events of a horizon before a cut-off: how many came later than its day (`late`), and
    how many were loaded later, so that nobody can tell when they were known.

    And how many people have been `joined` since, and whether they `are_apart` in the panel.
    """
    since = moment_sql(cut_off.ms - model.within_days * DAY_MS)
    cut, day_after = moment_sql(cut_off.ms), moment_sql(cut_off.ms + DAY_MS)
    engine.execute(BEGAN)
    sql = KNOWN.format(late=_late(cut_off), day_after=day_after, cut=cut, since=since)
    events, late, loaded = engine.execute(sql).fetchall()[0]
    joined = as_known(engine, cut_off)
    as_known(engine, None)
    told = {"events": events, "late": late, "loaded": loaded}
    told |= {"joined": joined, "are_apart": model.kind in AS_THEN}
    return {"cut_on": str(cut_off.on), "days": model.within_days, **told}


def has_late(engine: "DuckDBPyConnection", model: Model, cut_off: CutOff) -> bool:
    """Whether anything that is dated before a cut-off came later than its day."""
    if model.kind not in OF_OUTCOMES or not model.features:
        return False
    engine.execute(BEGAN)
    return count(engine, f"select count(*) from person_event where {_late(cut_off)}") > 0


def in_time(cut_off: CutOff) -> str:
    """A condition on events of view `seen`: it had been received by the end of the day."""
    return f"not ({_late(cut_off, 'seen')})"


def beside(model: Model, cut_off: CutOff) -> Iterator[str]:
    """Statements that put g0, g1, … beside f0, f1, … of a cut-off's rows."""
    yield from measured(model, cut_off)
    columns = ", ".join(f"received.f{place} as g{place}" for place in range(len(model.features)))
    yield BESIDE.format(columns=columns, measured=MEASURED, cut_on=cut_off.on)


def _late(cut_off: CutOff, events: str = "person_event") -> str:
    cut, day_after = moment_sql(cut_off.ms), moment_sql(cut_off.ms + DAY_MS)
    return LATE.format(cut=cut, day_after=day_after, events=events)
