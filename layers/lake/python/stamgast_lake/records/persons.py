"""The comparison columns of persons, out of their profiles; they never leave the lake."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from stamgast.identity.records import RecordSettings
from stamgast_lake.lake import Lake
from stamgast_lake.logs import count, latest, look_up, newest, see, see_runs
from stamgast_lake.records.columns import ID
from stamgast_lake.tables import IDENTITY, PERSONS, PROFILES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TOLD = """
    create or replace temp table person_told as
    select profile_now.person_id as person, profile_now.profile_hash as hash
    from profile_now join person_now on person_now.person_id = profile_now.person_id
    where person_now.state = 'active'
"""
KEYS = """
    create or replace temp table person_key as
    select person_id, min(identifier) as identifier from identity_now
    where person_id is not null group by person_id
"""
WANTED = "create or replace temp table wanted_key as select person as key from {which}"
ROWS_AT_ONCE = 20_000


def see_persons(engine: "DuckDBPyConnection", lake: Lake) -> int:
    """Makes `person_told`, all active persons with the hashes of their profiles; how many.

    Makes `person_key`, too: the identifier that stands for a person in links, the first by its key.
    """
    see(engine, lake, IDENTITY, PERSONS, PROFILES)
    see_runs(engine, lake)
    latest(engine, "identity", "identifier", "identity_now")
    latest(engine, "persons", "person_id", "person_now")
    latest(engine, "profiles", "person_id", "profile_now")
    engine.execute(KEYS)
    engine.execute(TOLD)
    return count(engine, "select count(*) from person_told")


def read_records(
    engine: "DuckDBPyConnection", lake: Lake, settings: RecordSettings, which: str
) -> pa.Table:
    """The records of the persons of relation `which` (person) that say anything in a column.

    Profiles are read a part at a time, so that only their comparison columns are held.
    """
    engine.execute(WANTED.format(which=which))
    columns = ("person_id", "traits", "recorded_at", "run_id")
    look_up(engine, lake, PROFILES, "wanted_key", "wanted_profile", columns)
    newest(engine, "wanted_profile", "person_id", "asked_profile")
    found = engine.execute("select person_id, traits from asked_profile")
    schema = pa.schema({name: pa.string() for name in (ID, *settings.traits)})
    parts = [schema.empty_table()]
    while rows := found.fetchmany(ROWS_AT_ONCE):
        records = [
            {ID: person_id, **told}
            for person_id, traits in rows
            if (told := columns_of(orjson.loads(traits), settings))
        ]
        parts.append(pa.Table.from_pylist(records, schema=schema))
    return pa.concat_tables(parts)


def columns_of(traits: Mapping[str, Any], settings: RecordSettings) -> dict[str, str]:
    """What a profile's traits say in the comparison columns."""
    told = {}
    for column, paths in settings.traits.items():
        value = next((text for path in paths if (text := _at(traits, path))), None)
        if value:
            told[column] = value
    return told


def _at(traits: Mapping[str, Any], path: str) -> str | None:
    """The text at a trait, or inside one that is an object (`address.street`)."""
    name, *rest = path.split(".")
    register = traits.get(name)
    value = register.get("value") if isinstance(register, dict) else None
    for step in rest:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value)
