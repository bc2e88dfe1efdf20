"""Features at a cut-off as they had been received by the end of its day, beside those known now.

An event that was dated before the cut-off and received after it was not known then. That is asked
of sources that were delivering by then alone: history that is loaded in one go came late as a
whole, and nobody can tell what of it had been known.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stamgast.models.declaration import Kind, Model
from stamgast_lake.features.measured import DAY_MS, MEASURED, CutOff, measured
from stamgast_lake.logs import count
from stamgast_lake.rules.literals import moment_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OF_OUTCOMES = frozenset(
    {Kind.PROPENSITY, Kind.CHURN, Kind.LIFETIME_VALUE, Kind.UPLIFT, Kind.DRIVERS}
)
LATE = """event_at < {cut} and received_at >= {day_after} and source_id in (
        select source_id from {events} group by source_id having min(received_at) < {cut})"""
BESIDE = """
    create or replace temp table panel as
    select panel.*, {columns}
    from panel left join {measured} received on received.person_id = panel.person_id
        and panel.cut_on = date '{cut_on}'
"""


def has_late(engine: "DuckDBPyConnection", model: Model, cut_off: CutOff) -> bool:
    """Whether anything that is dated before a cut-off came later than its day."""
    if model.kind not in OF_OUTCOMES or not model.features:
        return False
    return count(engine, f"select count(*) from person_event where {_late(cut_off)}") > 0


def without_late(cut_off: CutOff) -> Iterator[str]:
    """Statements after which `person_event` is what had been received by the end of the day."""
    yield "alter table person_event rename to every_event"
    late = _late(cut_off, "every_event")
    yield f"create temp view person_event as select * from every_event where not ({late})"


def beside(model: Model, cut_off: CutOff) -> Iterator[str]:
    """Statements that put g0, g1, … beside f0, f1, … of a cut-off's rows, and undo the above."""
    yield from measured(model, cut_off)
    columns = ", ".join(f"received.f{place} as g{place}" for place in range(len(model.features)))
    yield BESIDE.format(columns=columns, measured=MEASURED, cut_on=cut_off.on)
    yield "drop view person_event"
    yield "alter table every_event rename to person_event"


def _late(cut_off: CutOff, events: str = "person_event") -> str:
    cut, day_after = moment_sql(cut_off.ms), moment_sql(cut_off.ms + DAY_MS)
    return LATE.format(cut=cut, day_after=day_after, events=events)
