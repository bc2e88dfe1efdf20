"""The store of provisional links: one standing link a pair and kind, each change a row of a log.

A statement is a row of `evidence` with a probability, which nothing joins by, and a row of `links`
that says what became of it. A run changes a link at most once, so its newest row is never in doubt.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from stamgast.identity.links import SETTLED, LinkKind, LinkState, rule_of
from stamgast_lake.catalogue import Commit
from stamgast_lake.lake import Lake
from stamgast_lake.logs import append_changes, count, latest, see
from stamgast_lake.runs import Run
from stamgast_lake.shards import shard_sql
from stamgast_lake.tables import CONSTRAINTS, EVIDENCE, IDENTITY, LINKS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SOURCE = "links"
CHANGE_WORTH_TELLING = 0.005
"""A link that a model states anew is written again when its probability moved by more."""

STATED = """
    create or replace temp table stated_link as
    select a, b, probability, coalesce(reasons, '{{}}') as reasons from (
        select least(a, b) as a, greatest(a, b) as b, probability, reasons,
            row_number() over (
                partition by least(a, b), greatest(a, b) order by probability desc, reasons) as nth
        from {rows}
        where a is not null and b is not null and a <> b and probability between 0 and 1
    ) where nth = 1
"""
ALLOWED = f"""
    create or replace temp table allowed_link as
    select stated_link.* from stated_link
    left join identity_now pa on pa.identifier = stated_link.a
    left join identity_now pb on pb.identifier = stated_link.b
    left join link_now was
        on was.kind = '{{kind}}' and was.a = stated_link.a and was.b = stated_link.b
    where (pa.person_id is null or pa.person_id is distinct from pb.person_id)
      and coalesce(was.state, '') not in ({", ".join(f"'{one}'" for one in SETTLED)})
      and not exists (
        select 1 from cannot_link
        where (cannot_link.a = stated_link.a and cannot_link.b = stated_link.b)
           or (cannot_link.a = stated_link.b and cannot_link.b = stated_link.a))
"""
CHANGED = f"""
    create or replace temp table restated_link as
    select one.*, case when was.state = '{LinkState.STANDING}' then was.stated_at end as stated_at
    from allowed_link one
    left join link_now was on was.kind = '{{kind}}' and was.a = one.a and was.b = one.b
    where was.run_id is distinct from '{{run_id}}' and (
        was.state is distinct from '{LinkState.STANDING}' or was.rule <> '{{rule}}'
        or abs(was.probability - one.probability) > {CHANGE_WORTH_TELLING}
        or was.expires_at < {{moment}} + ({{expires}} - {{moment}}) / 2)
"""
EVIDENCE_ROWS = f"""
    select a || '|' || b as edge_key, a, b, split_part(a, ':', 1) as namespace_a,
        split_part(b, ':', 1) as namespace_b, cast(0 as integer) as position,
        '{{rule}}:{{run_id}}' as message_key, '{{rule}}' as message_id, {{moment}} as event_at,
        {{moment}} as received_at, '{SOURCE}' as source_id, cast(0 as integer) as assurance,
        '{{rule}}' as rule, probability, {{expires}} as expires_at,
        cast(null as varchar) as receipt_id, cast({shard_sql("a")} as integer) as shard,
        '{{run_id}}' as run_id
    from restated_link
"""
LINK_ROWS = f"""
    select '{{kind}}' as kind, a, b, '{LinkState.STANDING}' as state, probability,
        '{{rule}}' as rule, reasons, coalesce(stated_at, {{moment}}) as stated_at,
        {{expires}} as expires_at, cast(null as timestamptz) as settled_at,
        cast(null as varchar) as settled_by, {{moment}} as recorded_at,
        cast({shard_sql("a")} as integer) as shard, '{{run_id}}' as run_id
    from restated_link
"""
ENDED = """
    select kind, a, b, '{state}' as state, probability, rule, reasons, stated_at, expires_at,
        cast(null as timestamptz) as settled_at, cast(null as varchar) as settled_by,
        {moment} as recorded_at, shard, '{run_id}' as run_id
    from link_now where state = 'standing' and run_id <> '{run_id}' and {which}
"""
WITHDRAWN = """kind = '{kind}' and expires_at > {moment} and not exists (
    select 1 from allowed_link one where one.a = link_now.a and one.b = link_now.b)"""
HOLDING = """
    create or replace temp view cannot_link as
    select a, b from (
        select *, row_number() over (
            partition by a, b order by recorded_at desc, run_id desc) as nth
        from constraints where kind = 'cannot_link'
    ) where nth = 1 and lifted_at is null
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """Which model states links, and until when they stand.

    `is_whole` says that the model stated all that it believes: what stands of its kind and is not
    among it is withdrawn.
    """

    kind: LinkKind
    version: str
    expires_at: datetime
    is_whole: bool = True


def look(engine: "DuckDBPyConnection", lake: Lake) -> None:
    """Names what links are decided by: links, persons and cannot-links as they are now."""
    see(engine, lake, LINKS, IDENTITY, CONSTRAINTS)
    latest(engine, "links", "kind, a, b", "link_now")
    latest(engine, "identity", "identifier", "identity_now")
    engine.execute(HOLDING)


def store(
    engine: "DuckDBPyConnection", lake: Lake, run: Run, statement: Statement, rows: str
) -> dict[str, int]:
    """States the links of relation `rows` (a, b, probability, reasons as JSON); the figures.

    Skipped are pairs of one person, pairs that were cut, and pairs that log-ins have settled. A
    link that already stands is written again where it says something else, or is past half its
    life. A kind is stated once a run; repeating a run writes nothing more.
    """
    look(engine, lake)
    told = _told(run, statement)
    for made in (STATED.format(rows=rows), ALLOWED.format(**told), CHANGED.format(**told)):
        engine.execute(made)
    commit = Commit(run.run_id, f"links {statement.kind}")
    ended = ENDED.format(state=LinkState.WITHDRAWN, which=WITHDRAWN.format(**told), **told)
    changes = LINK_ROWS.format(**told)
    if statement.is_whole:
        changes += f"union all {ended}"
    append_changes(engine, lake, EVIDENCE, EVIDENCE_ROWS.format(**told), commit)
    changed = append_changes(engine, lake, LINKS, changes, commit)
    written = count(engine, "select count(*) from restated_link")
    return {
        "stated": count(engine, "select count(*) from allowed_link"),
        "written": written,
        "withdrawn": changed - written,
    }


def expire(engine: "DuckDBPyConnection", lake: Lake, run: Run) -> int:
    """Ends the links whose time is over at the run's moment; returns how many."""
    look(engine, lake)
    told = {"moment": _moment(run.moment), "run_id": run.run_id}
    which = f"expires_at <= {told['moment']}"
    rows = ENDED.format(state=LinkState.EXPIRED, which=which, **told)
    return append_changes(engine, lake, LINKS, rows, Commit(run.run_id, "links expire"))


def _told(run: Run, statement: Statement) -> dict[str, str]:
    return {
        "kind": statement.kind,
        "rule": rule_of(statement.kind, statement.version),
        "moment": _moment(run.moment),
        "expires": _moment(statement.expires_at),
        "run_id": run.run_id,
    }


def _moment(at: datetime) -> str:
    return f"cast('{at.isoformat()}' as timestamptz)"
