"""The stage `identity` of a run: new evidence into changes of who is who."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stamgast.identity.assurance import Assurance
from stamgast.identity.edge import Reason
from stamgast.identity.rules import LEAST_LIMIT
from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import session
from stamgast_lake.evidence import gather, see_deterministic, see_fresh_evidence
from stamgast_lake.lake import Lake
from stamgast_lake.logs import (
    append_changes,
    count,
    is_first,
    latest,
    must_redo,
    newest,
    see,
    see_runs,
)
from stamgast_lake.resolve import resolve
from stamgast_lake.runs import WHOLE, Run
from stamgast_lake.shards import shard_sql
from stamgast_lake.state import State
from stamgast_lake.tables import CONSTRAINTS, EDGES, IDENTITY, PERSONS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STAGE = "identity"
NOW = "cast('{moment}' as timestamptz) as recorded_at"
STAMP = NOW + ", cast({shard} as integer) as shard, '{run_id}' as run_id"
CANNOT_LINK = """
    create or replace temp view cannot_link as
    select a, b from (
        select *, row_number() over (
            partition by a, b order by recorded_at desc, message_key desc, run_id desc) as nth
        from constraints where kind = 'cannot_link'
    ) where nth = 1 and lifted_at is null
"""
MEMBERSHIP = """
    create or replace temp table membership as
    select settled.key, founded.person_id, founded.founder = settled.key as is_founder,
        settled.key in (select key from off) as is_off
    from settled join founded on founded.part = settled.part
"""
SUPPORT = """
    select key, message_key from (
        select key, message_key, row_number() over (
            partition by key
            order by weakness, priority, event_ms, message_key, position) as nth
        from (
            select candidate.*, unnest([a, b]) as key from candidate
            join settled sa on sa.key = a join settled sb on sb.key = b
            where sa.part = sb.part
        )
    ) where nth = 1
"""
MOVES = f"""
    select membership.key as identifier, split_part(membership.key, ':', 1) as namespace,
        membership.person_id,
        case when was.person_id = membership.person_id then 'seen'
            when is_off then 'limited'
            when is_founder and was.person_id is null then 'founded'
            when was.person_id in (select person_id from founded) then 'split'
            else 'joined' end as cause,
        coalesce(case when is_founder then null else support.message_key end, seen.message_key)
            as support,
        cast(seen.assurance as integer) as assurance, seen.is_anchor,
        to_timestamp(seen.received_ms / 1000) as born_at, seen.message_key as born_message,
        seen.message_id as born_message_id, seen.source_id as born_source,
        cast(seen.position as integer) as born_position, {STAMP}
    from membership join seen on seen.key = membership.key
    left join identity_was was on was.identifier = membership.key
    left join ({SUPPORT}) support on support.key = membership.key
    where was.person_id is distinct from membership.person_id
       or was.assurance is distinct from seen.assurance
       or was.is_anchor is distinct from seen.is_anchor
       or epoch_ms(was.born_at) is distinct from seen.received_ms
       or was.born_message is distinct from seen.message_key
       or was.born_position is distinct from seen.position
"""
UNNAMED = f"""
    select was.identifier, split_part(was.identifier, ':', 1) as namespace,
        cast(null as varchar) as person_id, 'gone' as cause,
        cast(null as varchar) as support, was.assurance, was.is_anchor, was.born_at,
        was.born_message, was.born_message_id, was.born_source, was.born_position, {STAMP}
    from identity_was was
    where was.person_id is not null and was.identifier in (select key from touched)
      and was.identifier not in (select key from membership)
"""
SUPPORTS = f"""
    select edge.a, edge.b, cast({int(Assurance.VERIFIED)} - edge.weakness as integer) as assurance,
        to_timestamp(event_ms / 1000) as event_at, edge.message_key,
        cast(edge.position as integer) as position, edge.source_id, {STAMP}
    from edge left join edge_was was on was.a = edge.a and was.b = edge.b
    where was.message_key is distinct from edge.message_key
       or was.assurance is distinct from {int(Assurance.VERIFIED)} - edge.weakness
       or was.position is distinct from edge.position
       or epoch_ms(was.event_at) is distinct from edge.event_ms
"""
UNSUPPORTED = f"""
    select was.a, was.b, cast(null as integer) as assurance, cast(null as timestamptz) as event_at,
        cast(null as varchar) as message_key, cast(null as integer) as position,
        cast(null as varchar) as source_id, {STAMP}
    from edge_was was
    where was.message_key is not null
      and was.a in (select key from touched) and was.b in (select key from touched)
      and not exists (select 1 from edge where edge.a = was.a and edge.b = was.b)
"""
MEMBERS = """
    create or replace temp table members as
    select person_id, count(*) as identifiers, list(key order by key) as keys
    from membership group by person_id
"""
STANDING = f"""
    select founded.person_id, 'active' as state, cast(null as varchar) as "into",
        to_timestamp(received_ms / 1000) as born_at, source_id as founding_source,
        message_id as founding_message, position as founding_position,
        members.identifiers, members.keys as members, {STAMP}
    from founded
    join members on members.person_id = founded.person_id
    left join person_was was on was.person_id = founded.person_id
    where was.person_id is null or was.state <> 'active'
       or was.members is distinct from members.keys
       or epoch_ms(was.born_at) <> received_ms
       or was.founding_message <> message_id or was.founding_position <> position
"""
GONE = f"""
    select was.person_id, case when taker.person_id is null then 'gone' else 'merged' end as state,
        taker.person_id as "into", was.born_at,
        was.founding_source, was.founding_message, was.founding_position,
        cast(0 as bigint) as identifiers, cast([] as varchar[]) as members, {STAMP}
    from person_was was
    left join (
        select former.person_id as old_id, membership.person_id, row_number() over (
            partition by former.person_id
            order by received_ms, message_key, position, membership.key) as nth
        from identity_was former
        join membership on membership.key = former.identifier
        join seen on seen.key = membership.key
    ) taker on taker.old_id = was.person_id and taker.nth = 1
    where was.state = 'active' and was.person_id not in (select person_id from founded)
      and was.person_id in (
        select person_id from identity_was where identifier in (select key from touched))
"""
CONSTRAINT_WAS = """
    create or replace temp table constraint_was as
    select * from (
        select *, row_number() over (
            partition by kind, a, b order by recorded_at desc, run_id desc) as nth
        from constraints
        where kind in ('off', 'refused') and a in (select key from touched)
          and (b is null or b in (select key from touched))
    ) where nth = 1 and lifted_at is null
"""
HELD = f"""
    with held as (
        select 'off' as kind, key as a, cast(null as varchar) as b,
            'serves more than ' || coalesce(value_limit, {LEAST_LIMIT}) as reason
        from off left join namespace on namespace.name = split_part(key, ':', 1)
        union all select 'refused', a, b, reason from refused
        union all select 'refused', a, b, '{Reason.VALUE_LIMIT}' from blocked
        join settled sa on sa.key = a join settled sb on sb.key = b
        where sa.part <> sb.part
    )
    select kind, a, b, {NOW}, 'run' as by, reason,
        cast(null as timestamptz) as lifted_at, cast(null as varchar) as message_key,
        '{{run_id}}' as run_id
    from held where not exists (
        select 1 from constraint_was was
        where was.kind = held.kind and was.a = held.a
          and was.b is not distinct from held.b
          and was.reason = held.reason)
    union all
    select kind, a, b, {NOW}, 'run', reason, cast('{{moment}}' as timestamptz), null, '{{run_id}}'
    from constraint_was was where not exists (
        select 1 from held
        where was.kind = held.kind and was.a = held.a
          and was.b is not distinct from held.b)
"""
COPIES = (
    ("identity", "identifier", "identity_was"),
    ("persons", "person_id", "person_was"),
    ("edges", "a, b", "edge_was"),
)


def resolve_run(lake: Lake, run: Run, displaced: int = 0) -> dict[str, int]:
    """Recomputes the persons that new evidence touches, logs what changed, returns the figures."""
    with session() as engine:
        look(engine, lake)
        settings = lake.workspace().identity
        state = State(engine, lake, settings)
        is_whole = is_first(engine) or must_redo(engine, displaced) or has_new_rules(engine, lake)
        if is_whole or not state.gather():
            is_whole = True
            gather(engine, settings)
        resolve(engine, settings, lake.keyring())
        _remember(state, is_whole)
        touched = count(engine, "select count(*) from touched")
        return {"touched": touched, **_log(engine, lake, run)}


def look(engine: "DuckDBPyConnection", lake: Lake) -> None:
    """Names what the stage reads: evidence, who is who now, and what may not be joined."""
    see(engine, lake, IDENTITY, PERSONS, CONSTRAINTS, EDGES)
    see_deterministic(engine, lake)
    see_runs(engine, lake)
    see_fresh_evidence(engine, lake)
    latest(engine, "identity", "identifier", "identity_now")
    latest(engine, "persons", "person_id", "person_now")
    latest(engine, "edges", "a, b", "edge_now")
    engine.execute(CANNOT_LINK)


def has_new_rules(engine: "DuckDBPyConnection", lake: Lake) -> bool:
    """Whether the last settled run worked under another version of the workspace."""
    rows = engine.execute(
        f"select workspace_version from runs where stage = '{WHOLE}'"
        " and run_id in (select run_id from settled_run)"
        " order by seq desc limit 1"
    ).fetchall()
    return bool(rows) and rows[0][0] != lake.workspace().version


def _remember(state: State, is_whole: bool) -> None:
    """Makes `…_was`: what the logs say now of what was settled, this run's own rows among it."""
    engine = state.engine
    if is_whole:
        for rows, key, name in COPIES:
            newest(engine, rows, key, name)
    else:
        newest(engine, "identity_row", "identifier", "identity_was")
        newest(engine, "edge_row", "a, b", "edge_was")
        state.see_unsettled_persons()
        newest(engine, "person_row", "person_id", "person_was")
    engine.execute(CONSTRAINT_WAS)


def _log(engine: "DuckDBPyConnection", lake: Lake, run: Run) -> dict[str, int]:
    """What differs, appended log by log.

    What decides what is news, the settled rows of `identity` and `edges`, is not read from what
    this run writes: so a run that died between two of them is repeated alike.
    """
    commit = Commit(run.run_id, STAGE)
    told = {"moment": run.moment.isoformat(), "run_id": run.run_id}
    engine.execute(MEMBERSHIP)
    engine.execute(MEMBERS)
    held = append_changes(engine, lake, CONSTRAINTS, HELD.format(**told), commit)
    edges = _both(SUPPORTS, "edge.a", UNSUPPORTED, "was.a", told)
    append_changes(engine, lake, EDGES, edges, commit)
    standing = _both(STANDING, "founded.person_id", GONE, "was.person_id", told)
    persons = append_changes(engine, lake, PERSONS, standing, commit)
    merged = count(engine, "select count(*) from changed_rows where state = 'merged'")
    moves = _both(MOVES, "membership.key", UNNAMED, "was.identifier", told)
    moved = append_changes(engine, lake, IDENTITY, moves, commit)
    return {
        "identifiers": moved,
        "persons": persons,
        "merged": merged,
        "constraints": held,
        "refused": count(engine, "select count(*) from refused"),
    }


def _both(new: str, new_key: str, gone: str, gone_key: str, told: Mapping[str, str]) -> str:
    """The rows of what is and of what is no more, each in the shard of its key."""
    first = new.format(**told, shard=shard_sql(new_key))
    return f"{first} union all {gone.format(**told, shard=shard_sql(gone_key))}"
