"""A run of declared drivers: a panel in; what goes with the outcome out, in figures and in words.

It says what goes together, of nobody in particular; so it keeps no model and scores nobody.
"""

from collections.abc import Iterator, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stamgast_learn.drivers.design import COLLINEAR, Design, design_of
from stamgast_learn.drivers.regression import ALPHA, Fitted, regress
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.honesty import (
    require_enough,
    require_history,
    require_one_currency,
    require_payers,
    unknown_features,
)
from stamgast_learn.predict.leaks import require_unsuspected, told_leaks
from stamgast_learn.predict.panel import Panel, read_panel
from stamgast_learn.predict.ranking import Measure, clustered_mean
from stamgast_learn.predict.run import Order, Outcome

MOST_PEOPLE = 100_000
SEED = 19_850_301


@dataclass(frozen=True, slots=True)
class Driver:
    """One behaviour: what goes with one standard deviation more of it, all else equal.

    `effect` is in units of the outcome, with 95 % (`low`, `high`) and with 95 % for all behaviours
    at once (`low_all`, `high_all`); `beta` is in its standard deviations. `stands` says whether the
    false discovery rate stays within 5 %. `inflation` beyond 10 is collinearity; `goes_with` names
    what it goes with then.
    """

    feature: str
    effect: float
    low: float
    high: float
    low_all: float
    high_all: float
    beta: float
    spread: float
    p: float
    p_holm: float
    q: float
    stands: bool
    inflation: float
    goes_with: str | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Drivers, the strongest first, and how much of the outcome they told out of time.

    `gain` is by how much their squared error is lower than that of the mean, at the newest cut-off.
    """

    people: int
    rows: int
    outcome_mean: float
    outcome_spread: float
    is_money: bool
    drivers: tuple[Driver, ...]
    repeated: tuple[str, ...]
    constant: tuple[str, ...]
    gain: Measure
    baseline_error: float
    r_squared: float
    words: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The judgement as plain data."""
        return asdict(self)


def learn_run(order: Order, panel: Path, _champion: bytes | None) -> tuple[Outcome, bytes | None]:
    """Judges the drivers if asked; there is no model to keep."""
    if not order.is_training:
        return Outcome(order.version, False, False, None, {}), None
    people = read_panel(panel, order.features)
    told = _few(people.labelled)
    report: dict[str, Any] = {"rows": len(told), "people": len(np.unique(told.person))}
    report["unknown"] = unknown_features(told)
    try:
        _require_enough(told, order)
        require_one_currency(panel, report)
        suspects = told_leaks(told, order, report, people.to_score)
        judgement = judge(told, order)
        report["judgement"] = judgement.to_json()
        _require_something(judgement, order.margin)
        require_unsuspected(suspects)
    except AbstainedError as error:
        return Outcome(order.version, True, False, str(error), report), None
    return Outcome(order.version, True, True, None, report), None


def _few(panel: Panel) -> Panel:
    """The panel of 100,000 people at most, drawn by a fixed seed."""
    people = np.unique(panel.person)
    if len(people) <= MOST_PEOPLE:
        return panel
    drawn = np.random.default_rng(SEED).permutation(len(people))[:MOST_PEOPLE]
    return panel.at(np.isin(panel.person, people[drawn]))


def judge(panel: Panel, order: Order) -> Judgement:
    """The drivers of a labelled panel; raises AbstainedError where no behaviour says anything."""
    is_money = _is_money(panel)
    design = design_of(panel)
    if not design.told:
        raise AbstainedError("every behaviour says the same of everybody")
    fitted = regress(design.columns, panel.label, panel.person, len(design.told))
    drivers = tuple(_drivers(design, fitted, float(panel.label.std())))
    conditions = frozenset(_conditions(panel))
    gain, error = _out_of_time(panel, design, order.within_days)
    return Judgement(
        people=len(np.unique(panel.person)),
        rows=len(panel),
        outcome_mean=float(panel.label.mean()),
        outcome_spread=float(panel.label.std()),
        is_money=is_money,
        drivers=drivers,
        repeated=design.repeated,
        constant=design.constant,
        gain=gain,
        baseline_error=error,
        r_squared=gain.value / error if error else 0.0,
        words=tuple(_words(one, is_money, conditions) for one in drivers if one.stands),
    )


def _is_money(panel: Panel) -> bool:
    return not bool(np.isin(panel.label, (0.0, 1.0)).all())


def _require_enough(panel: Panel, order: Order) -> None:
    """Raises AbstainedError where there is too little to say anything."""
    if _is_money(panel):
        require_history(order.history_days, order.within_days)
        require_payers(panel, order.least_of_each)
    else:
        require_enough(panel, order.least_of_each, order.history_days, order.within_days)
    if not any(np.ptp(panel.label[panel.cut_on == cut]) for cut in panel.cuts):
        raise AbstainedError("the outcome is the same of everybody at each cut-off")


def _drivers(design: Design, fitted: Fitted, spread: float) -> Iterator[Driver]:
    strongest = np.argsort(-np.abs(fitted.coefficients[: len(design.told)]), kind="stable")
    for place in strongest:
        effect = float(fitted.coefficients[place])
        yield Driver(
            feature=design.told[place],
            effect=effect,
            low=float(fitted.low[place]),
            high=float(fitted.high[place]),
            low_all=float(fitted.low_all[place]),
            high_all=float(fitted.high_all[place]),
            beta=effect / spread if spread else 0.0,
            spread=float(design.spread[place]),
            p=float(fitted.p[place]),
            p_holm=float(fitted.p_holm[place]),
            q=float(fitted.q[place]),
            stands=bool(fitted.q[place] <= ALPHA),
            inflation=float(design.inflation[place]),
            goes_with=design.nearest[place],
        )


def _out_of_time(panel: Panel, design: Design, within_days: int) -> tuple[Measure, float]:
    """The gain over the mean at the newest cut-off, told by older ones alone; the mean's error."""
    newest = int(panel.cuts[-1])
    older = panel.cut_on + within_days <= newest
    now = panel.cut_on == newest
    if not older.any():
        raise AbstainedError(f"no cut-off lies {within_days} days before the newest")
    columns = np.column_stack([design.columns[:, : len(design.told)], np.ones(len(panel))])
    line = np.linalg.lstsq(columns[older], panel.label[older], rcond=None)[0]
    came, mean = panel.label[now], float(panel.label[older].mean())
    theirs, ours = (came - mean) ** 2, (came - columns[now] @ line) ** 2
    return clustered_mean(theirs - ours, panel.person[now]), float(theirs.mean())


def _require_something(judgement: Judgement, margin: float) -> None:
    gain = judgement.gain
    if gain.low <= 0 or judgement.r_squared < margin:
        raise AbstainedError(
            f"not shown to be better than the mean: squared error lower by {gain.value:.4g}"
            f" ({gain.low:.4g} to {gain.high:.4g}) out of time, {judgement.r_squared:.1%};"
            f" needs {margin:.1%}"
        )


def _conditions(panel: Panel) -> Iterator[str]:
    """The behaviours that are so or not, and nothing between."""
    for name, column in zip(panel.features, panel.measured.T, strict=True):
        if np.isin(column[~np.isnan(column)], (0.0, 1.0)).all():
            yield name


def _words(one: Driver, is_money: bool, conditions: Set[str]) -> str:
    """A sentence about a driver: of a condition, what goes with its being so; else a deviation."""
    unit, scale = ("", 1.0) if is_money else (" percentage points", 100.0)
    what = f"{one.spread:.3g} more of {one.feature} (a standard deviation)"
    if one.feature in conditions:
        what, scale = f"{one.feature} rather than not", scale / one.spread
    way = ("more" if one.effect > 0 else "less") + (" revenue" if is_money else "")
    low, high = sorted((abs(one.low) * scale, abs(one.high) * scale))
    told = (
        f"{what}, all else equal, goes with"
        f" {abs(one.effect) * scale:.3g}{unit} {way} ({low:.3g} to {high:.3g})."
    )
    if one.inflation > COLLINEAR:
        told += f" It can hardly be told apart from {one.goes_with}."
    return told
