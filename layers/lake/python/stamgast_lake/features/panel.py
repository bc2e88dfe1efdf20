"""Every cut-off of a model in one table: what it learns from, and what it is to score."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from stamgast.models.declaration import Kind, Model
from stamgast.segments.definitions import ComputedTrait
from stamgast.segments.language.days import day_of
from stamgast.segments.language.rules import Rule, nodes_of
from stamgast.segments.language.tree import Column
from stamgast_lake.features.amounts import Amounts, in_one_currency
from stamgast_lake.features.known_as import AS_THEN, as_known, mark_listed
from stamgast_lake.features.lines import LINES, OF_LINES, lines
from stamgast_lake.features.measured import (
    CELL,
    DAY_MS,
    OUTCOME,
    RFM_CELL,
    CutOff,
    arms,
    is_judged_in_money,
    measured,
    outcome,
)
from stamgast_lake.features.received import beside, has_late, in_time
from stamgast_lake.features.then import go_to
from stamgast_lake.rules.statements import VERDICTS, verdicts

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PANEL = "panel"
MOST_WAVES, MOST_DAYS = 26, 3_660
HISTORY = "repeats, recency, age, mean_spend"
MADE = """
    {made}
    select coalesce(known.person_id, measured.person_id) as person_id, date '{cut_on}' as cut_on,
        {label} as label{columns}, measured.person_id as then_id
    from measured {joins}
    left join (select distinct then_id, person_id from known_as) known
        on known.then_id = measured.person_id
    where is_meant
"""
WHOLE = "coalesce(label, 0)"
SHARED = f"{WHOLE} / count(*) over (partition by coalesce(known.person_id, measured.person_id))"
OUTCOMES = "left join outcome on outcome.person_id = measured.person_id"
PAID = "left join then_principal on then_principal.person_id = measured.person_id"
UNPAID = f"alter table {PANEL} drop column principal"
UNNAMED = f"alter table {PANEL} drop column then_id"
SEEN = "left join then_span on then_span.person_id = measured.person_id"
SEEDED = """
    create or replace temp table outcome as
    select person_id, cast(r{place} as double) as label from {verdicts}
"""
# Of a wave are those who entered the experiment within it.
ENTERED = f"""
    create or replace temp table {OUTCOME} as
    select {OUTCOME}.person_id, label, case when was_in.arm is null then is_in.arm end as arm
    from {OUTCOME}
    left join was_in on was_in.person_id = {OUTCOME}.person_id
    left join is_in on is_in.person_id = {OUTCOME}.person_id
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
    whole horizon before it; a look-alike needs no outcome, and learns where it scores. Clusters
    learn of those whom they score, and are judged by what came since a horizon ago. An experiment
    has the day on which it began, and those of its later waves.
    """
    today = day_of(moment_ms, zone)
    days = _learnt_of(model, today)
    return CutOff(today, zone), tuple(CutOff(day, zone) for day in days)


def _learnt_of(model: Model, today: date) -> Iterator[date]:
    newest = today - timedelta(days=model.within_days)
    match model.kind:
        case Kind.CLUSTERS:
            yield newest
        case Kind.LOOK_ALIKE:
            yield today
        case Kind.UPLIFT:
            yield from _waves(model, newest)
        case _:
            for back in reversed(range(model.cutoffs.number)):
                yield newest - timedelta(days=model.cutoffs.every_days * back)


def _waves(model: Model, newest: date) -> Iterator[date]:
    """The day on which an experiment began, and those on which later waves of people entered it."""
    day, every = date.fromisoformat(model.settings["starts_on"]), model.settings.get("every_days")
    latest = min(newest, newest - timedelta(days=(every or 0) - model.within_days))
    days = [day + timedelta(days=n * every) for n in range(MOST_DAYS // every)] if every else [day]
    yield from [one for one in days if one <= latest][-MOST_WAVES:]


def fill(
    engine: "DuckDBPyConnection",
    model: Model,
    asked: Asked,
    learnt: Sequence[CutOff],
    scored: CutOff | None,
    passed: Callable[[int, int], None] = lambda *_: None,
) -> Amounts | None:
    """Makes table `panel`: person_id, cut_on, label (null where people are scored), f0, f1, …

    Answers which of these are amounts, and how many people pay in which currency; None where none
    is an amount. `quiet_days` says of people who are scored how long ago each was seen last.
    Needs what `see_events` makes. A cut-off before anything happened adds no row. Kinds made of
    what people bought have a row a line of an order, too, of everybody who is in the panel. Where
    something came later than its date says, the newest cut-off's rows have g0, g1, … as well; where
    lists without times join people, `listed` says whom.
    `passed` is told after each cut-off how many of how many are done.
    """
    is_first = True
    asked_at = [(one, True) for one in learnt] + ([(scored, False)] if scored else [])
    for done, (cut_off, is_labelled) in enumerate(asked_at, 1):
        for statement in _of_cut_off(engine, model, asked, cut_off, is_labelled, is_first):
            engine.execute(statement)
        is_first = False
        passed(done, len(asked_at))
    as_known(engine, None)
    if learnt and has_late(engine, model, learnt[-1]):
        _as_received(engine, model, asked, learnt[-1])
        as_known(engine, None)
    engine.execute(UNNAMED)
    if model.kind in AS_THEN:
        mark_listed(engine)
    amounts = in_one_currency(engine, model, asked.traits)
    if not is_judged_in_money(model):
        engine.execute(UNPAID)
    if model.kind in OF_LINES:
        engine.execute(lines(asked.zone))
    return amounts


def _as_received(engine: "DuckDBPyConnection", model: Model, asked: Asked, cut_off: CutOff) -> None:
    """Adds g0, g1, … to the rows of a cut-off: its features of what had come by then."""
    as_known(engine, cut_off if model.kind in AS_THEN else None, in_time(cut_off))
    go_to(engine, cut_off.before, asked.traits if _needs_traits(model) else ())
    for statement in beside(model, cut_off):
        engine.execute(statement)


def _of_cut_off(
    engine: "DuckDBPyConnection",
    model: Model,
    asked: Asked,
    cut_off: CutOff,
    is_labelled: bool,
    is_first: bool,
) -> Iterator[str]:
    as_known(engine, cut_off if is_labelled and model.kind in AS_THEN else None)
    go_to(engine, cut_off.before, asked.traits if _needs_traits(model) else ())
    yield from measured(model, cut_off)
    if is_labelled:
        yield from _outcome(engine, model, asked, cut_off)
    joins = f"{OUTCOMES if is_labelled else SEEN} {PAID}"
    columns = list(_columns(model, is_labelled))
    columns.append("cast(null as double) as quiet_days" if is_labelled else _quiet(cut_off))
    if model.kind is Kind.LIFETIME_VALUE:
        joins += " join history on history.person_id = measured.person_id"
    yield MADE.format(
        made=f"create or replace temp table {PANEL} as" if is_first else f"insert into {PANEL}",
        cut_on=cut_off.on,
        label=_label(model) if is_labelled else "cast(null as double)",
        columns="".join(f", {column}" for column in columns),
        joins=joins,
    )


def _label(model: Model) -> str:
    """What came of a row; money that is added up is shared among those known as several."""
    return SHARED if model.kind is Kind.LIFETIME_VALUE else WHOLE


def _quiet(cut_off: CutOff) -> str:
    """How many days a person was not seen: of nobody less than a day where events had ended."""
    return f"({cut_off.ms} - epoch_ms(then_span.last_at)) / {float(DAY_MS)} as quiet_days"


def _columns(model: Model, is_labelled: bool) -> Iterator[str]:
    """What a row has beside person, cut-off and label; what a kind needs is told at its end."""
    yield from (f"f{place}" for place in range(len(model.features)))
    if model.kind is Kind.LIFETIME_VALUE:
        yield HISTORY
    yield "then_principal.currency as principal"
    if model.kind is Kind.CLUSTERS:
        yield RFM_CELL
    if model.kind is Kind.UPLIFT:
        yield "arm" if is_labelled else "cast(null as double) as arm"
    if model.kind in OF_LINES:
        yield "cell" if CELL in model.rules else "cast(null as varchar) as cell"
        yield LINES


def _outcome(
    engine: "DuckDBPyConnection", model: Model, asked: Asked, cut_off: CutOff
) -> Iterator[str]:
    if model.kind is Kind.UPLIFT:
        yield from _of_experiment(engine, model, cut_off)
        return
    if model.kind is not Kind.LOOK_ALIKE:
        yield from outcome(model, cut_off)
        return
    yield from verdicts(asked.rules, cut_off.before)
    place = [rule.name for rule in asked.rules].index(str(model.seed))
    yield SEEDED.format(place=place, verdicts=VERDICTS)


def _of_experiment(engine: "DuckDBPyConnection", model: Model, cut_off: CutOff) -> Iterator[str]:
    """The outcome and the arm: who was treated is known once the horizon, or the wave, is over."""
    every = model.settings.get("every_days")
    if every:
        yield from arms(model, cut_off.before, "was_in")
        go_to(engine, cut_off.after(every))
        yield from arms(model, cut_off.after(every), "is_in")
    go_to(engine, cut_off.after(model.within_days))
    yield from outcome(model, cut_off)
    if every:
        yield ENTERED


def _needs_traits(model: Model) -> bool:
    trees = [model.population, model.exclude, *(feature.tree for feature in model.features)]
    named = (node for tree in trees if tree is not None for node in nodes_of(tree))
    return any(isinstance(node, Column) and node.path[0] == "computed" for node in named)
