"""What a segment would be: its size, whom it reaches, and what it shares with others; no write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stamgast.consent.purposes import Purposes
from stamgast.segments.definitions import ComputedTrait
from stamgast.segments.language.rules import Rule
from stamgast.segments.language.windows import Now
from stamgast_lake.catalogue import one_of
from stamgast_lake.consents import counted_sql, covers_sql
from stamgast_lake.engine import session
from stamgast_lake.lake import Lake
from stamgast_lake.logs import SETTLED, count, latest, see_runs, see_settled
from stamgast_lake.rules.literals import quoted
from stamgast_lake.rules.relations import add_computed, make_relations
from stamgast_lake.rules.statements import VERDICTS, verdicts
from stamgast_lake.rules.traits import compute
from stamgast_lake.runs import DONE, WHOLE
from stamgast_lake.scored import score_buyers
from stamgast_lake.tables import MEMBERSHIPS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COUNTED = """
    create or replace temp table counted as
    select verdict.*, {covers} as is_covered
    from {verdicts} verdict
    join profile_now on profile_now.person_id = verdict.person_id
    where {counts}
"""
MEMBER = """
    create or replace temp table member as
    select person_id, is_covered from counted where r{place}
"""
REACHED = """
    select namespace, count(distinct member.person_id),
        count(distinct member.person_id) filter (where is_covered)
    from identity_now join member on member.person_id = identity_now.person_id
    group by namespace order by namespace
"""
CONSENTED = "select count(*) from member where is_covered"
OVERLAP = """
    select count(*) filter (where r{other}), count(*) filter (where r{other} and r{place})
    from counted
"""
STANDING = """
    create or replace temp view standing as
    select person_id, rule_version from membership_now
    where change = 'entered' and person_id in (select person_id from counted)
"""
STANDS = "select count(*), max(rule_version) from standing"
ENTERING = "select person_id from member where person_id not in (select person_id from standing)"
LEAVING = "select person_id from standing where person_id not in (select person_id from member)"
# By a hash, so that the same people are shown again and no alphabet chooses them.
SAMPLE = """
    select shown.person_id, segment as rfm, orders, epoch_us(last_at) // 1000 as last_ms,
        (select list(identifier order by identifier) from identity_now
            where identity_now.person_id = shown.person_id) as identifiers
    from (
        select person_id from ({people}) people
        order by sha256(person_id), person_id limit {most}
    ) shown
    left join rule_person on rule_person.person_id = shown.person_id
    order by sha256(shown.person_id), shown.person_id
"""
LAST_RUN = f"""
    select run_id, strftime(moment, '%Y-%m-%dT%H:%M:%S.%gZ') as moment from runs
    where stage = '{WHOLE}' and status = '{DONE}' order by seq desc limit 1
"""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Another segment: its size, how many are in both, and that against chance (1 is chance)."""

    segment: str
    size: int
    both: int
    lift: float | None


@dataclass(frozen=True, slots=True)
class Someone:
    """A person of a sample: never more than ids, keys of identifiers, and standing."""

    person_id: str
    rfm: str | None
    orders: int | None
    last_ms: int | None
    identifiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Against who is in now: by which version of the rule, who would enter, who would leave."""

    size: int
    rule_version: str | None
    entering: int
    leaving: int
    entering_sample: tuple[Someone, ...]
    leaving_sample: tuple[Someone, ...]


@dataclass(frozen=True, slots=True)
class SegmentPreview:
    """A segment as of a moment, over the lake as the last run left it.

    `reached` tells of each namespace how many members have such an identifier, and how many of
    these allow the purpose; `consented` how many allow it at all. Both are None without a purpose.
    """

    segment: str | None
    rule_version: str
    purpose: str | None
    at_ms: int
    last_run: Mapping[str, str] | None
    size: int
    population: int
    change: Change | None
    reached: Mapping[str, tuple[int, int | None]]
    consented: int | None
    overlaps: tuple[Overlap, ...]
    sample: tuple[Someone, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Which rule is asked about, among all rules and traits of a workspace.

    `against` is the segment that the result is compared with; None for a rule that is nobody's.
    `is_bound`: who asks may learn of those alone whose consent covers the purpose.
    """

    name: str
    rules: Sequence[Rule]
    traits: Sequence[ComputedTrait]
    purpose: str | None
    now: Now
    against: str | None = field(default=None)
    is_bound: bool = False

    @property
    def place(self) -> int:
        """The place of the rule among the rules."""
        return [rule.name for rule in self.rules].index(self.name)


def preview_segment(lake: Lake, question: Question, most: int) -> SegmentPreview:
    """The segment over the lake as the newest run left it; `most` bounds each sample.

    Who is suppressed is counted nowhere.
    """
    with session() as engine:
        see_runs(engine, lake)
        score_buyers(engine, lake, question.now.ms, see_settled)
        make_relations(engine, lake, see_settled)
        compute(engine, question.traits, question.now)
        add_computed(engine, lake, question.rules, question.now.ms)
        for statement in verdicts(question.rules, question.now):
            engine.execute(statement)
        engine.execute(_counted(question, lake.workspace().consents))
        engine.execute(MEMBER.format(place=question.place))
        return _preview(engine, lake, question, most)


def _counted(question: Question, purposes: Purposes) -> str:
    traits, covers = "profile_now.traits", "false"
    if question.purpose is not None:
        covers = covers_sql(traits, question.purpose, purposes)
    counts = covers if question.is_bound else counted_sql(traits, None, purposes)
    return COUNTED.format(verdicts=VERDICTS, covers=covers, counts=counts)


def _preview(
    engine: "DuckDBPyConnection", lake: Lake, question: Question, most: int
) -> SegmentPreview:
    purpose = question.purpose
    is_asked = purpose is not None
    return SegmentPreview(
        segment=question.against,
        rule_version=question.rules[question.place].version,
        purpose=purpose,
        at_ms=question.now.ms,
        last_run=_last_run(engine),
        size=count(engine, "select count(*) from member"),
        population=count(engine, "select count(*) from counted"),
        change=_change(engine, lake, question.against, most),
        reached={
            namespace: (people, covered if is_asked else None)
            for namespace, people, covered in engine.execute(REACHED).fetchall()
        },
        consented=count(engine, CONSENTED) if is_asked else None,
        overlaps=tuple(_overlaps(engine, question)),
        sample=_sample(engine, "select person_id from member", most),
    )


def _last_run(engine: "DuckDBPyConnection") -> dict[str, str] | None:
    rows = engine.execute(LAST_RUN).fetchall()
    return dict(zip(("run_id", "moment"), rows[0], strict=True)) if rows else None


def _change(
    engine: "DuckDBPyConnection", lake: Lake, against: str | None, most: int
) -> Change | None:
    if against is None:
        return None
    standing = lake.catalogue.dataset(MEMBERSHIPS, one_of("segment", [against]))
    engine.register("membership_of_one", standing)
    engine.execute(SETTLED.format(name="settled_of_one", rows="membership_of_one"))
    rows = f"(select * from settled_of_one where segment = {quoted(against)})"
    latest(engine, rows, "person_id, segment", "membership_now")
    engine.execute(STANDING)
    ((size, version),) = engine.execute(STANDS).fetchall()
    return Change(
        size=size,
        rule_version=version,
        entering=count(engine, f"select count(*) from ({ENTERING})"),
        leaving=count(engine, f"select count(*) from ({LEAVING})"),
        entering_sample=_sample(engine, ENTERING, most),
        leaving_sample=_sample(engine, LEAVING, most),
    )


def _sample(engine: "DuckDBPyConnection", people: str, most: int) -> tuple[Someone, ...]:
    rows: list[tuple[Any, ...]] = engine.execute(SAMPLE.format(people=people, most=most)).fetchall()
    return tuple(
        Someone(person_id, rfm, orders, last_ms, tuple(keys or ()))
        for person_id, rfm, orders, last_ms, keys in rows
    )


def _overlaps(engine: "DuckDBPyConnection", question: Question) -> list[Overlap]:
    """The other segments, those that share most with this one first."""
    mine = count(engine, "select count(*) from member")
    everybody = count(engine, "select count(*) from counted")
    found = []
    for other, rule in enumerate(question.rules):
        if rule.name == question.name:
            continue
        asked = OVERLAP.format(other=other, place=question.place)
        ((size, both),) = engine.execute(asked).fetchall()
        lift = both * everybody / (mine * size) if mine and size else None
        found.append(Overlap(rule.name, size, both, lift))
    return sorted(found, key=lambda one: (-one.both, one.segment))
