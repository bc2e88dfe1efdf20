"""What the evidence says of the identifiers that a run must look at again, in SQL.

An identifier is touched when new evidence names it, when it shares a person with a touched one, or
when a refused edge leads to one: what is not touched cannot have changed.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast.identity.assurance import Assurance
from stamgast.identity.rules import LEAST_LIMIT
from stamgast.identity.settings import IdentitySettings, Kind
from stamgast_lake.lake import Lake
from stamgast_lake.tables import EVIDENCE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DETERMINISTIC = """
    create or replace temp view evidence as
    select * from every_evidence where probability is null
"""
START = """
    create or replace temp table touched as
    select a as key from {fresh} union select b as key from {fresh} where b is not null
"""
WIDER = """
    with person as (
        select distinct person_id from identity_now
        where identifier in (select key from touched)
    ), wider as (
        select identifier as key from identity_now
        where person_id in (select person_id from person)
        union select a from refused_now where b in (select key from touched)
        union select b from refused_now where a in (select key from touched)
        union select a from cannot_link where b in (select key from touched)
        union select b from cannot_link where a in (select key from touched)
    )
    insert into touched select key from wider where key not in (select key from touched)
"""
TOLD = """
    create or replace temp table told as
    select a, b, position, message_key, message_id, source_id, assurance,
        epoch_ms(event_at) as event_ms, epoch_ms(received_at) as received_ms
    from evidence
    where a in (select key from touched) or b in (select key from touched)
"""
SEEN = f"""
    create or replace temp table seen as
    with sighting as (
        select a as key, 0 as place, message_key, message_id, source_id, assurance, received_ms
        from told where a in (select key from touched)
        union all
        select b, position, message_key, message_id, source_id, assurance, received_ms
        from told where b in (select key from touched)
    ), ranked as (
        select *, max(assurance) over (partition by key) as best_assurance,
            row_number() over (
                partition by key order by received_ms, message_key, place) as age
        from sighting
    )
    select key, split_part(key, ':', 1) as namespace, best_assurance as assurance,
        received_ms, message_key, place as position, source_id, message_id,
        best_assurance = {int(Assurance.VERIFIED)} and coalesce(kind, '{Kind.EPHEMERAL}')
            <> '{Kind.EPHEMERAL}' as is_known
    from ranked left join namespace on namespace.name = split_part(key, ':', 1)
    where age = 1
"""
EDGES = f"""
    create or replace temp table edge as
    with supported as (
        select a, b, {int(Assurance.VERIFIED)} - assurance as weakness,
            coalesce(priority, {{lowest}}) as priority, event_ms, message_key, position
        from told left join namespace on namespace.name = split_part(b, ':', 1)
        where b is not null
    ), ranked as (
        select *, row_number() over (
            partition by a, b
            order by weakness, priority, event_ms, message_key, position) as rank
        from supported
    )
    select a, b, weakness, priority, event_ms, message_key, position from ranked where rank = 1
"""
OFF = f"""
    create or replace temp table off as
    with near as (
        select key, other, min(weakness) as weakness from (
            select a as key, b as other, weakness from edge
            union all select b, a, weakness from edge
        )
        where key in (select key from touched) group by key, other
    ), counted as (
        select key, count(*) as persons, count(*) filter (where weakness = 0) as vouched
        from near join namespace on namespace.name = split_part(other, ':', 1)
        where kind <> '{Kind.EPHEMERAL}' group by key, name
    )
    select key, max(vouched) > coalesce(value_limit, {LEAST_LIMIT}) as is_wholly
    from counted left join namespace on namespace.name = split_part(key, ':', 1)
    group by key, value_limit having max(persons) > coalesce(value_limit, {LEAST_LIMIT})
"""
CANDIDATES = """
    create or replace temp table candidate as
    select * from edge
    where a in (select key from touched) and b in (select key from touched)
      and a not in (select key from off where is_wholly)
      and b not in (select key from off where is_wholly)
      and (weakness = 0
        or (a not in (select key from off) and b not in (select key from off)))
"""


def see_deterministic(engine: "DuckDBPyConnection", lake: Lake) -> None:
    """Names `evidence` in the session: without statistical links, which never join anybody."""
    engine.register("every_evidence", lake.catalogue.dataset(EVIDENCE))
    engine.execute(DETERMINISTIC)


def gather(engine: "DuckDBPyConnection", fresh: str, settings: IdentitySettings) -> int:
    """Makes `touched`, `seen`, `edge`, `off` and `candidate`; returns how many are touched.

    Reads the relations `evidence`, `identity_now`, `refused_now` and `cannot_link`; `fresh` is the
    relation of new evidence.
    """
    _name(engine, settings)
    engine.execute(START.format(fresh=fresh))
    while _count(engine, WIDER):
        pass
    reread(engine, settings)
    engine.execute(OFF)
    engine.execute(CANDIDATES)
    return _count(engine, "select count(*) from touched")


def add(engine: "DuckDBPyConnection", keys: str) -> int:
    """Adds the identifiers of a statement to those that are touched; returns how many."""
    return _count(engine, f"insert into touched {keys}")


def reread(engine: "DuckDBPyConnection", settings: IdentitySettings) -> None:
    """Makes `told`, `seen` and `edge` of what is touched now."""
    lowest = 1 + max((one.priority for one in settings.namespaces), default=0)
    for statement in (TOLD, SEEN, EDGES.format(lowest=lowest)):
        engine.execute(statement)


def _count(engine: "DuckDBPyConnection", statement: str) -> int:
    rows = engine.execute(statement).fetchall()
    return int(rows[0][0]) if rows else 0


def _name(engine: "DuckDBPyConnection", settings: IdentitySettings) -> None:
    told: Iterable[tuple[str, int, int, str]] = [
        (one.name, one.priority, one.value_limit, one.kind.value) for one in settings.namespaces
    ]
    columns = zip(*told, strict=True)
    names = ("name", "priority", "value_limit", "kind")
    rows = pa.table(dict(zip(names, map(list, columns), strict=True)))
    engine.register("namespace_rows", rows)
    engine.execute("create or replace temp table namespace as select * from namespace_rows")
    engine.unregister("namespace_rows")
