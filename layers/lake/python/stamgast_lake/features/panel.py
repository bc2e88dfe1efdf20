"""Every cut-off of a model in one table: what it learns from, and what it is to score."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from stamgast.models.declaration import Kind, Model
from stamgast.segments.definitions import ComputedTrait
from stamgast.segments.language.days import day_of
from stamgast.segments.language.rules import Rule, nodes_of
from stamgast.segments.language.tree import Column
from stamgast_lake.features.measured import CutOff, measured, outcome
from stamgast_lake.features.then import go_to
from stamgast_lake.rules.statements import VERDICTS, verdicts

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PANEL = "panel"
HISTORY = "repeats, recency, age, mean_spend"
MADE = """
    {made}
    select measured.person_id, date '{cut_on}' as cut_on, {label} as label, {columns}
    from measured {joins}
    where is_meant
"""
SEEDED = """
    create or replace temp table outcome as
    select person_id, cast(r{place} as double) as label from {verdicts}
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model's panel is made with: the workspace's zone, traits, and rules for seeds."""

    zone: ZoneInfo
    traits: Sequence[ComputedTrait] = ()
    rules: Sequence[Rule] = ()


def cut_offs_of(model: Model, moment_ms: int, zone: ZoneInfo) -> tuple[CutOff, tuple[CutOff, ...]]:
    """The cut-off to score at, and those to learn from, the oldest first.

    People are scored as of the start of the day. The newest cut-off that can be learnt from lies a
    whole horizon before it; a look-alike needs no outcome, and learns where it scores.
    """
    today = day_of(moment_ms, zone)
    if model.kind is Kind.LOOK_ALIKE:
        return CutOff(today, zone), (CutOff(today, zone),)
    newest = today - timedelta(days=model.within_days)
    days = (
        newest - timedelta(days=model.cutoffs.every_days * back)
        for back in reversed(range(model.cutoffs.number))
    )
    return CutOff(today, zone), tuple(CutOff(day, zone) for day in days)


def fill(
    engine: "DuckDBPyConnection",
    model: Model,
    asked: Asked,
    learnt: Sequence[CutOff],
    scored: CutOff | None,
) -> None:
    """Makes table `panel`: person_id, cut_on, label (null where people are scored), f0, f1, …

    Needs `person_event`. A cut-off before anything happened adds no row.
    """
    is_first = True
    asked_at = [(one, True) for one in learnt] + ([(scored, False)] if scored else [])
    for cut_off, is_labelled in asked_at:
        for statement in _of_cut_off(engine, model, asked, cut_off, is_labelled, is_first):
            engine.execute(statement)
        is_first = False


def _of_cut_off(
    engine: "DuckDBPyConnection",
    model: Model,
    asked: Asked,
    cut_off: CutOff,
    is_labelled: bool,
    is_first: bool,
) -> Iterator[str]:
    go_to(engine, cut_off.before, asked.traits if _needs_traits(model) else ())
    yield from measured(model, cut_off)
    if is_labelled:
        yield from _outcome(model, asked, cut_off)
    joins = "left join outcome on outcome.person_id = measured.person_id" if is_labelled else ""
    columns = [f"f{place}" for place in range(len(model.features))]
    if model.kind is Kind.LIFETIME_VALUE:
        columns.append(HISTORY)
        joins += " join history on history.person_id = measured.person_id"
    yield MADE.format(
        made=f"create or replace temp table {PANEL} as" if is_first else f"insert into {PANEL}",
        cut_on=cut_off.on,
        label="coalesce(label, 0)" if is_labelled else "cast(null as double)",
        columns=", ".join(columns),
        joins=joins,
    )


def _outcome(model: Model, asked: Asked, cut_off: CutOff) -> Iterator[str]:
    if model.kind is not Kind.LOOK_ALIKE:
        yield from outcome(model, cut_off)
        return
    yield from verdicts(asked.rules, cut_off.before)
    place = [rule.name for rule in asked.rules].index(str(model.seed))
    yield SEEDED.format(place=place, verdicts=VERDICTS)


def _needs_traits(model: Model) -> bool:
    trees = [model.population, model.exclude, *(feature.tree for feature in model.features)]
    named = (node for tree in trees if tree is not None for node in nodes_of(tree))
    return any(isinstance(node, Column) and node.path[0] == "computed" for node in named)
