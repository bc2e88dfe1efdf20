"""The stage `identity` of a run: new evidence into changes of who is who."""

from typing import TYPE_CHECKING

from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import session
from stamgast_lake.evidence import gather, see_deterministic
from stamgast_lake.lake import Lake
from stamgast_lake.logs import append_changes, count, fresh, latest, must_redo, see, see_runs
from stamgast_lake.resolve import resolve
from stamgast_lake.runs import Run
from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import CONSTRAINTS, IDENTITY, PERSONS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STAGE = "identity"
NOW = "cast('{moment}' as timestamptz) as recorded_at"
STAMP = NOW + ", cast({shard} as integer) as shard, '{run_id}' as run_id"
HOLDING = """
    create or replace temp view constraint_now as
    select * from (
        select *, row_number() over (
            partition by kind, a, b order by recorded_at desc, run_id desc) as nth
        from constraints
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
        case when is_off then 'limited'
            when is_founder and was.person_id is null then 'founded'
            when was.person_id in (select person_id from founded) then 'split'
            else 'joined' end as cause,
        coalesce(case when is_founder then null else support.message_key end, seen.message_key)
            as support,
        {STAMP}
    from membership join seen on seen.key = membership.key
    left join identity_now was on was.identifier = membership.key
    left join ({SUPPORT}) support on support.key = membership.key
    where was.person_id is distinct from membership.person_id
"""
STANDING = f"""
    select founded.person_id, 'active' as state, cast(null as varchar) as "into",
        to_timestamp(received_ms / 1000) as born_at, source_id as founding_source,
        message_id as founding_message, position as founding_position,
        members.identifiers, {STAMP}
    from founded
    join (select person_id, count(*) as identifiers from membership group by person_id) members
        on members.person_id = founded.person_id
    left join person_now was on was.person_id = founded.person_id
    where was.person_id is null or was.state <> 'active'
       or was.identifiers <> members.identifiers
       or epoch_ms(was.born_at) <> received_ms
       or was.founding_message <> message_id or was.founding_position <> position
"""
GONE = f"""
    select was.person_id, 'merged' as state, taker.person_id as "into", was.born_at,
        was.founding_source, was.founding_message, was.founding_position,
        cast(0 as bigint) as identifiers, {STAMP}
    from person_now was
    join (
        select former.person_id as old_id, membership.person_id, row_number() over (
            partition by former.person_id
            order by received_ms, message_key, position, membership.key) as nth
        from identity_now former
        join membership on membership.key = former.identifier
        join seen on seen.key = membership.key
    ) taker on taker.old_id = was.person_id and taker.nth = 1
    where was.state = 'active' and was.person_id not in (select person_id from founded)
"""
HELD = f"""
    with held as (
        select 'off' as kind, key as a, cast(null as varchar) as b,
            case when is_wholly then 'value_limit' else 'value_limit_of_claims' end as reason
        from off
        union all select 'refused', a, b, reason from refused
    ), standing as (
        select * from constraint_now where kind in ('off', 'refused')
          and a in (select key from touched)
    )
    select kind, a, b, {NOW}, 'run' as by, reason,
        cast(null as timestamptz) as lifted_at, cast(null as varchar) as message_key,
        '{{run_id}}' as run_id
    from held where not exists (
        select 1 from standing
        where standing.kind = held.kind and standing.a = held.a
          and standing.b is not distinct from held.b and standing.reason = held.reason)
    union all
    select kind, a, b, {NOW}, 'run', reason, cast('{{moment}}' as timestamptz), null, '{{run_id}}'
    from standing where not exists (
        select 1 from held
        where standing.kind = held.kind and standing.a = held.a
          and standing.b is not distinct from held.b)
"""


def resolve_run(lake: Lake, run: Run, displaced: int = 0) -> dict[str, int]:
    """Recomputes the persons that new evidence touches, logs what changed, returns the figures."""
    with session() as engine:
        look(engine, lake)
        is_whole = must_redo(engine, displaced) or has_new_rules(engine, lake)
        settings = lake.workspace().identity
        touched = gather(engine, "evidence" if is_whole else "fresh_evidence", settings)
        resolve(engine, settings, lake.keyring())
        return {"touched": touched, **_log(engine, lake, run)}


def look(engine: "DuckDBPyConnection", lake: Lake) -> None:
    """Names what the stage reads: evidence, who is who now, and what may not be joined."""
    see(engine, lake, IDENTITY, PERSONS, CONSTRAINTS)
    see_deterministic(engine, lake)
    see_runs(engine, lake)
    fresh(engine, "evidence", "fresh_evidence")
    latest(engine, "identity", "identifier", "identity_now")
    latest(engine, "persons", "person_id", "person_now")
    engine.execute(HOLDING)
    for kind, view in (("refused", "refused_now"), ("cannot_link", "cannot_link")):
        engine.execute(
            f"create or replace temp view {view} as"
            f" select a, b from constraint_now where kind = '{kind}'"
        )


def has_new_rules(engine: "DuckDBPyConnection", lake: Lake) -> bool:
    """Whether the last settled run worked under another version of the workspace."""
    rows = engine.execute(
        "select workspace_version from runs where run_id in (select run_id from settled_run)"
        " order by seq desc limit 1"
    ).fetchall()
    return bool(rows) and rows[0][0] != lake.workspace().version


def _log(engine: "DuckDBPyConnection", lake: Lake, run: Run) -> dict[str, int]:
    commit = Commit(run.run_id, STAGE)
    told = {"moment": run.moment.isoformat(), "run_id": run.run_id}
    by_key, by_person = shard_sql("membership.key"), shard_sql("was.person_id")
    founded = shard_sql("founded.person_id")
    engine.execute(MEMBERSHIP)
    held = append_changes(engine, lake, CONSTRAINTS, HELD.format(**told), commit)
    standing = STANDING.format(**told, shard=founded)
    gone = GONE.format(**told, shard=by_person)
    persons = append_changes(engine, lake, PERSONS, f"{standing} union all {gone}", commit)
    merged = count(engine, "select count(*) from changed_rows where state = 'merged'")
    moved = append_changes(engine, lake, IDENTITY, MOVES.format(**told, shard=by_key), commit)
    return {
        "identifiers": moved,
        "persons": persons,
        "merged": merged,
        "constraints": held,
        "refused": count(engine, "select count(*) from refused"),
    }
