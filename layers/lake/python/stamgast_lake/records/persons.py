"""The comparison columns of persons, out of their profiles; they never leave the lake."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from stamgast.identity.records import RecordSettings
from stamgast_lake.lake import Lake
from stamgast_lake.logs import latest, see
from stamgast_lake.records.columns import ID
from stamgast_lake.tables import IDENTITY, PERSONS, PROFILES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PROFILE_ROWS = """
    select profile_now.person_id, profile_now.profile_hash, profile_now.traits
    from profile_now join person_now on person_now.person_id = profile_now.person_id
    where person_now.state = 'active'
"""
KEYS = """
    create or replace temp table person_key as
    select person_id, min(identifier) as identifier from identity_now group by person_id
"""
SINCE = "create or replace temp table person_seen as {rows}"
ROWS_AT_ONCE = 50_000


def read_persons(
    engine: "DuckDBPyConnection", lake: Lake, settings: RecordSettings
) -> tuple[pa.Table, Mapping[str, str]]:
    """The records of all persons with a comparison column, and each person's profile hash.

    Makes `person_key`: the identifier that stands for a person in links, the first by its key.
    """
    see(engine, lake, IDENTITY, PERSONS, PROFILES)
    latest(engine, "identity", "identifier", "identity_now")
    latest(engine, "persons", "person_id", "person_now")
    latest(engine, "profiles", "person_id", "profile_now")
    engine.execute(KEYS)
    found = engine.execute(PROFILE_ROWS)
    records: list[dict[str, Any]] = []
    hashes: dict[str, str] = {}
    while rows := found.fetchmany(ROWS_AT_ONCE):
        for person_id, profile_hash, traits in rows:
            told = columns_of(orjson.loads(traits), settings)
            if told:
                records.append({ID: person_id, **told})
                hashes[person_id] = profile_hash
    names = (ID, *settings.traits)
    schema = pa.schema({name: pa.string() for name in names})
    return pa.Table.from_pylist(records, schema=schema), hashes


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
