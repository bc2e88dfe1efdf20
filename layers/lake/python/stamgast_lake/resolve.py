"""Touched identifiers to persons: components at once, and edge by edge where a rule would break."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from stamgast.identity.assurance import Assurance
from stamgast.identity.edge import Pair, Reason
from stamgast.identity.keys import Keyring
from stamgast.identity.rules import Side, joined, may_join, share
from stamgast.identity.settings import IdentitySettings, Limits
from stamgast_lake.components import connect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PARTS = """
    create or replace temp table part as
    select seen.key, coalesce(component.component, seen.key) as part
    from seen left join component on component.key = seen.key
"""
SUSPECT = """
    create or replace temp table suspect as
    with large as materialized (
        select part, count(*) as size from part group by part having count(*) > {least}
    ), counted as (
        select part, split_part(key, ':', 1) as namespace, count(*) as size
        from part where part in (select part from large) group by all
    )
    select part from large where size > {person_limit}
    union
    select part from counted where size > case namespace {most} else {person_limit} end
    union
    select part from counted where namespace in ({naming})
    group by part having sum(size) - 1 > {merges}
    union
    select pa.part from cannot_link
    join part pa on pa.key = cannot_link.a join part pb on pb.key = cannot_link.b
    where pa.part = pb.part
    union
    select part.part from part join seen using (key)
    left join verified_component vouched on vouched.key = part.key
    where seen.is_known
    group by part.part having count(distinct coalesce(vouched.component, part.key)) > 1
"""
VERIFIED = "(select a, b from candidate where weakness = 0)"
MEMBERS = """
    select part.part, part.key, seen.is_known from part join seen using (key)
    where part.part in (select part from suspect) order by part.part, part.key
"""
ORDERED = """
    select part.part, a, b, weakness from candidate join part on part.key = candidate.a
    where part.part in (select part from suspect)
    order by part.part, weakness, priority, event_ms, message_key, position, a, b
"""
PAIRS = """
    select pa.part, a, b from cannot_link
    join part pa on pa.key = cannot_link.a join part pb on pb.key = cannot_link.b
    where pa.part = pb.part and pa.part in (select part from suspect)
"""
MOVED = """
    create or replace temp table settled as
    select part.key, coalesce(ruled.part, part.part) as part
    from part left join ruled on ruled.key = part.key
"""
FOUNDERS = """
    select part, key, received_ms, message_key, position, source_id, message_id from (
        select settled.part, seen.*, row_number() over (
            partition by settled.part
            order by received_ms, message_key, position) as age
        from settled join seen using (key)
    ) where age = 1
"""
FOUNDED = pa.schema(
    {
        "part": pa.string(),
        "founder": pa.string(),
        "person_id": pa.string(),
        "received_ms": pa.int64(),
        "message_key": pa.string(),
        "position": pa.int32(),
        "source_id": pa.string(),
        "message_id": pa.string(),
    }
)


@dataclass(frozen=True, slots=True)
class Refused:
    """An edge that the rules did not let join."""

    a: str
    b: str
    reason: Reason


def resolve(engine: "DuckDBPyConnection", settings: IdentitySettings, keyring: Keyring) -> None:
    """Makes `settled` (key, part), `founded` (one row a part, with its person) and `refused`.

    Reads the tables of `stamgast_lake.evidence.gather` and the relation `cannot_link`.
    """
    connect(engine, "candidate", into="component")
    connect(engine, VERIFIED, into="verified_component")
    engine.execute(PARTS)
    engine.execute(SUSPECT.format(**_sizes(settings.limits)))
    ruled, refused = _rule(engine, settings.limits)
    _keep(engine, "ruled", pa.table(ruled, RULED))
    _keep(engine, "refused", pa.table(refused, REFUSED))
    engine.execute(MOVED)
    _keep(engine, "founded", _founded(engine, keyring))


RULED = pa.schema({"key": pa.string(), "part": pa.string()})
REFUSED = pa.schema({"a": pa.string(), "b": pa.string(), "reason": pa.string()})
Columns = dict[str, list[str]]


def _sizes(limits: Limits) -> dict[str, object]:
    """From which sizes on some edge may break a limit: claims fill only their share."""
    person = share(limits.person, Assurance.CLAIMED)
    merges = share(limits.merges, Assurance.CLAIMED)
    most = {name: share(one, Assurance.CLAIMED) for name, one in limits.most.items()}
    return {
        "person_limit": person,
        "merges": merges,
        "most": " ".join(f"when '{name}' then {one}" for name, one in most.items())
        or "when '' then 0",
        "naming": ", ".join(f"'{name}'" for name in sorted(limits.naming)) or "''",
        "least": min([person, merges, *most.values()]),
    }


def _rule(engine: "DuckDBPyConnection", limits: Limits) -> tuple[Columns, Columns]:
    """The parts of every suspect component, and the edges between them that were refused."""
    members = _by_part(engine, MEMBERS)
    edges, pairs = _by_part(engine, ORDERED), _by_part(engine, PAIRS)
    ruled: Columns = {"key": [], "part": []}
    refused: Columns = {"a": [], "b": [], "reason": []}
    for part, rows in members.items():
        label, why = join_in_order(rows, edges.get(part, []), pairs.get(part, []), limits)
        ruled["key"] += label.keys()
        ruled["part"] += label.values()
        for one in why:
            refused["a"].append(one.a)
            refused["b"].append(one.b)
            refused["reason"].append(one.reason)
    return ruled, refused


def join_in_order(
    members: Iterable[tuple[str, bool]],
    edges: Iterable[tuple[str, str, int]],
    cannot_links: Iterable[Pair],
    limits: Limits,
) -> tuple[Mapping[str, str], list[Refused]]:
    """Kruskal's algorithm over edges in their order, each asked of the rule: labels and refusals.

    `members` are (key, is known), `edges` (a, b, weakness). A part is named by its smallest key.
    """
    sides = {key: Side(frozenset((key,)), known) for key, known in members}
    for pair in cannot_links:
        for key in pair:
            mine = sides[key]
            sides[key] = Side(mine.members, mine.is_known, mine.cannot_links | {pair})
    refused = []
    for a, b, weakness in edges:
        left, right = sides[a], sides[b]
        if left is right:
            continue
        assurance = Assurance(Assurance.VERIFIED - weakness)
        why = may_join(left, right, assurance, limits)
        if why is None:
            both = joined(left, right)
            sides.update(dict.fromkeys(both.members, both))
        else:
            refused.append(Refused(a, b, why))
    apart = [one for one in refused if sides[one.a] is not sides[one.b]]
    return {key: min(side.members) for key, side in sides.items()}, apart


def _by_part(engine: "DuckDBPyConnection", statement: str) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for part, *rest in engine.execute(statement).fetchall():
        found.setdefault(part, []).append(tuple(rest))
    return found


def _founded(engine: "DuckDBPyConnection", keyring: Keyring) -> pa.Table:
    """One row a part: its oldest receipt, and the person id that follows from it."""
    engine.execute(FOUNDERS)
    batches = []
    while rows := engine.fetchmany(50_000):
        persons = [keyring.person_id(row[5], row[6], row[4]) for row in rows]
        part, key, *rest = (list(column) for column in zip(*rows, strict=True))
        columns = [part, key, persons, *rest]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, FOUNDED, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=FOUNDED))
    return pa.Table.from_batches(batches, FOUNDED)


def _keep(engine: "DuckDBPyConnection", name: str, rows: pa.Table) -> None:
    engine.register("rows_to_keep", rows)
    engine.execute(f"create or replace temp table {name} as select * from rows_to_keep")
    engine.unregister("rows_to_keep")
