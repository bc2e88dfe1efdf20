"""Lifetime values of a panel, beside trees and rules of thumb, judged by money that came later."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.faults import AbstainedError
from stamgast_learn.lifetime import bg_nbd, gamma_gamma
from stamgast_learn.lifetime.bg_nbd import BgNbd
from stamgast_learn.lifetime.forecast import forecast, value_interval
from stamgast_learn.lifetime.gamma_gamma import GammaGamma
from stamgast_learn.lifetime.histories import Histories
from stamgast_learn.lifetime.levels import Levels, levels_of
from stamgast_learn.predict.alone import half_of
from stamgast_learn.predict.estimate import Estimate, binnable, loaded
from stamgast_learn.predict.folds import folds
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.ranking import Measure, clustered_mean, ratio
from stamgast_learn.progress import counted
from stamgast_learn.reliability import wilson

SEED = 20_050_401
LEVEL = 0.9
CHOSEN = ("bg_nbd", "trees")
RULES = ("same_pace", "mean_customer")
PARTS = 10
LEAST_CUSTOMERS = 200
MOST_FOR_COVERAGE = 20_000
DEPENDENT = 0.3
"""A correlation of spend with frequency beyond this is told on the card (Fader & Hardie, 2013)."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Both models of one population, in days and in the currency's major units."""

    buying: BgNbd
    spending: GammaGamma

    def value(self, of: Histories, within_days: int) -> Floats:
        """The money expected of each customer."""
        return forecast(self.buying, self.spending, of, within_days).value


@dataclass(frozen=True, slots=True)
class Errors:
    """How far amounts lie from what came, a customer and in all; money in major units.

    `total_ratio` is what was stated in all over what came; None where nothing came.
    """

    mae: Measure
    rmse: Measure
    total_ratio: Measure | None


@dataclass(frozen=True, slots=True)
class Part:
    """Customers of whom alike amounts are stated: the mean of these, and of what came."""

    people: int
    stated: float
    came: Measure


@dataclass(frozen=True, slots=True)
class Judgement:
    """Each subject's errors; by how much the chosen one's are smaller; how true intervals are.

    `curve` is what was stated beside what came, by tenths of what was stated; `levels` are the
    bounds of trees, where these are chosen.
    """

    customers: int
    chosen: str
    errors: Mapping[str, Errors]
    gains: Mapping[str, Measure]
    coverage: Measure
    level: float
    correlation: float
    curve: tuple[Part, ...]
    levels: Levels | None

    def to_json(self) -> dict[str, Any]:
        """The judgement as plain data."""
        return asdict(self)


def fit(of: Histories) -> Fitted:
    """Both models; raises AbstainedError where either cannot be fitted."""
    return Fitted(bg_nbd.fit(of)[0], gamma_gamma.fit(of)[0])


def judge(panel: Panel, within_days: int, margin: float) -> Judgement:
    """BG/NBD with Gamma-Gamma, trees and rules of thumb at the newest cut-off.

    All of them know the older cut-offs, and the newest one's histories, alone. Trees are chosen
    only if they are better beyond chance and by the margin.
    """
    newest = newest_of(panel)
    older = panel.at(panel.cut_on + within_days <= panel.cuts[-1])
    of = newest.known
    if len(newest) < LEAST_CUSTOMERS:
        raise AbstainedError(f"{len(newest)} customers; needs {LEAST_CUSTOMERS}")
    fitted = fit(of)
    stated = {"bg_nbd": fitted.value(of, within_days), **_rules(older, newest, within_days)}
    if len(older) and len(newest.features):
        stated["trees"] = _held_out(older, newest)
    chosen = _chosen(stated, newest, margin)
    gains = {
        name: _gain(stated[chosen], one, newest) for name, one in stated.items() if name != chosen
    }
    return Judgement(
        customers=len(newest),
        chosen=chosen,
        errors={name: _errors(one, newest) for name, one in stated.items()},
        gains=gains,
        coverage=(
            _coverage_of_levels(stated[chosen], newest)
            if chosen == CHOSEN[1]
            else _coverage(fitted, newest, within_days)
        ),
        level=LEVEL,
        correlation=gamma_gamma.correlation(of),
        curve=tuple(_curve(stated[chosen], newest)),
        levels=levels_of(stated[chosen], newest.label, LEVEL) if chosen == CHOSEN[1] else None,
    )


def _held_out(older: Panel, newest: Panel) -> Floats:
    """What trees say of people of whom they have not learnt."""
    told = np.zeros(len(newest))
    for held in counted("parts of people foretold", list(folds(newest.person))):
        others = older.at(~np.isin(older.person, newest.person[held]))
        told[held] = fit_trees(others)(newest.at(held)) if len(others) else older.label.mean()
    return told


def _rules(older: Panel, newest: Panel, within_days: int) -> dict[str, Floats]:
    """What needs no model: as much a day as ever since, and what the mean customer spent."""
    of = newest.known
    spent = 0.0 if of.mean_spend is None else of.mean_spend
    told = {"same_pace": of.repeats * spent / np.maximum(of.age, 1) * within_days}
    if len(older):
        told["mean_customer"] = np.full(len(newest), float(older.label.mean()))
    return told


def newest_of(panel: Panel) -> Panel:
    """The rows of the newest cut-off."""
    return panel.at(panel.cut_on == panel.cuts[-1])


@dataclass(frozen=True, slots=True)
class Values:
    """Boosted trees of money, over features that it takes by name."""

    features: tuple[str, ...]
    estimator: Any

    def __call__(self, panel: Panel) -> Floats:
        """The money that each row's features tell of."""
        told: Floats = np.maximum(self.estimator.predict(self.chosen(panel)), 0.0)
        return told

    def chosen(self, panel: Panel) -> Floats:
        """Its own features of a panel."""
        places = [panel.features.index(name) for name in self.features]
        told: Floats = panel.measured[:, places]
        return told

    def dumped(self) -> bytes:
        """The trees as data."""
        return Estimate(self.estimator).dumped()

    @classmethod
    def of(cls, told: bytes, features: tuple[str, ...]) -> "Values":
        """The trees that `dumped` told."""
        return cls(features, loaded(told).estimator)


def fit_trees(older: Panel) -> Values:
    """Boosted trees of the mean of the money that came after older cut-offs.

    The median, which has the smallest absolute error, is nothing for most customers: no value.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    trees = HistGradientBoostingRegressor(
        learning_rate=0.06,
        max_iter=120,
        max_leaf_nodes=15,
        min_samples_leaf=40,
        early_stopping=False,
        random_state=SEED,
    )
    trees.fit(binnable(older.measured), older.label)
    return Values(older.features, trees)


def _chosen(stated: Mapping[str, Floats], newest: Panel, margin: float) -> str:
    if "trees" not in stated:
        return CHOSEN[0]
    gain = _gain(stated["trees"], stated["bg_nbd"], newest)
    needed = margin * _errors(stated["bg_nbd"], newest).mae.value
    return CHOSEN[1] if gain.low > 0 and gain.value >= needed else CHOSEN[0]


def _gain(ours: Floats, theirs: Floats, newest: Panel) -> Measure:
    """By how much the absolute error of ours is smaller, a customer."""
    errors = np.abs(theirs - newest.label) - np.abs(ours - newest.label)
    return clustered_mean(errors, newest.person)


def require_better(judgement: Judgement, margin: float) -> None:
    """Raises AbstainedError where the chosen is not better than every rule of thumb beyond chance,
    and by the margin."""
    for name in (one for one in RULES if one in judgement.gains):
        told, theirs = judgement.gains[name], judgement.errors[name].mae.value
        if told.low <= 0 or told.value < margin * theirs:
            raise AbstainedError(
                f"not shown to be better than {name.replace('_', ' ')}: absolute error lower by"
                f" {told.value:.2f} ({told.low:.2f} to {told.high:.2f}) of {theirs:.2f} a customer;"
                f" needs {margin:.1%}"
            )


def _curve(stated: Floats, newest: Panel) -> Iterator[Part]:
    order = np.argsort(stated, kind="stable")
    for part in np.array_split(order, min(PARTS, len(order))):
        came = clustered_mean(newest.label[part], newest.person[part])
        yield Part(len(part), float(stated[part].mean()), came)


def _errors(stated: Floats, newest: Panel) -> Errors:
    off, person = stated - newest.label, newest.person
    return Errors(
        clustered_mean(np.abs(off), person),
        _root(clustered_mean(off**2, person)),
        _ratio(stated, newest),
    )


def _root(square: Measure) -> Measure:
    low, high = max(0.0, square.low), square.high
    return Measure(float(np.sqrt(square.value)), float(np.sqrt(low)), float(np.sqrt(high)))


def _ratio(stated: Floats, newest: Panel) -> Measure | None:
    return ratio(stated, newest.label, newest.person) if newest.label.sum() else None


def _coverage_of_levels(stated: Floats, newest: Panel) -> Measure:
    """How many customers' money lies within the bounds that the other half of them gives."""
    held, half = 0, half_of(newest.person)
    for rows in (half, ~half):
        told = levels_of(stated[~rows], newest.label[~rows], LEVEL).interval(stated[rows])
        came = newest.label[rows]
        held += int(((told.low <= came) & (came <= told.high)).sum())
    return Measure(held / len(newest), *wilson(held, len(newest)))


def _coverage(fitted: Fitted, newest: Panel, within_days: int) -> Measure:
    """How many customers' money lies within the stated interval; of the first 20,000."""
    rows = np.arange(min(len(newest), MOST_FOR_COVERAGE))
    of, came = newest.known.at(rows), newest.label[rows]
    told = value_interval(fitted.buying, fitted.spending, of, within_days, LEVEL, SEED)
    held = int(((told.low <= came) & (came <= told.high)).sum())
    return Measure(held / len(rows), *wilson(held, len(rows)))
