"""Whom a model may learn of and score: whose consent covers its purpose, and the purpose it."""

from typing import TYPE_CHECKING

from stamgast.consent.purposes import Use
from stamgast.models.declaration import Model
from stamgast_lake.consents import covers_sql
from stamgast_lake.lake import Lake

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ALLOWED = """
    create or replace temp table allowed as
    select person_id from profile_now where {covers}
"""
IS_ALLOWED = "person_id in (select person_id from allowed)"


def allow(engine: "DuckDBPyConnection", lake: Lake, model: Model) -> None:
    """Makes table `allowed` of `profile_now`; everybody for a model that names no purpose.

    Who objects to profiling is in no panel in the first place.
    """
    covers, purposes = "true", lake.workspace().consents
    if model.purpose is not None:
        purpose = purposes.of(model.purpose)
        is_covered = purpose is not None and purpose.allows(Use.MODELS, model.name)
        covered = covers_sql("profile_now.traits", model.purpose, purposes)
        covers = covered if is_covered else "false"
    engine.execute(ALLOWED.format(covers=covers))
