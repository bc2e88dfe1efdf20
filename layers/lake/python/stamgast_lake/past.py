"""What the current views said at a past moment: table macros, derived from the very same SQL.

A row counts from the moment that it was recorded at, which for what a run writes is the run's own.
Rows that an erasure took are gone from the past, too. Where a session knows when it asks, a moment
that lies ahead of that is refused. DuckDB only: Athena has no table macros.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from stamgast.moments import CLOCKS_DIFFER
from stamgast_lake.tables import EVIDENCE, RUNS, TABLES
from stamgast_lake.views import EVENTS_BY_PERSON, VIEWS, View

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PARAMETER = "as_of_moment"
LATEST = "latest_moment"
AHEAD = "The moment lies ahead of now, and nobody knows yet."
MOMENT = (
    f"case when cast({PARAMETER} as timestamptz) > getvariable('{LATEST}') then error('{AHEAD}')"
    f" else cast({PARAMETER} as timestamptz) end"
)
CURRENT, AS_OF = "_current", "_as_of"
SOURCE = re.compile(r"\b(from|join) ([a-z_]+)\b")


@dataclass(frozen=True, slots=True)
class Macro:
    """A table macro of one moment, a timestamp with time zone: its sentence and its SQL."""

    name: str
    doc: str
    reads: tuple[str, ...]
    sql: str


def _name(view: View) -> str:
    return view.name.removesuffix(CURRENT) + AS_OF


def _until(name: str) -> str:
    """A table's rows that were there at the moment, by the first of these times that it has."""
    columns = TABLES[name].column_names
    time = next(one for one in ("recorded_at", "received_at", "moment") if one in columns)
    return f"(select * from {name} where {time} <= {MOMENT}) as {name}"


def _of(view: View) -> Macro:
    """The same view, reading what was there at the moment."""

    def then(found: re.Match[str]) -> str:
        word, name = found[1], found[2]
        if name in VIEWS:
            return f"{word} {_name(VIEWS[name])}({PARAMETER}) as {name}"
        return f"{word} {_until(name)}" if name in TABLES else found[0]

    reads = tuple(_name(VIEWS[name]) if name in VIEWS else name for name in view.reads)
    return Macro(_name(view), f"{view.name} as it was then.", reads, SOURCE.sub(then, view.sql))


EVIDENCE_AS_OF = Macro(
    "evidence_as_of",
    "The evidence that runs had taken in by then.",
    (EVIDENCE.name, RUNS.name),
    f"""
    select evidence.* from evidence
    left join (select run_id, max(moment) as moment from runs group by run_id) taken
        on taken.run_id = evidence.run_id
    where evidence.received_at <= {MOMENT}
      and coalesce(taken.moment, evidence.received_at) <= {MOMENT}""",
)
CONSTRAINTS_AS_OF = Macro(
    "constraints_as_of",
    "What held then of cannot-links, values that link nobody, and refused edges.",
    ("constraints",),
    f"""
    select * exclude (nth) from (
        select *, row_number() over (
            partition by kind, a, b
            order by recorded_at desc, message_key desc, run_id desc) as nth
        from {_until("constraints")}
    ) numbered
    where nth = 1 and (lifted_at is null or lifted_at > {MOMENT})""",
)
MACROS = {
    macro.name: macro
    for macro in (
        *(_of(view) for name, view in VIEWS.items() if name.endswith(CURRENT)),
        _of(EVENTS_BY_PERSON),
        EVIDENCE_AS_OF,
        CONSTRAINTS_AS_OF,
    )
}


def macro_statement(macro: Macro) -> str:
    """The statement that makes the macro in DuckDB."""
    return f"create or replace temp macro {macro.name}({PARAMETER}) as table{macro.sql}"


def refuse_ahead(connection: "DuckDBPyConnection", now: datetime) -> None:
    """From here on this connection's macros refuse moments after `now`, by more than clocks differ.

    As an API does with `as_of`; duckdb.InvalidInputException where a row is looked at.
    """
    connection.execute(f"set variable {LATEST} = ?::timestamptz", [now + CLOCKS_DIFFER])
