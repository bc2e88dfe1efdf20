"""Every buyer's RFM scores at a moment, from the profiles that hold."""

from typing import TYPE_CHECKING

from stamgast_lake.lake import Lake
from stamgast_lake.logs import Seeing, latest, see
from stamgast_lake.rfm import rfm_sql
from stamgast_lake.tables import PERSONS, PROFILES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SPENDINGS = """
    create or replace temp view spendings as
    select person_id, spent.currency, spent.orders, spent.revenue_minor, spent.last_ms
    from (
        select profile_now.person_id, unnest(spending) as spent
        from profile_now join person_now on person_now.person_id = profile_now.person_id
        where person_now.state = 'active'
    )
"""


def score_buyers(
    engine: "DuckDBPyConnection", lake: Lake, moment_ms: int, see_logs: Seeing = see
) -> None:
    """Makes `profile_now`, `person_now` and table `scored`, one row a buyer."""
    see_logs(engine, lake, PROFILES, PERSONS)
    latest(engine, "profiles", "person_id", "profile_now")
    latest(engine, "persons", "person_id", "person_now")
    engine.execute(SPENDINGS)
    scored = rfm_sql("spendings", moment_ms)
    engine.execute(f"create or replace temp table scored as {scored}")
