"""What edited rules and traits would change: both asked of everybody at one moment; no write."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from stamgast.segments.definitions import ComputedTrait
from stamgast.segments.language.rules import Rule
from stamgast.segments.language.windows import Now
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.logs import count, see_runs, see_settled
from stamgast_lake.rules.literals import quoted
from stamgast_lake.rules.relations import add_computed, make_relations
from stamgast_lake.rules.statements import VERDICTS, temp_table, verdicts
from stamgast_lake.rules.traits import compute
from stamgast_lake.scored import score_buyers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMBERS = "select person_id from asked_{side} where r{place}"
NOBODY = "select cast(null as varchar) as person_id where false"
DIFFERENCE = "select person_id from ({one}) one where person_id not in ({other})"
SIZE = "select count(*) from ({people}) people"
# By a hash, so that the same people are shown again and no alphabet chooses them.
SAMPLE = "select person_id from ({people}) people order by sha256(person_id), 1 limit {most}"
VALUES = """
    select count(*) filter (where was is not null), count(*) filter (where will is not null),
        count(*) filter (where was is distinct from will)
    from (
        select {was} as was, {will} as will
        from computed_before before full join computed_after after using (person_id)
    )
"""


class Because(StrEnum):
    """Why a segment's members would be others."""

    NEW = "new"
    REMOVED = "removed"
    RULE = "rule"
    TRAITS = "traits"


@dataclass(frozen=True, slots=True)
class Book:
    """The rules and computed traits of one version of a workspace, with its days."""

    rules: Sequence[Rule]
    traits: Sequence[ComputedTrait]
    now: Now


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    """Who would be in a segment; sizes are None where the segment is not there.

    Both rules are asked at one moment over the same data, so only the edit makes a difference.
    """

    segment: str
    because: Because
    before: int | None
    after: int | None
    entering: int
    leaving: int
    entering_sample: tuple[str, ...]
    leaving_sample: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedTrait:
    """Of how many people a computed trait has a value, and of how many it would be another."""

    trait: str
    before: int | None
    after: int | None
    changed: int


def planned(
    lake: Lake, before: Book, after: Book, most: int
) -> tuple[list[PlannedSegment], list[PlannedTrait]]:
    """The segments and traits that an edit touches; `most` bounds each sample.

    Persons are those of the newest run that ended well, as previews have them.
    """
    with session() as engine:
        see_runs(engine, lake)
        score_buyers(engine, lake, after.now.ms, see_settled)
        for side, book in (("before", before), ("after", after)):
            _ask(engine, lake, side, book)
        traits = [_trait(engine, name, before, after) for name in _edited(before, after)]
        segments = list(_segments(engine, before, after, most))
    return segments, traits


def _ask(engine: "DuckDBPyConnection", lake: Lake, side: str, book: Book) -> None:
    make_relations(engine, lake, see_settled)
    compute(engine, book.traits, book.now)
    engine.execute(temp_table(f"computed_{side}", "select * from rule_computed"))
    add_computed(engine, lake, book.rules, book.now.ms)
    for statement in verdicts(book.rules, book.now):
        engine.execute(statement)
    engine.execute(temp_table(f"asked_{side}", f"select * from {VERDICTS}"))


def _segments(
    engine: "DuckDBPyConnection", before: Book, after: Book, most: int
) -> Iterator[PlannedSegment]:
    was, will = _places(before), _places(after)
    for name in dict.fromkeys((*will, *was)):
        found = _segment(engine, name, was.get(name), will.get(name), most)
        if found.because is not Because.TRAITS or found.entering or found.leaving:
            yield found


def _segment(
    engine: "DuckDBPyConnection",
    name: str,
    was: tuple[int, Rule] | None,
    will: tuple[int, Rule] | None,
    most: int,
) -> PlannedSegment:
    old, new = _members("before", was), _members("after", will)
    entering = DIFFERENCE.format(one=new, other=old)
    leaving = DIFFERENCE.format(one=old, other=new)
    return PlannedSegment(
        segment=name,
        because=_because(was, will),
        before=None if was is None else count(engine, SIZE.format(people=old)),
        after=None if will is None else count(engine, SIZE.format(people=new)),
        entering=count(engine, SIZE.format(people=entering)),
        leaving=count(engine, SIZE.format(people=leaving)),
        entering_sample=_sample(engine, entering, most),
        leaving_sample=_sample(engine, leaving, most),
    )


def _because(was: tuple[int, Rule] | None, will: tuple[int, Rule] | None) -> Because:
    if was is None:
        return Because.NEW
    if will is None:
        return Because.REMOVED
    return Because.TRAITS if was[1].version == will[1].version else Because.RULE


def _members(side: str, found: tuple[int, Rule] | None) -> str:
    return NOBODY if found is None else MEMBERS.format(side=side, place=found[0])


def _sample(engine: "DuckDBPyConnection", people: str, most: int) -> tuple[str, ...]:
    rows = engine.execute(SAMPLE.format(people=people, most=most)).fetchall()
    return tuple(str(person_id) for (person_id,) in rows)


def _places(book: Book) -> dict[str, tuple[int, Rule]]:
    return {rule.name: (place, rule) for place, rule in enumerate(book.rules)}


def _edited(before: Book, after: Book) -> list[str]:
    was, will = ({one.name: one.version for one in book.traits} for book in (before, after))
    return [name for name in dict.fromkeys((*will, *was)) if was.get(name) != will.get(name)]


def _trait(engine: "DuckDBPyConnection", name: str, before: Book, after: Book) -> PlannedTrait:
    was, will = (any(one.name == name for one in book.traits) for book in (before, after))
    told = VALUES.format(was=_value("before", name, was), will=_value("after", name, will))
    ((had, has, changed),) = engine.execute(told).fetchall()
    return PlannedTrait(name, had if was else None, has if will else None, changed)


def _value(side: str, name: str, is_there: bool) -> str:
    place = quoted(f'$."{name}"')
    told = f"cast(json_extract({side}.computed, {place}) as varchar)"
    return f"nullif({told}, 'null')" if is_there else "cast(null as varchar)"
