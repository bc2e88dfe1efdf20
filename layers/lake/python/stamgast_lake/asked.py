"""Which columns a run reads of the logs of identity, and the tables for what it has read."""

from collections.abc import Mapping, Sequence

from stamgast_lake.tables import EDGES, IDENTITY, PERSONS, LakeTable

# No more than is asked of them: a text costs more to read than to compare.
TOLD = {
    "identity": (
        *("identifier", "person_id", "assurance", "is_anchor", "born_at", "born_message"),
        *("born_message_id", "born_source", "born_position", "recorded_at", "run_id"),
    ),
    "persons": (
        *("person_id", "state", "born_at", "founding_source", "founding_message"),
        *("founding_position", "members", "recorded_at", "run_id"),
    ),
    "edges": (
        *("a", "b", "assurance", "event_at", "message_key", "position", "source_id"),
        *("recorded_at", "run_id"),
    ),
}
# What tells most repeated log-ins from news: moments, and no message unless they are equal.
GLANCED = {
    "identity": (
        *("identifier", "person_id", "assurance", "is_anchor", "born_at"),
        *("recorded_at", "run_id"),
    ),
    "edges": ("a", "b", "assurance", "event_at", "recorded_at", "run_id"),
}
NO_ROW = """
    create or replace temp table {into} as
    select {told}, true as is_settled from {rows} limit 0
"""


def _no_row(into: str, table: LakeTable, told: Mapping[str, Sequence[str]] = TOLD) -> str:
    return NO_ROW.format(into=into, rows=table.name, told=", ".join(told[table.name]))


NOTHING_ASKED = (
    "create or replace temp table touched (key varchar)",
    _no_row("identity_row", IDENTITY),
    _no_row("person_row", PERSONS),
    _no_row("edge_row", EDGES),
    _no_row("glimpse", IDENTITY, GLANCED),
    "create or replace temp table known as select * from identity_row",
    "create or replace temp table known_edge as select * from edge_row",
    "create or replace temp table person_known as select * from person_row",
    "create or replace temp table glimpsed (key varchar)",
    "create or replace temp table asked_identifier (key varchar)",
    "create or replace temp table asked_person (key varchar)",
    "create or replace temp table refusal (a varchar, b varchar, is_wide boolean)",
)
