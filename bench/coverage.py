"""Coverage: how often what a card states with an interval is true, in worlds whose truth is known.

    python bench/coverage.py [--worlds 15] [--first 0] [--people 3000] [--of propensity] [--curve]
        [--json]

Propensity, churn and look-alike: the precision of the best tenth and the area, as they are stated,
beside those of the very version on 20,000 people that nobody has seen, on a later day, whose odds
are known. Habits of these worlds differ more than their features tell. Uplift: the Qini stated
beside that of the learner on 40,000 others. Lifetime values: customers whose money lay within their
own interval. Shares on discount: true ones within their bounds, and how much of what came the card
says was. Recommendations: `bench/coverage_offers.py`; clusters:
`bench/coverage_clusters.py`. Elasticity and drivers: slopes whose truth
was set, of many cheap worlds. `nominal` is what an interval says of itself, `seen` how often it
held, with the 95 % that so few worlds leave open; `kept` how often the truth was not below its
lower end, which is what is promised; `mean` is by how much what was stated lies above the truth, on
average. Worlds are numbered; `--first` says with which to begin, so that many can be asked a part
at a time. `--curve` adds every other point of reach against precision, and all of them together:
points of one world are of the same people, so the interval beside these counts worlds and not
points.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.coverage_clusters import clusters
from bench.coverage_offers import recommendation
from stamgast_learn.calibration import Floats
from stamgast_learn.discount.elasticity import elasticity
from stamgast_learn.discount.lines import People, Weeks
from stamgast_learn.discount.shares import fit as fit_shares
from stamgast_learn.drivers.regression import regress
from stamgast_learn.lifetime.forecast import value_interval
from stamgast_learn.lifetime.histories import Histories
from stamgast_learn.lifetime.judged import fit as fit_values
from stamgast_learn.parquet import write_columns
from stamgast_learn.predict.judgement import judge
from stamgast_learn.predict.newest import newest
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.predictor import Predictor, learn
from stamgast_learn.predict.ranking import Measure, Ranking
from stamgast_learn.predict.resemblance import resemble
from stamgast_learn.predict.run import Order
from stamgast_learn.reliability import wilson
from stamgast_learn.uplift.judged import judge as judge_uplift
from stamgast_learn.uplift.learners import effects_of
from stamgast_learn.uplift.run import X_LEARNER
from stamgast_learn.uplift.run import learn_run as learn_uplift

FEATURES = ("rfm_r", "rfm_f", "rfm_m", "since", "joined", "noise")
WITHIN, CUTS, FRESH, TENTH, CHEAP = 30, 5, 20_000, 3, 10
UNITS = (0.7, 2.0, 20.0)
LATER = range(1, 4)
ORDERS = ((range(1, 5), 1), (range(1, 40), 1), (range(3, 8), 6))
SLOPE, EFFECTS = -1.5, np.array([2.0, -1.0, 0.0])
BUYS, LEAVES, SPENDS = (0.8, 10.0), (0.8, 2.5), (6.0, 4.0, 60.0)
Random = np.random.Generator
Held = tuple[bool, bool, float]


def panel(
    random: Random, people: int, cuts: int, *, is_silence: bool = False
) -> tuple[Panel, Floats]:
    """People at cut-offs: a habit of their own that lasts, and features that tell a part of it.

    And the probability of each row's outcome, which nobody who learns of it knows.
    """
    habit, joined = random.normal(0, 1.2, people), random.uniform(100, 900, people)
    of, cut = np.tile(np.arange(people), cuts), np.repeat(np.arange(cuts), people)
    size = people * cuts
    scores = [np.clip(np.round(3 + habit[of] + random.normal(0, 1.5, size)), 1, 5) for _ in "rf"]
    since, money = random.gamma(2.0, 20.0, size), random.integers(1, 6, size).astype(np.float64)
    both = np.where((since < 30) == (scores[1] > 3), 0.7, -0.7)
    odds = -1.6 + 0.9 * habit[of] + 0.3 * (scores[0] - 3) + both
    truth = 1 / (1 + np.exp(odds if is_silence else -odds))
    measured = np.column_stack(
        [*scores, money, since, joined[of] + 30 * cut, random.normal(size=size)]
    )
    label = (random.random(size) < truth).astype(np.float64)
    return Panel(of, 20_000 + WITHIN * cut, label, measured, FEATURES), truth


def ranked(stated: Ranking, predictor: Predictor, fresh: tuple[Panel, Floats]) -> dict[str, Held]:
    """Whether the precision of the best tenth and the area are those of people nobody has seen."""
    seen, chance = fresh
    raw = predictor.estimate.scores(predictor.chosen(seen))
    ordered = np.cumsum(chance[np.argsort(-raw, kind="stable")])
    told = {"area": held(stated.auc, area(raw, chance))}
    for place, one in enumerate(stated.reach[:-1]):
        people = max(1, round(one.share * len(seen)))
        right, tenth = float(ordered[people - 1]), place == TENTH
        name = "the best tenth" if tenth else f"the best {one.share:.0%}"
        told[f"precision of {name}"] = held(one.precision, right / people)
        told[f"recall of {name}"] = held(one.recall, right / float(ordered[-1]))
    return told


def area(scores: Floats, chance: Floats) -> float:
    """The area to be expected of people with these probabilities; ties count half."""
    _, of = np.unique(-scores, return_inverse=True)
    came, not_come = np.bincount(of, chance), np.bincount(of, 1 - chance)
    below = not_come.sum() - np.cumsum(not_come) + not_come / 2
    return float((came * below).sum() / (came.sum() * not_come.sum()))


def held(stated: Measure, truth: float) -> Held:
    """Whether an interval holds the truth, whether its lower end does, and value less truth."""
    return stated.low <= truth <= stated.high, stated.low <= truth, stated.value - truth


def propensity(random: Random, people: int, *, is_silence: bool = False) -> dict[str, Held]:
    """Figures of the newest cut-off, beside the version that would be used."""
    told, _ = panel(random, people, CUTS, is_silence=is_silence)
    stated = judge(newest(told, WITHIN)).ranking
    fresh = panel(random, FRESH, 1, is_silence=is_silence)
    return ranked(stated, learn(told), fresh)


def look_alike(random: Random, people: int) -> dict[str, Held]:
    """Figures of people held out, beside the version that would be used."""
    predictor, tested, _ = resemble(panel(random, 2 * people, 1)[0])
    return ranked(judge(tested).ranking, predictor, panel(random, FRESH, 1))


def trial(random: Random, people: int) -> dict[str, Any]:
    """An experiment in which those with `a` above 0 are moved."""
    measured = random.normal(size=(people, 3))
    treated = random.random(people) < 0.5
    odds = 0.3 + 0.08 * np.clip(measured[:, 1], -1, 1) + 0.2 * (treated & (measured[:, 0] > 0))
    return {
        "person_id": np.array([f"p{n}" for n in range(people)], dtype=object),
        "cut_on": np.full(people, np.datetime64("2026-03-01", "us")),
        "label": (random.random(people) < odds).astype(np.float64),
        "arm": treated.astype(np.float64),
        **{f"f{place}": measured[:, place] for place in range(3)},
    }


def uplift(random: Random, people: int) -> dict[str, Held]:
    """The Qini of people held out, beside that of the learner on others."""
    order = Order(
        *("moved", "1", ("a", "b", "c"), WITHIN, 100, 0.01, 365, True),
        kind="uplift",
        settings={"treated_share": 0.5},
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "panel.parquet"
        write_columns(path, trial(random, 2 * people))
        outcome, made = learn_uplift(order, path, None)
    if made is None:
        return {}
    fresh = trial(random, 2 * FRESH)
    stated = effects_of(made).uplift(np.column_stack([fresh[f"f{n}"] for n in range(3)]))
    arm, others = fresh["arm"] == 1, np.arange(2 * FRESH)
    truth = judge_uplift({X_LEARNER: stated}, fresh["label"], arm, others)
    qini = outcome.report["judgement"]["orders"][X_LEARNER]["qini"]
    return {"Qini": held(Measure(**qini), truth["orders"][X_LEARNER]["qini"]["value"])}


def customers(random: Random, count: int, within: float) -> tuple[Histories, Floats]:
    """Customers of BG/NBD and Gamma-Gamma, and the money of each after the cut-off."""
    rows = [_customer(random, within) for _ in range(count)]
    x, recency, age, mean, value = (np.array(column) for column in zip(*rows, strict=True))
    return Histories(x.astype(np.int64), recency, age, mean), value


def _customer(random: Random, within: float) -> tuple[float, ...]:
    age, rate = random.uniform(20, 52), max(random.gamma(BUYS[0], 1 / BUYS[1]), 1e-9)
    leaves, scale = random.beta(*LEAVES), 1 / random.gamma(SPENDS[1], 1 / SPENDS[2])
    at, days, spent = 0.0, [], []
    while (at := at + random.exponential(1 / rate)) <= age + within:
        days.append(at)
        spent.append(random.gamma(SPENDS[0], scale))
        if random.random() < leaves:
            break
    repeats = sum(day <= age for day in days)
    mean = float(np.mean(spent[:repeats])) if repeats else 0.0
    return repeats, days[repeats - 1] if repeats else 0.0, age, mean, sum(spent[repeats:])


def lifetime(random: Random, people: int) -> tuple[int, int, float]:
    """How many customers' money lay within their interval, of how many; stated over what came."""
    of, came = customers(random, people, 13.0)
    fitted = fit_values(of)
    told = value_interval(fitted.buying, fitted.spending, of, 13, 0.9, 1)
    ratio = float(fitted.value(of, 13).sum() / came.sum())
    return int(((told.low <= came) & (came <= told.high)).sum()), people, ratio - 1


def prices(random: Random, units: float, products: int = 40, many: int = 40) -> Held:
    """Weeks of products in which any were sold: what sells well is dear, and so are some weeks."""
    product, week = np.repeat(np.arange(products), many), np.tile(np.arange(many), products)
    level, season = random.normal(0, 0.7, products), random.normal(0, 0.2, many)
    usual, is_on_offer = 0.5 * level[product] + 0.3 * season[week], random.random(len(week)) < 0.2
    price = usual - is_on_offer * random.uniform(0.1, 0.4, len(week))
    expected = np.log(units) + level[product] + season[week] + SLOPE * (price - usual)
    sold = random.poisson(np.exp(expected)).astype(np.float64)
    seen = sold > 0
    weeks = Weeks(product[seen], week[seen], sold[seen], price[seen])
    return held(elasticity(weeks).elasticity, SLOPE)


def shares(random: Random, people: int, orders: range, size: int) -> tuple[Floats, Floats]:
    """Whose true share of discounted lines the bounds hold, and how much of what came a card says
    they held: one to three orders, each of so many lines that are discounted together."""
    share = random.beta(2.0, 3.0, people)
    before, after = (random.integers(one.start, one.stop, people) for one in (orders, LATER))
    on, came = (random.binomial(many, share) for many in (before, after))
    squares = on * (1 - on / before) ** 2 + (before - on) * (on / before) ** 2
    expected = on * (before - on) / before
    told = [size * one.astype(np.float64) for one in (before, on, after, came, size * squares)]
    bought = People(np.arange(people), *told, size * expected)
    fitted = fit_shares(bought.lines, bought.discounted, bought.design_effect)
    low, high = fitted.bounds(bought.lines, bought.discounted)
    held_by_card = fitted.coverage(*told[:4])
    return np.where((low <= share) & (share <= high), 1.0, 0.0), held_by_card


def driver(random: Random, people: int = 150, each: int = 3) -> Held:
    """An outcome whose noise grows with the behaviour, of people seen several times."""
    measured = random.normal(size=(people, len(EFFECTS))).repeat(each, axis=0)
    noise = random.normal(size=people).repeat(each) * (0.5 + 2.0 * measured[:, 0] ** 2)
    columns = np.column_stack([measured, np.ones(len(measured))])
    who = np.repeat(np.arange(people), each)
    told = regress(columns, measured @ EFFECTS + noise, who, len(EFFECTS))
    value, low, high = (float(one[0]) for one in (told.coefficients, told.low, told.high))
    return held(Measure(value, low, high), float(EFFECTS[0]))


def figures(
    worlds: range, people: int, kinds: Sequence[str], *, is_curve: bool
) -> Iterator[dict[str, Any]]:
    """A row a figure, as soon as it is known."""
    for place, (kind, run) in enumerate(RANKED.items()):
        if kind not in kinds:
            continue
        told = [run(np.random.default_rng((seed, place)), people) for seed in worlds]
        names = dict.fromkeys(name for one in told for name in one)
        for name in names if is_curve else [name for name in names if name in STATED]:
            yield row(kind, name, [one[name] for one in told if name in one])
        for of in ("precision", "recall") if is_curve else ():
            yield of_curve(kind, of, told)
    for kind in WHOLE:
        yield from of_worlds(kind, worlds, people) if kind in kinds else ()
    yield from of_shares(worlds, people) if SHARES in kinds else ()
    if OTHERS not in kinds:
        return
    values = [lifetime(np.random.default_rng((seed, 8)), people) for seed in worlds]
    yield of_customers(values)
    many = range(CHEAP * worlds.start, CHEAP * worlds.stop)
    for units in UNITS:
        told = [prices(np.random.default_rng((n, 9)), units) for n in many]
        yield row("discount", f"elasticity, {units:g} units a week", told)
    yield row("drivers", "effect", [driver(np.random.default_rng((n, 10))) for n in many])


RANKED: dict[str, Callable[[Random, int], dict[str, Held]]] = {
    "propensity": propensity,
    "churn": lambda random, of: propensity(random, of, is_silence=True),
    "look_alike": look_alike,
    "uplift": uplift,
}
OTHERS, SHARES = "others", "shares"
WHOLE = {"recommendation": recommendation, "clusters": clusters}
STATED = ("precision of the best tenth", "area", "Qini")


def row(kind: str, name: str, told: list[Held]) -> dict[str, Any]:
    """How often intervals of 95 % held."""
    right, kept = sum(one[0] for one in told), sum(one[1] for one in told)
    off = float(np.mean([one[2] for one in told])) if told else 0.0
    return _row(kind, name, 0.95, right, len(told), off) | {"kept": kept / max(len(told), 1)}


def of_curve(kind: str, of: str, told: list[dict[str, Held]]) -> dict[str, Any]:
    """How often the intervals of all points held; how surely that is known, as worlds are."""
    points = [[one for name, one in world.items() if name.startswith(of)] for world in told]
    every = [one for world in points for one in world]
    right = sum(one[0] for one in every) / len(every)
    made = row(kind, f"{of} at every share", every)
    low, high = wilson(right * len(told), len(told))
    return made | {"low": low, "high": high}


def of_customers(told: list[tuple[int, int, float]]) -> dict[str, Any]:
    """How often intervals of 90 % of single customers held."""
    right, of = (int(sum(one[place] for one in told)) for place in (0, 1))
    off = float(np.mean([one[2] for one in told]))
    return _row("lifetime_value", "money of a customer", 0.9, right, of, off)


def of_worlds(kind: str, worlds: range, people: int) -> Iterator[dict[str, Any]]:
    """How often intervals of 95 % held what offers reach, or how well clusters agree."""
    found = [WHOLE[kind](np.random.default_rng((seed, 12)), people) for seed in worlds]
    for name in dict.fromkeys(name for one in found for name in one):
        yield row(kind, name, [held(*one[name]) for one in found if name in one])


def of_shares(worlds: range, people: int) -> Iterator[dict[str, Any]]:
    """How often bounds of 90 % held true shares, and what the cards say of that."""
    for orders, size in ORDERS:
        told = [shares(np.random.default_rng((n, 11)), people, orders, size) for n in worlds]
        true, said = (np.concatenate(part) for part in zip(*told, strict=True))
        name = f"{orders.start} to {orders.stop - 1} orders of {size} lines"
        off = float(said.mean() - true.mean())
        yield _row("discount", f"share, {name}", 0.9, float(true.sum()), len(true), off)
        yield _row("discount", f"said of it, {name}", 0.9, float(said.sum()), len(said), off)


def _row(kind: str, name: str, nominal: float, right: float, of: int, off: float) -> dict[str, Any]:
    low, high = wilson(right, of)
    told = {"kind": kind, "figure": name, "nominal": nominal, "held": right, "of": of}
    return told | {"seen": right / of, "low": low, "high": high, "mean": off}


def main() -> None:
    """Prints a row a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=15)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--people", type=int, default=3_000)
    kinds = [*RANKED, SHARES, *WHOLE, OTHERS]
    parser.add_argument("--of", nargs="+", choices=kinds, default=kinds)
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    worlds = range(asked.first, asked.first + asked.worlds)
    for one in figures(worlds, asked.people, asked.of, is_curve=asked.curve):
        text = (
            f"{one['kind']:15} {one['figure']:28} nominal {one['nominal']:.0%}  seen"
            f" {one['seen']:6.1%} ({one['low']:.1%} to {one['high']:.1%}) of {one['of']:,}"
            f"  kept {one.get('kept', one['seen']):.0%}  mean {one['mean']:+.4f}"
        )
        print(json.dumps(one) if asked.json else text, flush=True)


if __name__ == "__main__":
    main()
