"""Every rule over every person: the statements that leave one row a person, one column a rule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stamgast.segments.language.reading import key_of
from stamgast.segments.language.rules import Rule, segments_in
from stamgast.segments.language.tree import Aggregate, Column, Did, DidNotSince, InSegment
from stamgast.segments.language.windows import Now
from stamgast_lake.rules.aggregates import Aggregates
from stamgast_lake.rules.counts import COUNTED, MANY, Counts
from stamgast_lake.rules.expressions import Expressions, Shared
from stamgast_lake.rules.extractions import ONCE, Extractions
from stamgast_lake.rules.funnels import funnel_sql
from stamgast_lake.rules.habits import HABITS, habit_column, habits_sql
from stamgast_lake.rules.sources import NAMES, PERSON_COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SUMMED, PACKED, VERDICTS = "rule_summed", "rule_packed", "rule_verdict"
BITS = 56


@dataclass(slots=True)
class Whole:
    """What trees need that is not of one row of the person, made by statements of its own."""

    now: Now
    places: dict[str, int]
    aggregates: Aggregates
    funnels: dict[str, tuple[str, Did]] = field(default_factory=dict)
    has_habits: bool = False
    counts: Counts | None = None

    def sql(self, node: Aggregate | Column | Did | DidNotSince | InSegment) -> str:
        match node:
            case Aggregate():
                return self.aggregates.sql(node)
            case DidNotSince():
                return self.aggregates.not_since(node)
            case Column():
                self.has_habits = True
                return habit_column(node.path)
            case InSegment():
                return f"r{self.places[node.name]}"
        name, _ = self.funnels.setdefault(key_of(node), (f"funnel{len(self.funnels)}", node))
        return name

    def statements(self, events: str, *, anchored: bool = False) -> list[str]:
        """What makes the tables that `joined` joins to the persons."""
        made = [
            temp_table(name, funnel_sql(n, self.now, events)) for name, n in self.funnels.values()
        ]
        if self.has_habits:
            made.append(temp_table(HABITS, habits_sql(self.now, events)))
        if self.aggregates.columns:
            made.append(temp_table(SUMMED, self.aggregates.statement(events, anchored=anchored)))
        return made

    def joined(self, columns: Extractions, persons: str) -> str:
        """The persons with their values, their aggregates and their funnels."""
        documents = sorted({document for document, _ in columns.places})
        taken = ", ".join((*PERSON_COLUMNS, *documents))
        plain = f"(select {taken} from {persons} {ONCE}) person"
        rows = f"({columns.wrapped(plain, ', '.join(NAMES.values()))}) person"
        told = ["person.*"]
        for name in self._tables():
            rows += f" left join {name} on {name}.person_id = person.person_id"
            told.append(f"{name}.* exclude (person_id)")
        for name, _ in self.funnels.values():
            rows += f" left join {name} on {name}.person_id = person.person_id"
            told.append(f"{name}.person_id is not null as {name}")
        return f"select {', '.join(told)} from {rows}"

    def _tables(self) -> Iterator[str]:
        """The tables with columns of values, a row a person."""
        if self.aggregates.columns:
            yield SUMMED
        if self.counts is not None:
            yield COUNTED
        if self.has_habits:
            yield HABITS


@dataclass(frozen=True, slots=True)
class Asked:
    """What asks rules: counts that are made first, if any, and then statements."""

    counts: Counts | None
    statements: Sequence[str]

    def of(self, engine: "DuckDBPyConnection") -> None:
        """Asks them in a session, which leaves `rule_verdict`."""
        if self.counts is not None:
            self.counts.make(engine)
        for statement in self.statements:
            engine.execute(statement)


def ask(
    engine: "DuckDBPyConnection", rules: Sequence[Rule], now: Now, *, least: int = MANY
) -> None:
    """Makes `rule_verdict` as the statements of `verdicts` do, of events by anchors.

    Needs `rule_happening` and `rule_anchor` beside `rule_person` and `rule_event`. From `least`
    counts on these are made outside SQL.
    """
    _asked(rules, now, "rule_person", "rule_event", least).of(engine)


def verdicts(
    rules: Sequence[Rule],
    now: Now,
    persons: str = "rule_person",
    events: str = "rule_event",
) -> Sequence[str]:
    """Statements that make `rule_verdict`, a temporary view of bits.

    Its columns are person_id and r0, r1 … in the order of the rules, which is that of
    `stamgast.segments.language.rules.rules_of`: true for a member, else false, never null.
    """
    return _asked(rules, now, persons, events).statements


def _asked(
    rules: Sequence[Rule], now: Now, persons: str, events: str, least: int | None = None
) -> Asked:
    """Over events by anchors if `least` is told, the number of counts to make outside SQL."""
    places = {rule.name: place for place, rule in enumerate(rules)}
    columns = Extractions(now.zone.key, "c")
    whole = Whole(now, places, Aggregates(now, Extractions(now.zone.key, "e")))
    shared = Shared()
    within = Expressions(now, columns, whole.sql, shared=shared)
    told = [f"coalesce({within.sql(rule.tree)}, false)" for rule in rules]
    if least is not None:
        whole.counts = whole.aggregates.counts(least)
    rows = shared.over(whole.joined(columns, persons))
    made = whole.statements(events, anchored=least is not None)
    packed = temp_table(PACKED, _packed(rules, told, rows))
    return Asked(whole.counts, [*made, packed, _unpacked(len(rules))])


def temp_table(name: str, select: str) -> str:
    """The statement that keeps a SELECT under a name."""
    return f"create or replace temp table {name} as {select}"


def _packed(rules: Sequence[Rule], told: Sequence[str], rows: str) -> str:
    """A bit for each rule: a column for each of them took a quarter of the time."""
    words = [_word(places) for places in _words(len(rules))]
    made = "".join(f", {word} as w{number}" for number, word in enumerate(words))
    return f"select person_id{made} from ({_layers(rules, told, rows)}) person"


def _word(places: range) -> str:
    """Eight bits at a time in small numbers, of which the engine works more off at once."""
    eights = [places[start : start + 8] for start in range(0, len(places), 8)]
    parts = (
        " + ".join(f"cast(r{place} as usmallint) * {1 << bit}" for bit, place in enumerate(eight))
        for eight in eights
    )
    return " + ".join(
        f"cast({part} as bigint) * {1 << 8 * number}" for number, part in enumerate(parts)
    )


def _unpacked(rules: int) -> str:
    bits = "".join(
        f", (w{number} & {1 << bit}) <> 0 as r{place}"
        for number, places in enumerate(_words(rules))
        for bit, place in enumerate(places)
    )
    return f"create or replace temp view {VERDICTS} as select person_id{bits} from {PACKED}"


def _words(rules: int) -> list[range]:
    return [range(start, min(start + BITS, rules)) for start in range(0, rules, BITS)]


def _layers(rules: Sequence[Rule], told: Sequence[str], rows: str) -> str:
    """A layer for the rules that rest on no other, one for those that rest on these, and so on."""
    levels: dict[str, int] = {}
    for rule in rules:
        below = [levels[name] for name in segments_in(rule.tree)]
        levels[rule.name] = 1 + max(below, default=-1)
    for level in range(max(levels.values(), default=-1) + 1):
        made = ", ".join(
            f"{told[place]} as r{place}"
            for place, rule in enumerate(rules)
            if levels[rule.name] == level
        )
        rows = f"select *, {made} from ({rows}) layer"
    return rows
