"""Which rows about a person tell of nobody else: an id may have been of more than it is now."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast_lake.lake import Lake
from stamgast_lake.logs import look_up
from stamgast_lake.tables import (
    COMPUTED_TRAITS,
    EGRESS_RECEIPTS,
    IDENTITY,
    MEMBERSHIPS,
    PERSONS,
    PROFILES,
    RFM,
    LakeTable,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Whose an id was, and from which run to which. One that is gone ends as that of whom it had been.
STOOD = """
    create or replace temp table stood as
    select person_id, since, until, is_standing,
        list_has_all(own, members) as is_own, list_has_any(own, members) as holds_own
    from (select person_id, row(recorded_at, run_id) as since,
            lead(row(recorded_at, run_id)) over ordered as until,
            last_value(
                case when state = 'active' then members end ignore nulls) over ordered as members,
            state = 'active' and is_settled as is_standing,
            (select list(key) from own_key) as own
        from person_row window ordered as (partition by person_id order by recorded_at, run_id))
"""
# A log is silent of what stays as it is, so its newest row is also of whom the id is by now.
OWN = """
    select told.* exclude (nth) {replaced} from (
        select *, row_number() over (partition by {thing} order by {at} desc, run_id desc) as nth
        from found_rows) told
    left join stood on stood.person_id = told.person_id and since <= row({at}, {run})
        and (until is null or row({at}, {run}) < until)
    where {shown} order by {at}
"""
SHOWN = """stood.is_own or nth = 1 and {stands} and told.person_id in (
    select person_id from stood where is_own and is_standing and until is null)"""
# What the newest row says still holds after a run that found nothing else. A score holds until its
# model is asked again.
STANDS = {
    PROFILES: "true",
    RFM: "true",
    COMPUTED_TRAITS: "true",
    MEMBERSHIPS: "change = 'entered'",
}
# What left with somebody else's is still what left; neither whose word decided is told, nor the id
# of who is somebody else by now.
LEFT = "told.person_id in (select key from own_person) or stood.holds_own"
DECIDED = """replace (case when told.person_id in (select key from own_person)
        then told.person_id end as person_id,
    case when stood.is_own then consent_version end as consent_version,
    case when stood.is_own then consent_at end as consent_at)"""


def see_whose(
    engine: "DuckDBPyConnection", lake: Lake, persons: Collection[str], keys: Collection[str]
) -> frozenset[str]:
    """Makes `stood`: when each id that these identifiers ever had was of them, and of them alone.

    Returns these ids. Needs `settled_run`.
    """
    ids = frozenset({*persons, *_past(engine, lake, keys)})
    for name, told in (("own_key", keys), ("own_person", persons), ("past_person", ids)):
        engine.register(name, pa.table({"key": pa.array(sorted(told), pa.string())}))
    look_up(engine, lake, PERSONS, "past_person", "person_row")
    engine.execute(STOOD)
    return ids


def _past(engine: "DuckDBPyConnection", lake: Lake, keys: Collection[str]) -> Collection[str]:
    engine.register("own_key", pa.table({"key": pa.array(sorted(keys), pa.string())}))
    look_up(engine, lake, IDENTITY, "own_key", "identity_row")
    rows = engine.execute("select distinct person_id from identity_row").fetchall()
    return [person for (person,) in rows if person is not None]


def own_rows(table: LakeTable) -> str:
    """The statement of those rows of `found_rows` that tell of nobody else. Needs `stood`."""
    thing = "person_id, segment" if table is MEMBERSHIPS else "person_id"
    if table is EGRESS_RECEIPTS:  # an export has no run of its own, and reads the newest
        told = {"at": "as_of", "run": "chr(127)", "replaced": DECIDED, "shown": LEFT}
    else:
        shown = SHOWN.format(stands=STANDS.get(table, "false"))
        told = {"at": "recorded_at", "run": "run_id", "replaced": "", "shown": shown}
    return OWN.format(thing=thing, **told)
