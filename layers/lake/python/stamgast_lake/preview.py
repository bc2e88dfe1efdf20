"""What other identity settings would make of the lake's evidence; nothing is written.

The persons are settled twice by the resolver's own code, under the settings in force and under the
new ones, and compared. Both go through DuckDB with its memory limit; only examples come to Python.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stamgast.identity.edge import Reason
from stamgast.identity.served import Off
from stamgast.identity.settings import IdentitySettings
from stamgast_lake.engine import session
from stamgast_lake.evidence import gather
from stamgast_lake.identity import look
from stamgast_lake.lake import Lake
from stamgast_lake.logs import count
from stamgast_lake.resolve import resolve

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_NAMED = 8
INDIRECT = "indirect"
Step = Callable[[str], AbstractContextManager[None]]

KEPT = f"""
    create or replace temp table {{name}}_person as
    select settled.key, founded.person_id from settled join founded on founded.part = settled.part;
    create or replace temp table {{name}}_refused as
    select a, b, reason from refused
    union all
    select a, b, '{Reason.VALUE_LIMIT}:' || min(split_part(key, ':', 1)) from (
        select a, b, weakness, level, key from edge join off on off.key = edge.a
        union all
        select a, b, weakness, level, key from edge join off on off.key = edge.b
    ) where weakness > 0 or level = {int(Off.WHOLLY)} group by a, b;
    create or replace temp table {{name}}_edge as select a, b from edge;
"""
BOTH = """
    create or replace temp table moved as
    select key, before_person.person_id as was, after_person.person_id as shall
    from before_person join after_person using (key)
"""
CHANGED = """
    create or replace temp table {into} as
    select {whole} as person_id, count(*) as identifiers,
        count(distinct {part}) as parts
    from moved group by {whole} having count(distinct {part}) > 1
"""
"""`whole` and `part` are `was` and `shall` of splits, the other way round of merges."""
CAUSES = f"""
    create or replace temp table {{into}}_cause as
    select one.{{whole}} as person_id, coalesce(refused.reason, '{INDIRECT}') as cause,
        count(*) as edges
    from {{name}}_edge edge
    join moved one on one.key = edge.a join moved other on other.key = edge.b
    left join {{name}}_refused refused on refused.a = edge.a and refused.b = edge.b
    where one.{{whole}} = other.{{whole}} and one.{{part}} <> other.{{part}}
    group by 1, 2
"""
EXAMPLES = """
    select person_id, identifiers, parts from {into}
    order by identifiers desc, parts desc, person_id limit {most}
"""
PARTS = """
    select {part}, count(*), list(key order by key)[1:{named}] from moved
    where {whole} = ? group by 1 order by 2 desc, 1
"""
OF_PERSON = "select cause, edges from {into}_cause where person_id = ? order by 2 desc, 1"
BY_CAUSE = """
    select cause, count(distinct person_id) from {into}_cause
    join {into} using (person_id) group by 1 order by 2 desc, 1
"""


@dataclass(frozen=True, slots=True)
class Example:
    """A person that splits, or that others merge into: its parts, and the edges' causes.

    Each part is (person, how many identifiers, the first few of their keys).
    """

    person_id: str
    identifiers: int
    parts: tuple[tuple[str, int, tuple[str, ...]], ...]
    causes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """Either all splits or all merges: how many persons, by which cause, the largest of them."""

    persons: int
    identifiers: int
    causes: dict[str, int]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What the new settings would do to the persons of the lake's evidence."""

    persons_before: int
    persons_after: int
    identifiers: int
    identifiers_moved: int
    splits: Change
    merges: Change


def preview(
    lake: Lake, before: IdentitySettings, after: IdentitySettings, step: Step, most: int = 20
) -> Preview:
    """Settles the lake's evidence under both settings and tells what differs."""
    with session() as engine:
        look(engine, lake)
        for name, settings in (("before", before), ("after", after)):
            with step(f"Settling the evidence under the settings {PHASES[name]}"):
                settle(engine, lake, settings, name)
        with step("Comparing the persons"):
            engine.execute(BOTH)
            return Preview(
                persons_before=count(engine, "select count(distinct was) from moved"),
                persons_after=count(engine, "select count(distinct shall) from moved"),
                identifiers=count(engine, "select count(*) from moved"),
                identifiers_moved=count(engine, "select count(*) from moved where was <> shall"),
                splits=_change(engine, "split", "after", ("was", "shall"), most),
                merges=_change(engine, "merge", "before", ("shall", "was"), most),
            )


PHASES = {"before": "in force", "after": "of this folder"}


def settle(engine: "DuckDBPyConnection", lake: Lake, settings: IdentitySettings, name: str) -> None:
    """Makes `<name>_person` (key, person_id) and what was refused, of all of the evidence."""
    gather(engine, settings)
    resolve(engine, settings, lake.keyring())
    engine.execute(KEPT.format(name=name))


def _change(
    engine: "DuckDBPyConnection", into: str, name: str, ends: tuple[str, str], most: int
) -> Change:
    told = {"into": into, "name": name, "whole": ends[0], "part": ends[1]}
    engine.execute(CHANGED.format(**told))
    engine.execute(CAUSES.format(**told))
    largest = engine.execute(EXAMPLES.format(into=into, most=most)).fetchall()
    return Change(
        persons=count(engine, f"select count(*) from {into}"),
        identifiers=count(engine, f"select coalesce(sum(identifiers), 0) from {into}"),
        causes=dict(engine.execute(BY_CAUSE.format(into=into)).fetchall()),
        examples=tuple(_example(engine, row[0], row[1], told) for row in largest),
    )


def _example(
    engine: "DuckDBPyConnection", person_id: str, identifiers: int, told: dict[str, Any]
) -> Example:
    parts = engine.execute(PARTS.format(**told, named=MOST_NAMED), [person_id]).fetchall()
    causes = engine.execute(OF_PERSON.format(**told), [person_id]).fetchall()
    told_parts = tuple((one, size, tuple(keys)) for one, size, keys in parts)
    return Example(person_id, identifiers, told_parts, dict(causes))
