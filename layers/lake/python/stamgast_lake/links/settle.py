"""What log-ins have made of links: confirmed where both became one person, refuted where two.

The verdict is recomputed from persons and evidence as they are now, so that a cut takes a
confirmation back, and a message that comes late takes its place: no order of runs matters.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from stamgast.identity.links import (
    LOGGED_IN,
    LinkKind,
    LinkState,
    Received,
    Tie,
    Verdict,
    confirmed_by,
    is_logged_in,
    refuted_by,
)
from stamgast.identity.settings import IdentitySettings
from stamgast_lake.catalogue import Commit
from stamgast_lake.evidence import see_deterministic
from stamgast_lake.lake import Lake
from stamgast_lake.links.store import look
from stamgast_lake.logs import append_changes, keep, see
from stamgast_lake.runs import Run
from stamgast_lake.tables import LINKS, RUNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OPEN = """
    create or replace temp table open_link as
    select link_now.*, pa.person_id as person_a, pb.person_id as person_b
    from link_now
    join identity_now pa on pa.identifier = link_now.a and pa.person_id is not null
    join identity_now pb on pb.identifier = link_now.b and pb.person_id is not null
    where state in ('standing', 'confirmed', 'refuted')
"""
KNOWN = """
    create or replace temp table logged_in as
    select distinct identity_now.person_id, login_name.kind
    from identity_now join login_name on login_name.name = identity_now.namespace
    where identity_now.person_id is not null
"""
APART = """
    create or replace temp table cut_person as
    select pa.person_id as person_a, pb.person_id as person_b
    from cannot_link
    join identity_now pa on pa.identifier = cannot_link.a
    join identity_now pb on pb.identifier = cannot_link.b
    where pa.person_id <> pb.person_id
"""
VERDICTS = """
    create or replace temp table verdict as
    select *, case
        when person_a = person_b then 'confirmed'
        when is_cut then 'refuted'
        when (person_a, kind) in (select (person_id, kind) from logged_in)
         and (person_b, kind) in (select (person_id, kind) from logged_in) then 'refuted'
        else 'standing' end as is_now
    from (
        select *, (person_a, person_b) in (select (person_a, person_b) from cut_person)
            or (person_b, person_a) in (select (person_a, person_b) from cut_person) as is_cut
        from open_link
    )
"""
LATE = """
    create or replace temp table late as
    select distinct told.person_id, told.received_at, told.moment from (
        select identity_now.person_id, evidence.received_at, runs.moment
        from evidence
        join (select run_id, max(moment) as moment from runs group by run_id) runs
            on runs.run_id = evidence.run_id
            and runs.moment >= (select min(recorded_at) from verdict where state <> 'standing')
        join identity_now on identity_now.identifier = evidence.a
    ) told
"""
DOUBTED = """
    create or replace temp table doubted as
    select * from verdict
    where is_now <> state or (settled_at is not null and exists (
        select 1 from late
        where late.person_id in (verdict.person_a, verdict.person_b)
          and late.received_at < verdict.settled_at and late.moment >= verdict.recorded_at))
"""
CHANGED = """
    select kind, a, b, person_a, person_b, is_now, is_cut, epoch_ms(stated_at), state, settled_by
    from doubted order by kind, a, b
"""
TIES = """
    select pa.person_id, told.a, told.b, told.first.received_ms, told.first.message_key
    from (
        select a, b, min({'received_ms': epoch_ms(received_at), 'message_key': message_key})
            as first
        from evidence where b is not null and a in (select key from asked)
        group by a, b
    ) told
    join identity_now pa on pa.identifier = told.a
    join identity_now pb on pb.identifier = told.b and pb.person_id = pa.person_id
"""
ASKED = """
    create or replace temp table asked as
    select identifier as key from identity_now
    where person_id in (select person_a from doubted union select person_b from doubted)
"""
SETTLED = """
    select told.kind, told.a, told.b,
        case when told.state = 'standing' and expires_at <= {moment} then 'expired'
            else told.state end as state,
        probability, rule, reasons, stated_at, expires_at,
        case when told.settled_ms is not null then to_timestamp(told.settled_ms / 1000) end
            as settled_at,
        told.settled_by, {moment} as recorded_at, shard, '{run_id}' as run_id
    from told_verdict told
    join link_now was on was.kind = told.kind and was.a = told.a and was.b = told.b
"""
TOLD = pa.schema(
    {
        "kind": pa.string(),
        "a": pa.string(),
        "b": pa.string(),
        "state": pa.string(),
        "settled_ms": pa.int64(),
        "settled_by": pa.string(),
    }
)


def settle(
    engine: "DuckDBPyConnection", lake: Lake, run: Run, settings: IdentitySettings
) -> dict[str, int]:
    """Logs every link whose verdict is another than before; how many of each."""
    look(engine, lake)
    see_deterministic(engine, lake)
    see(engine, lake, RUNS)
    _name_logins(engine, settings)
    for statement in (OPEN, KNOWN, APART, VERDICTS, LATE, DOUBTED, ASKED):
        engine.execute(statement)
    verdicts = list(_verdicts(engine, settings))
    keep(engine, "told_verdict", pa.Table.from_pylist(verdicts, schema=TOLD))
    moment = f"cast('{run.moment.isoformat()}' as timestamptz)"
    rows = SETTLED.format(moment=moment, run_id=run.run_id)
    append_changes(engine, lake, LINKS, rows, Commit(run.run_id, "links settle"))
    return {
        state.value: sum(told["state"] == state for told in verdicts)
        for state in (LinkState.CONFIRMED, LinkState.REFUTED)
    }


def _name_logins(engine: "DuckDBPyConnection", settings: IdentitySettings) -> None:
    rows = [
        {"kind": kind.value, "name": one.name}
        for kind, kinds in LOGGED_IN.items()
        for one in settings.namespaces
        if one.kind in kinds
    ]
    schema = pa.schema({"kind": pa.string(), "name": pa.string()})
    keep(engine, "login_name", pa.Table.from_pylist(rows, schema=schema))


def _verdicts(
    engine: "DuckDBPyConnection", settings: IdentitySettings
) -> Iterator[dict[str, object]]:
    """One row for each link that is settled otherwise than it was: in kind, or by what."""
    changed = engine.execute(CHANGED).fetchall()
    ties = _ties(engine) if changed else {}
    for kind, a, b, person_a, person_b, is_now, is_cut, stated_ms, state, by in changed:
        sides = ties.get(person_a, []), ties.get(person_b, [])
        found = Verdict(LinkState(is_now), None)
        if is_now == LinkState.CONFIRMED:
            found = Verdict(LinkState.CONFIRMED, confirmed_by(sides[0], a, b))
        elif is_now == LinkState.REFUTED and not is_cut:
            found = _refuted((a, b), sides, stated_ms, LinkKind(kind), settings)
        if (found.state, found.by and found.by.message_key) != (state, by):
            yield _row((kind, a, b), found)


def _refuted(
    pair: tuple[str, str],
    sides: tuple[list[Tie], list[Tie]],
    stated_ms: int,
    kind: LinkKind,
    settings: IdentitySettings,
) -> Verdict:
    """Refuted by the second log-in; one from before the statement refutes nothing."""
    standing = Verdict(LinkState.STANDING, None)
    if not any(received.received_ms > stated_ms for side in sides for _, _, received in side):
        return standing
    by = refuted_by(*sides, pair, lambda key: is_logged_in((key,), kind, settings))
    return Verdict(LinkState.REFUTED, by) if by and by.received_ms > stated_ms else standing


def _row(link: tuple[str, str, str], found: Verdict) -> dict[str, object]:
    kind, a, b = link
    return {
        "kind": kind,
        "a": a,
        "b": b,
        "state": found.state.value,
        "settled_ms": found.by.received_ms if found.by else None,
        "settled_by": found.by.message_key if found.by else None,
    }


def _ties(engine: "DuckDBPyConnection") -> dict[str, list[Tie]]:
    found: dict[str, list[Tie]] = {}
    for person_id, a, b, received_ms, message_key in engine.execute(TIES).fetchall():
        found.setdefault(person_id, []).append((a, b, Received(received_ms, message_key)))
    return found
