"""What evidence says of identifiers: births, strongest supports of edges, who is off; in SQL.

Whole, from the table `evidence`; what the logs hold of a part of it is in `stamgast_lake.state`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast.identity.assurance import Assurance
from stamgast.identity.rules import LEAST_LIMIT
from stamgast.identity.served import Off
from stamgast.identity.settings import IdentitySettings, Kind
from stamgast_lake.lake import Lake
from stamgast_lake.logs import count, see_fresh
from stamgast_lake.tables import EVIDENCE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DETERMINISTIC = """
    create or replace temp view evidence as
    select * from every_evidence where probability is null
"""
FRESH_DETERMINISTIC = """
    create or replace temp view fresh_evidence as
    select * from unsettled_evidence
    where probability is null and run_id not in (select run_id from settled_run)
"""
MOST_HELD = 500_000
HELD_FRESH = f"""
    create or replace temp table fresh_held as
    select a, b, position, message_key, message_id, source_id, assurance, received_at, event_at,
        rule
    from fresh_evidence limit {MOST_HELD + 1}
"""
SIGHTINGS = """
    create or replace temp view {name} as
    select a as key, case when b is null then position else 0 end as place, message_key,
        message_id, source_id, assurance, epoch_ms(received_at) as received_ms,
        rule not in ('cut', 'lift') as is_anchor
    from {evidence}
    union all
    select b, position, message_key, message_id, source_id, assurance, epoch_ms(received_at), false
    from {evidence} where b is not null
"""
SUPPORTS = """
    create or replace temp view {name} as
    select a, b, assurance, epoch_ms(event_at) as event_ms, message_key, position, source_id
    from {evidence} where b is not null
"""
FIRST_SEEN = """
    create or replace temp table {into} as
    with known as (
        select key, max(assurance) as assurance, bool_or(is_anchor) as is_anchor,
            min(received_ms) as received_ms
        from {sightings} group by key
    ), first as (
        select said.key, known.assurance, known.is_anchor, said.received_ms, message_key, place,
            source_id, message_id, row_number() over (
                partition by said.key order by message_key, place) as age
        from {sightings} said
        join known on known.key = said.key and known.received_ms = said.received_ms
    )
    select key, assurance, is_anchor, received_ms, message_key, place as position, source_id,
        message_id
    from first where age = 1
"""
BEST_SUPPORTED = """
    create or replace temp table {into} as
    with ranked as (
        select *, row_number() over (
            partition by a, b order by assurance desc, event_ms, message_key, position) as rank
        from {supports}
    )
    select * exclude (rank) from ranked where rank = 1
"""
TOUCHED = """
    create or replace temp table touched as
    select key from sighting
    union select identifier from identity_now where person_id is not null
"""
SEEN = f"""
    create or replace temp table seen as
    select key, split_part(key, ':', 1) as namespace, assurance, received_ms, message_key,
        position, source_id, message_id, is_anchor,
        assurance = {int(Assurance.VERIFIED)} and coalesce(kind, '{Kind.EPHEMERAL}')
            <> '{Kind.EPHEMERAL}' as is_known
    from first_seen left join namespace on namespace.name = split_part(key, ':', 1)
"""
EDGES = f"""
    create or replace temp table edge as
    select a, b, {int(Assurance.VERIFIED)} - assurance as weakness,
        coalesce(priority, {{lowest}}) as priority, event_ms, message_key, position, source_id
    from best_supported left join namespace on namespace.name = split_part(b, ':', 1)
"""
OFF = f"""
    create or replace temp table off as
    with near as (
        select key, other, min(weakness) as weakness from (
            select a as key, b as other, weakness from edge
            union all select b, a, weakness from edge
        ) group by key, other
    ), served as (
        select key, count(*) as persons, count(*) filter (where weakness = 0) as vouched
        from near join namespace on namespace.name = split_part(other, ':', 1)
        where kind <> '{Kind.EPHEMERAL}' and key in (select key from touched)
        group by key, namespace.name
    ), most as (
        select key, max(persons) as persons, max(vouched) as vouched from served group by key
    )
    select key, persons,
        case when vouched > coalesce(value_limit, {LEAST_LIMIT}) then {int(Off.WHOLLY)}
            else {int(Off.TO_CLAIMS)} end as level
    from most left join namespace on namespace.name = split_part(key, ':', 1)
    where persons > coalesce(value_limit, {LEAST_LIMIT})
"""
BLOCKED = f"""
    create or replace temp table blocked as
    select a, b from edge join off on off.key = edge.a
    where weakness > 0 or level = {int(Off.WHOLLY)}
    union select a, b from edge join off on off.key = edge.b
    where weakness > 0 or level = {int(Off.WHOLLY)}
"""
NOT_BLOCKED = """
    not exists (select 1 from blocked where blocked.a = edge.a and blocked.b = edge.b)
"""
CANDIDATES = f"""
    create or replace temp table candidate as
    select * from edge
    where a in (select key from touched) and b in (select key from touched) and {NOT_BLOCKED}
"""
# Of everything few edges are blocked: another copy of the others would be the largest table of all.
ALL_CANDIDATES = f"create or replace temp view candidate as select * from edge where {NOT_BLOCKED}"


def see_deterministic(engine: "DuckDBPyConnection", lake: Lake) -> None:
    """Names `evidence` in the session: without statistical links, which never join anybody."""
    engine.register("every_evidence", lake.catalogue.dataset(EVIDENCE))
    engine.execute(DETERMINISTIC)


def see_fresh_evidence(engine: "DuckDBPyConnection", lake: Lake) -> None:
    """Names `fresh_evidence`: the same of runs that are not settled."""
    see_fresh(engine, lake, EVIDENCE)
    engine.execute(FRESH_DETERMINISTIC)


def hold_fresh(engine: "DuckDBPyConnection") -> str:
    """The relation of new evidence: held in memory, unless it is much, for it is read often."""
    engine.execute(HELD_FRESH)
    is_much = count(engine, "select count(*) from fresh_held") > MOST_HELD
    return "fresh_evidence" if is_much else "fresh_held"


def gather(engine: "DuckDBPyConnection", settings: IdentitySettings) -> int:
    """Makes `touched`, `seen`, `edge`, `off` and `candidate` of everything; how many are touched.

    Reads the relations `evidence` and `identity_now`: an identifier of which evidence tells no more
    is touched, too.
    """
    name_namespaces(engine, settings)
    engine.execute(SIGHTINGS.format(name="sighting", evidence="evidence"))
    engine.execute(SUPPORTS.format(name="supported", evidence="evidence"))
    engine.execute(TOUCHED)
    conclude(engine, settings, candidates=ALL_CANDIDATES)
    return count(engine, "select count(*) from touched")


def fold(engine: "DuckDBPyConnection", sightings: str, supports: str, prefix: str = "") -> None:
    """Makes `<prefix>first_seen` and `<prefix>best_supported` of two relations."""
    engine.execute(FIRST_SEEN.format(sightings=sightings, into=f"{prefix}first_seen"))
    engine.execute(BEST_SUPPORTED.format(supports=supports, into=f"{prefix}best_supported"))


def conclude(
    engine: "DuckDBPyConnection", settings: IdentitySettings, *, candidates: str = CANDIDATES
) -> None:
    """Makes `seen`, `edge`, `off` and `candidate` of `sighting`, `supported` and `touched`."""
    fold(engine, "sighting", "supported")
    lowest = 1 + max((one.priority for one in settings.namespaces), default=0)
    engine.execute(SEEN)
    engine.execute("drop table first_seen")
    engine.execute(EDGES.format(lowest=lowest))
    engine.execute("drop table best_supported")
    for statement in (OFF, BLOCKED, candidates):
        engine.execute(statement)


def name_namespaces(engine: "DuckDBPyConnection", settings: IdentitySettings) -> None:
    """Makes `namespace` (name, priority, value_limit, kind) of the configuration."""
    told: Iterable[tuple[str, int, int, str]] = [
        (one.name, one.priority, one.value_limit, one.kind.value) for one in settings.namespaces
    ]
    columns = zip(*told, strict=True)
    names = ("name", "priority", "value_limit", "kind")
    rows = pa.table(dict(zip(names, map(list, columns), strict=True)))
    engine.register("namespace_rows", rows)
    engine.execute("create or replace temp table namespace as select * from namespace_rows")
    engine.unregister("namespace_rows")
