"""What a segment would be: its size, whom it reaches, and what it shares with others; no write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stamgast.segments.definitions import ComputedTrait
from stamgast.segments.language.rules import Rule
from stamgast.segments.language.windows import Now
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.logs import count, latest, see
from stamgast_lake.rules.literals import quoted
from stamgast_lake.rules.relations import make_relations
from stamgast_lake.rules.statements import VERDICTS, verdicts
from stamgast_lake.rules.traits import TOLD, compute
from stamgast_lake.scored import score_buyers
from stamgast_lake.tables import MEMBERSHIPS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMBER = "create or replace temp table member as select person_id from {verdicts} where r{place}"
REACHED = """
    select namespace, count(distinct identity_now.person_id)
    from identity_now join member on member.person_id = identity_now.person_id
    group by namespace order by namespace
"""
CONSENTED = """
    select count(*) from rule_person join member on member.person_id = rule_person.person_id
    where cast(json_extract(consent, '$.' || {purpose}) as varchar) = 'true'
"""
OVERLAP = """
    select count(*) filter (where r{other}), count(*) filter (where r{other} and r{place})
    from {verdicts}
"""
STANDING = """
    create or replace temp view standing as
    select person_id from membership_now where segment = {segment} and change = 'entered'
"""
ENTERING = "select count(*) from member where person_id not in (select person_id from standing)"
LEAVING = "select count(*) from standing where person_id not in (select person_id from member)"
# By a hash, so that the same people are shown again and no alphabet chooses them.
SAMPLE = """
    select rule_person.person_id, segment as rfm, orders, last_at
    from rule_person join member on member.person_id = rule_person.person_id
    order by sha256(rule_person.person_id), rule_person.person_id limit {most}
"""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Another segment: its size, how many are in both, and that against chance (1 is chance)."""

    segment: str
    size: int
    both: int
    lift: float | None


@dataclass(frozen=True, slots=True)
class SegmentPreview:
    """A segment as of a moment; `reached` counts members by namespace of their identifiers.

    `consented` are those who allow the segment's purpose; None for a segment without one.
    """

    segment: str
    at_ms: int
    size: int
    population: int
    entering: int
    leaving: int
    reached: Mapping[str, int]
    consented: int | None
    overlaps: tuple[Overlap, ...]
    sample: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Which segment is asked about, among all rules and traits of a workspace."""

    name: str
    rules: Sequence[Rule]
    traits: Sequence[ComputedTrait]
    purpose: str | None
    now: Now

    @property
    def place(self) -> int:
        """The place of the segment among the rules."""
        return [rule.name for rule in self.rules].index(self.name)


def preview_segment(lake: Lake, question: Question, most: int) -> SegmentPreview:
    """The segment over the lake as the newest run left it; `most` bounds the sample."""
    with session() as engine:
        score_buyers(engine, lake, question.now.ms)
        make_relations(engine, lake)
        compute(engine, question.traits, question.now)
        make_relations(engine, lake, computed="told.computed", joins=TOLD)
        for statement in verdicts(question.rules, question.now):
            engine.execute(statement)
        engine.execute(MEMBER.format(verdicts=VERDICTS, place=question.place))
        return _preview(engine, lake, question, most)


def _preview(
    engine: "DuckDBPyConnection", lake: Lake, question: Question, most: int
) -> SegmentPreview:
    see(engine, lake, MEMBERSHIPS)
    latest(engine, "memberships", "person_id, segment", "membership_now")
    engine.execute(STANDING.format(segment=quoted(question.name)))
    purpose = question.purpose
    return SegmentPreview(
        question.name,
        question.now.ms,
        count(engine, "select count(*) from member"),
        count(engine, f"select count(*) from {VERDICTS}"),
        count(engine, ENTERING),
        count(engine, LEAVING),
        dict(engine.execute(REACHED).fetchall()),
        None if purpose is None else count(engine, CONSENTED.format(purpose=quoted(purpose))),
        tuple(_overlaps(engine, question)),
        tuple(engine.sql(SAMPLE.format(most=most)).to_arrow_table().to_pylist()),
    )


def _overlaps(engine: "DuckDBPyConnection", question: Question) -> list[Overlap]:
    """The other segments, those that share most with this one first."""
    mine = count(engine, "select count(*) from member")
    everybody = count(engine, f"select count(*) from {VERDICTS}")
    found = []
    for other, rule in enumerate(question.rules):
        if rule.name == question.name:
            continue
        asked = OVERLAP.format(other=other, place=question.place, verdicts=VERDICTS)
        ((size, both),) = engine.execute(asked).fetchall()
        lift = both * everybody / (mine * size) if mine and size else None
        found.append(Overlap(rule.name, size, both, lift))
    return sorted(found, key=lambda one: (-one.both, one.segment))
