"""Recommendations in worlds whose truth is known: what a card states, beside people not seen.

People of six tastes buy favourites of their own again and again, and others of their taste, at
rates of their own. What is stated of the model, of both baselines and of what the model gains over
them is set beside what the very version reaches on 8,000 others, on a later day. Which part of the
items is offered depends on how many people are offered something: it is that of as many of them.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.parquet import write_columns
from stamgast_learn.predict.ranking import Measure
from stamgast_learn.predict.run import Order
from stamgast_learn.recommend.baskets import Baskets, Codes
from stamgast_learn.recommend.exclusions import Exclusions
from stamgast_learn.recommend.judged import MODEL, hits_of, rows_of
from stamgast_learn.recommend.kept import Recommender, moment_of, recommender_of
from stamgast_learn.recommend.known import bought_in
from stamgast_learn.recommend.recommender import offer
from stamgast_learn.recommend.rules import RULES, offered_by
from stamgast_learn.recommend.run import learn_run

START, DAYS, WITHIN, NUMBER = 20_000, 240, 30, 10
NOW = START + DAYS
CUTS = tuple(NOW - WITHIN * back for back in (5, 4, 3, 2, 1))
TASTES, ITEMS, FAVOURITES, FRESH, DRAWS = 6, 30, 4, 8_000, 20
FIGURES = ("recall", "ndcg", "hit_rate")
SETTINGS = {
    "of": "product",
    "number": NUMBER,
    "least_buyers": 5,
    "not_bought_within_days": 0,
    "out_of_stock": [],
    "not_categories": [],
}
ORDER = Order(
    *("next", "1", (), WITHIN, 100, 0.01, 365, True), kind="recommendation", settings=SETTINGS
)
Bought = tuple[Codes, Codes, Codes]
Random = np.random.Generator


def purchases(random: Random, people: int) -> Bought:
    """Who bought which item on which day, from the first day to a horizon beyond now."""
    many = random.poisson(random.gamma(2.0, 5.0, people) * (DAYS + WITHIN) / DAYS)
    person = np.repeat(np.arange(people), many)
    rank = np.minimum(random.geometric(0.06, (people, FAVOURITES)) - 1, ITEMS - 1)
    own = rank[person, random.integers(0, FAVOURITES, len(person))]
    other = np.minimum(random.geometric(0.06, len(person)) - 1, ITEMS - 1)
    item = np.where(random.random(len(person)) < 0.5, own, other)
    taste = random.integers(0, TASTES, people)[person]
    strays = random.random(len(person)) < 0.15
    taste = np.where(strays, random.integers(0, TASTES, len(person)), taste)
    day = START + random.integers(0, DAYS + WITHIN, len(person))
    return person, ITEMS * taste + item, day


def written(bought: Bought, people: int, path: Path) -> Path:
    """The file that a run of the model reads: what had been bought by now."""
    person, item, day = (one[bought[2] < NOW] for one in bought)
    meant = np.tile(np.arange(people), len(CUTS) + 1)
    days = np.append(np.repeat([*CUTS, NOW], people), day)
    label = np.append(np.zeros(len(CUTS) * people), np.full(people + len(person), np.nan))
    nothing = np.full(len(meant), None, dtype=object)
    columns = {
        "person_id": _names("p", np.append(meant, person)),
        "cut_on": days.astype("datetime64[D]").astype("datetime64[us]"),
        "label": label,
        "cell": np.full(len(days), None, dtype=object),
        "product": np.append(nothing, _names("i", item)),
        "category": np.append(nothing, _names("c", item // ITEMS)),
    }
    write_columns(path, columns)
    return path


def _names(kind: str, numbers: Codes) -> Any:
    return np.array([f"{kind}{number:05}" for number in numbers], dtype=object)


def stated(random: Random, people: int) -> tuple[Mapping[str, Any], Recommender] | None:
    """What a card says of a version, and the version; None of one that is not used."""
    with TemporaryDirectory() as folder:
        path = written(purchases(random, people), people, Path(folder) / "panel.parquet")
        outcome, made = learn_run(ORDER, path, None)
    return None if made is None else (outcome.report["judgement"], recommender_of(made))


def fresh(random: Random, told: Recommender) -> Baskets:
    """Others, with what they bought of the version's items before now and after it."""
    person, item, day = purchases(random, FRESH)
    names = _names("i", np.arange(TASTES * ITEMS))
    place = np.minimum(np.searchsorted(told.items, names), len(told.items) - 1)
    code = np.where(told.items[place] == names, place, -1)[item]
    rows = np.unique(np.column_stack([person, code, day])[code >= 0], axis=0)
    everybody = np.arange(FRESH)
    return Baskets(
        people=_names("p", everybody),
        items=told.items,
        categories=told.categories,
        **dict(zip(("person", "item", "day"), rows.T, strict=True)),
        meant=everybody,
        cut_on=np.full(FRESH, NOW),
        cell=np.full(FRESH, "", dtype=object),
        is_scored=np.ones(FRESH, np.bool_),
    )


def reached(told: Recommender, others: Baskets) -> tuple[dict[str, Codes], Any, dict[str, Floats]]:
    """What each way offers everybody, what came of it, and recall, nDCG and hits of buyers."""
    moment = moment_of(told, others, NOW)
    out = Exclusions(np.zeros(len(told.items), np.bool_), 0)
    came = bought_in(others, NOW, NOW + WITHIN).multiply(told.offered).tocsr()
    came.eliminate_zeros()
    offers = {MODEL: offer(moment, told.weights, out, NUMBER).item}
    offers |= {name: offered_by(rule, moment, out, NUMBER) for name, rule in RULES.items()}
    bought = np.asarray(came.sum(axis=1)).ravel() > 0
    return offers, came, {name: rows_of(one[bought], came[bought]) for name, one in offers.items()}


def recommendation(random: Random, people: int) -> dict[str, tuple[Measure, float]]:
    """Each figure as a card states it, and as it is of people nobody has seen."""
    made = stated(random, people)
    if made is None:
        return {}
    judgement, told = made
    offers, came, rows = reached(told, fresh(random, told))
    pairs = dict(_figures(judgement, rows))
    share = float(hits_of(offers[MODEL], came).mean())
    pairs["share of offers bought"] = Measure(**judgement["observed"]), share
    for name in (MODEL, "repurchase"):
        covered = Measure(**judgement["figures"][name]["coverage"])
        reach = _covered(random, offers[name], people) / int(told.offered.sum())
        pairs[f"coverage, {name}"] = covered, reach
    return pairs


def _figures(judgement: Mapping[str, Any], rows: Mapping[str, Floats]) -> Any:
    for way, told in rows.items():
        for place, name in enumerate(FIGURES):
            measure = Measure(**judgement["figures"][way][name])
            yield f"{name}, {way}", (measure, float(told[:, place].mean()))
    for way, gain in judgement["gains"].items():
        more = rows[MODEL][:, 1].mean() - rows[way][:, 1].mean()
        yield f"nDCG above {way}", (Measure(**gain), float(more))


def _covered(random: Random, offered: Codes, people: int) -> float:
    """How many items so many people are offered, on average."""
    drawn = (offered[random.choice(len(offered), people, replace=False)] for _ in range(DRAWS))
    return float(np.mean([len(np.unique(one[one >= 0])) for one in drawn]))
