"""People who are learnt of where there are more than fit into the function that learns."""

from typing import TYPE_CHECKING

from stamgast_lake.features.allowed import IS_ALLOWED
from stamgast_lake.features.panel import PANEL
from stamgast_lake.logs import count

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_ROWS = 700_000
"""Of forty features a quarter of a gigabyte, and a few times that while trees are fitted."""
PLACE = "cast('0x' || md5(person_id)[:8] as ubigint)"
ROWS = f"select count(*) from {PANEL} where {IS_ALLOWED}"
PEOPLE = f"select count(distinct person_id) from {PANEL} where {IS_ALLOWED}"
ALL = "true"


def drawn(engine: "DuckDBPyConnection") -> str:
    """A condition on rows of the panel that keeps whole persons, by a hash of their ids, so many
    that about `MOST_ROWS` are left; all where these suffice. Needs what `allow` makes."""
    rows = count(engine, ROWS)
    return ALL if rows <= MOST_ROWS else f"{PLACE} < {int(2**32 * MOST_ROWS / rows)}"


def drawn_of(engine: "DuckDBPyConnection", which: str) -> tuple[int, int] | None:
    """How many people such a condition keeps, and of how many; None where it keeps all."""
    if which == ALL:
        return None
    return count(engine, f"{PEOPLE} and {which}"), count(engine, PEOPLE)
