"""The stage `profile` of a run: the facts of touched anchors, and the profiles folded from them."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from stamgast_lake.anchors import facts_of_anchors
from stamgast_lake.catalogue import Commit
from stamgast_lake.engine import session
from stamgast_lake.facts_json import Sourced, from_json, hash_of, merge_all, to_json
from stamgast_lake.lake import Lake
from stamgast_lake.logs import (
    append_changes,
    count,
    keep,
    latest,
    look_up,
    must_redo,
    newest,
    see,
    see_fresh,
    see_runs,
)
from stamgast_lake.profile_rows import Row, profile_row
from stamgast_lake.retention.aged import anchors_of, owed
from stamgast_lake.runs import Run
from stamgast_lake.shards import SHARDS, shard_sql
from stamgast_lake.tables import ANCHORS, EVENTS, IDENTITY, PERSONS, PROFILES, LakeTable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STAGE = "profile"
AT_ONCE = 200_000
ROWS_A_BATCH = 2_000
TOUCHED_ANCHORS = """
    create or replace temp table touched_anchor as
    select distinct anchor_key as key from {events} where anchor_key is not null
"""
LOGGED_ANCHORS = """
    insert into touched_anchor
    select distinct anchor_key from anchors
    where anchor_key not in (select key from touched_anchor)
"""
READ = (
    *("message_key", "source_id", "type", "event", "event_at", "assurance", "anchor_key"),
    *("order_id", "revenue_minor", "currency", "traits"),
)
TOLD = ", ".join(READ)
TOUCHED_EVENTS = f"""
    create or replace temp table touched_event as
    select {TOLD} from {{events}} where anchor_key is not null
"""
# Of an anchor that lost events to their age all that are left are folded anew.
AGED_ANCHORS = """
    insert into touched_anchor
    select key from aged_anchor where key not in (select key from touched_anchor)
"""
AGED_EVENTS = f"""
    delete from touched_event where anchor_key in (select key from aged_anchor);
    insert into touched_event select {TOLD} from aged_event;
"""
BASE = "select anchor_key, events, facts from anchor_base where {only}"
STAMP = """cast('{moment}' as timestamptz) as recorded_at,
        cast({shard} as integer) as shard, '{run_id}' as run_id"""
ANCHOR_ROWS = f"""
    select found.anchor_key, found.events, found.facts, found.facts_hash, {STAMP}
    from found_anchor found left join anchor_was was on was.anchor_key = found.anchor_key
    where was.facts_hash is distinct from found.facts_hash
"""
MOVED = """
    create or replace temp table moved as
    select identifier as key from fresh_identity union select anchor_key from fresh_anchors
"""
TOUCHED_PERSONS = """
    create or replace temp table touched_person as
    select person_id as key from identity_found where person_id is not null
    union select person_id from fresh_persons
"""
MEMBERS = """
    create or replace temp table member as
    select person_id, (row_number() over (order by person_id) - 1) // {size} as page,
        coalesce(members, told.keys) as keys
    from person_found
    left join (
        select person_id as of, list(identifier) as keys from identity_now
        where person_id in (select person_id from person_found where members is null)
        group by person_id
    ) told on told.of = person_id
    where state = 'active'
"""
MEMBER_KEYS = """
    create or replace temp table member_key as
    select person_id, page, unnest(keys) as key from member
"""
PARTS = """
    create or replace temp table person_part as
    select page, person_id, key as identifier, facts
    from member_key left join anchor_found on anchor_found.anchor_key = member_key.key
"""
PAGE = "select person_id, facts from person_part where page = ? order by person_id, identifier"
PROFILE_ROWS = f"""
    select found.* exclude (first_ms, last_ms), to_timestamp(first_ms / 1000) as first_at,
        to_timestamp(last_ms / 1000) as last_at, {STAMP}
    from found_profile found left join profile_was was on was.person_id = found.person_id
    where was.profile_hash is distinct from found.profile_hash
"""
FOUND_ANCHOR = pa.schema(
    {
        "anchor_key": pa.string(),
        "events": pa.int64(),
        "facts": pa.string(),
        "facts_hash": pa.string(),
    }
)
SPENDING = pa.struct(
    {
        "currency": pa.string(),
        "orders": pa.int64(),
        "revenue_minor": pa.int64(),
        "first_ms": pa.int64(),
        "last_ms": pa.int64(),
    }
)
FOUND_PROFILE = pa.schema(
    {
        "person_id": pa.string(),
        "first_ms": pa.int64(),
        "last_ms": pa.int64(),
        "traits": pa.string(),
        "counters": pa.string(),
        "orders": pa.int64(),
        "revenue_minor": pa.int64(),
        "currency": pa.string(),
        "spending": pa.list_(SPENDING),
        "profile_hash": pa.string(),
    }
)


def unify_run(lake: Lake, run: Run, displaced: int = 0) -> dict[str, int]:
    """Recomputes touched anchors and the profiles over them, logs changes, returns the figures."""
    with session() as engine:
        see_runs(engine, lake)
        see(engine, lake, ANCHORS)
        _touch(engine, lake, run, must_redo(engine, displaced))
        _collect(engine, "found_anchor", FOUND_ANCHOR, _anchor_rows(engine))
        anchors = _append(engine, lake, run, ANCHORS, ANCHOR_ROWS, "found.anchor_key")
        touched = count(engine, "select count(*) from touched_anchor")
    with session() as engine:
        see_runs(engine, lake)
        persons, profiles = _unify(engine, lake, run)
    return {
        "touched_anchors": touched,
        "anchors": anchors,
        "touched_persons": persons,
        "profiles": profiles,
    }


def _touch(engine: "DuckDBPyConnection", lake: Lake, run: Run, is_whole: bool) -> None:
    """New events on top of what settled runs logged of their anchors; else all events anew."""
    if is_whole:
        see(engine, lake, EVENTS)
    else:
        see_fresh(engine, lake, EVENTS)
    events = "events" if is_whole else "fresh_events"
    engine.execute(TOUCHED_ANCHORS.format(events=events))
    if is_whole:
        engine.execute(LOGGED_ANCHORS)
    engine.execute(TOUCHED_EVENTS.format(events=events))
    keep(engine, "aged_anchor", anchors_of(owed(engine, lake, run.run_id)))
    if not is_whole:
        _refold_aged(engine, lake)
    look_up(engine, lake, ANCHORS, "touched_anchor", "anchor_row")
    newest(engine, "anchor_row", "anchor_key", "anchor_was")
    only = f"{not is_whole} and is_settled and anchor_key not in (select key from aged_anchor)"
    newest(engine, "anchor_row", "anchor_key", "anchor_base", only)


def _refold_aged(engine: "DuckDBPyConnection", lake: Lake) -> None:
    """Touches the anchors of events that age took, with every event that they still have."""
    if count(engine, "select count(*) from aged_anchor"):
        engine.execute(AGED_ANCHORS)
        look_up(engine, lake, EVENTS, "aged_anchor", "aged_event", (*READ, "run_id"))
        engine.execute(AGED_EVENTS)


def _anchor_rows(engine: "DuckDBPyConnection") -> Iterator[Row]:
    """Every touched anchor with its facts; one without events any more has none."""
    rows = count(engine, "select count(*) from touched_event")
    parts = SHARDS if rows > AT_ONCE else 1
    for part in range(parts):
        only = "true" if parts == 1 else f"{shard_sql('anchor_key')} = {part}"
        base = {key: told for key, *told in engine.execute(BASE.format(only=only)).fetchall()}
        for one in facts_of_anchors(engine, "touched_event", only):
            events, text = base.get(one.anchor, (0, None))
            told = merge_all([from_json(text), one.sourced]) if text else one.sourced
            yield _anchor_row(one.anchor, events + one.events, told)
    gone = engine.execute(
        "select key from touched_anchor where key not in (select anchor_key from touched_event)"
    ).fetchall()
    for (anchor,) in gone:
        yield _anchor_row(anchor, 0, Sourced())


def _anchor_row(anchor: str, events: int, sourced: Sourced) -> Row:
    text = to_json(sourced)
    return {
        "anchor_key": anchor,
        "events": events,
        "facts": text.decode(),
        "facts_hash": hash_of(text),
    }


def _unify(engine: "DuckDBPyConnection", lake: Lake, run: Run) -> tuple[int, int]:
    see(engine, lake, IDENTITY)
    see_fresh(engine, lake, IDENTITY, PERSONS, ANCHORS)
    latest(engine, "identity", "identifier", "identity_now")
    engine.execute(MOVED)
    _find(engine, lake, IDENTITY, "moved", "identity_found")
    engine.execute(TOUCHED_PERSONS)
    _find(engine, lake, PERSONS, "touched_person", "person_found")
    engine.execute(MEMBERS.format(size=ROWS_A_BATCH))
    engine.execute(MEMBER_KEYS)
    _find(engine, lake, ANCHORS, "member_key", "anchor_found")
    _find(engine, lake, PROFILES, "touched_person", "profile_was")
    _collect(engine, "found_profile", FOUND_PROFILE, _profile_rows(engine))
    profiles = _append(engine, lake, run, PROFILES, PROFILE_ROWS, "found.person_id")
    return count(engine, "select count(*) from member"), profiles


def _find(engine: "DuckDBPyConnection", lake: Lake, table: LakeTable, keys: str, into: str) -> None:
    """Makes table `into`: the newest row of a log of each of these keys."""
    look_up(engine, lake, table, keys, "log_row")
    newest(engine, "log_row", table.sort[0], into)


def _profile_rows(engine: "DuckDBPyConnection") -> Iterator[Row]:
    engine.execute(PARTS)
    for page in range(count(engine, "select count(distinct page) from member")):
        rows = engine.execute(PAGE, [page]).fetchall()
        for person_id, parts in groupby(rows, key=itemgetter(0)):
            yield profile_row(person_id, merge_all(from_json(text) for _, text in parts if text))


def _collect(
    engine: "DuckDBPyConnection", name: str, schema: pa.Schema, rows: Iterator[Row]
) -> None:
    """Puts rows into temporary table `name` batch by batch, so that few are held as objects."""
    engine.register("collected", schema.empty_table())
    engine.execute(f"create or replace temp table {name} as select * from collected")
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) >= ROWS_A_BATCH:
            _insert(engine, name, schema, batch)
            batch = []
    _insert(engine, name, schema, batch)


def _insert(engine: "DuckDBPyConnection", name: str, schema: pa.Schema, batch: list[Row]) -> None:
    engine.register("collected", pa.Table.from_pylist(batch, schema=schema))
    engine.execute(f"insert into {name} select * from collected")
    engine.unregister("collected")


def _append(
    engine: "DuckDBPyConnection", lake: Lake, run: Run, table: Any, rows: str, key: str
) -> int:
    told = {"moment": run.moment.isoformat(), "run_id": run.run_id, "shard": shard_sql(key)}
    return append_changes(engine, lake, table, rows.format(**told), Commit(run.run_id, STAGE))
