"""A run of one declared recommendation: a panel in; a version, its report and offers out."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import Column, write_columns
from stamgast_learn.predict.honesty import require_history, uncompared
from stamgast_learn.predict.run import Order, Outcome
from stamgast_learn.predict.scores import bands, percentiles
from stamgast_learn.progress import counted
from stamgast_learn.recommend.baskets import Baskets, read_baskets
from stamgast_learn.recommend.exclusions import Exclusions, exclusions_of
from stamgast_learn.recommend.judged import MODEL, Judgement, Tried, coverage, judge, sureness
from stamgast_learn.recommend.kept import Recommender, moment_of, recommender_of
from stamgast_learn.recommend.known import bought_in
from stamgast_learn.recommend.recommender import (
    BECAUSE,
    Lessons,
    Moment,
    Offered,
    Weights,
    lessons,
    moment_at,
    offer,
    teach,
)
from stamgast_learn.recommend.rules import RULES, offered_by

CHAMPION = "version_in_use"
LEAST_OF_LATE = 30
MOST_TAUGHT_OF = 3
"""Of how many older cut-offs the weights are learnt."""


def learn_run(order: Order, panel: Path, champion: bytes | None) -> tuple[Outcome, bytes | None]:
    """Trains and judges a version if asked; answers the outcome and the model to use, if any."""
    if not order.is_training:
        return Outcome(order.version, False, champion is not None, None, {}), champion
    baskets = read_baskets(panel, order.settings)
    report: dict[str, Any] = _counted(baskets)
    in_use = None if champion is None else recommender_of(champion)
    try:
        made = _made(order, baskets, report, in_use)
    except AbstainedError as error:
        return Outcome(order.version, True, False, str(error), report), champion
    return Outcome(order.version, True, True, None, report), made.dumped()


def _counted(baskets: Baskets) -> dict[str, Any]:
    return {
        "people": len(np.unique(baskets.meant)),
        "items": len(baskets.items),
        "purchases": len(baskets.day),
        "cuts": [str(np.datetime64(int(cut), "D")) for cut in baskets.cuts],
    }


def _made(
    order: Order, baskets: Baskets, report: dict[str, Any], in_use: Recommender | None
) -> Recommender:
    require_history(order.history_days, order.within_days)
    if not len(baskets.items):
        raise AbstainedError("no order names a product")
    out = exclusions_of(order.settings, baskets)
    moments = {int(cut): _moment(order, baskets, int(cut)) for cut in baskets.cuts}
    taught = {cut: lessons(baskets, one, order.within_days, out) for cut, one in moments.items()}
    judgement = judge(_tried(order, baskets, moments, taught, in_use))
    report["judgement"] = judgement.to_json()
    _require_better(judgement, order.margin)
    if in_use is not None and in_use.learnt_until + order.within_days > int(baskets.cuts[-1]):
        report["uncompared"] = uncompared(in_use.learnt_until, order.within_days)
    weights = teach(list(taught.values())[-MOST_TAUGHT_OF:])
    now = _now(order, baskets)
    learnt_until = int(baskets.cuts[-1])
    return Recommender(
        *(baskets.items, baskets.categories, now.known.offered, now.learnt, weights, learnt_until)
    )


def _moment(order: Order, baskets: Baskets, cut: int, *, is_scored: bool = False) -> Moment:
    people, cell = baskets.meant_at(cut, is_scored=is_scored)
    least = order.settings["least_buyers"]
    return moment_at(baskets, cut, people, cell, order.within_days, least)


def _now(order: Order, baskets: Baskets) -> Moment:
    """What items are like now; without anybody to score, at the newest cut-off."""
    scored = baskets.cut_on[baskets.is_scored]
    if len(scored):
        return _moment(order, baskets, int(scored[0]), is_scored=True)
    return _moment(order, baskets, int(baskets.cuts[-1]))


def _tried(
    order: Order,
    baskets: Baskets,
    moments: dict[int, Moment],
    taught: dict[int, Lessons],
    in_use: Recommender | None,
) -> list[Tried]:
    """Each cut-off with an older one behind it, offered by weights of those older ones."""
    parts, out = [], exclusions_of(order.settings, baskets)
    for cut, moment in counted("past cut-offs foretold", list(moments.items())):
        older = [one for was, one in taught.items() if was + order.within_days <= cut]
        if older and _is_enough(order, moment):
            weights = teach(older[-MOST_TAUGHT_OF:])
            ways = {MODEL: weights}
            if in_use is not None and cut >= in_use.learnt_until + order.within_days:
                ways[CHAMPION] = in_use.weights
            parts.append(_at(order, baskets, moment, out, ways))
    _require_buyers(parts, order.least_of_each)
    return [one for one in parts if len(one.person)]


def _require_buyers(parts: list[Tried], least: int) -> None:
    """Raises AbstainedError unless enough people bought anything, and enough of late."""
    if not parts:
        raise AbstainedError(
            "no cut-off has an older one a horizon before it and more items than are offered"
        )
    people, of_late = len(np.unique(np.concatenate([p.person for p in parts]))), parts[-1].person
    for found, needed, which in ((people, least, "a"), (len(of_late), LEAST_OF_LATE, "the newest")):
        if found < needed:
            raise AbstainedError(
                f"{found} people bought anything after {which} cut-off; needs {needed}"
            )


def _is_enough(order: Order, moment: Moment) -> bool:
    """Whether there is more to choose from than is offered."""
    return bool(moment.known.offered.sum() > order.settings["number"])


def _at(
    order: Order, baskets: Baskets, moment: Moment, out: Exclusions, ways: dict[str, Weights]
) -> Tried:
    """Offers to those who bought something that they might have been offered."""
    cut, number = moment.known.cut, order.settings["number"]
    came = bought_in(baskets, cut, cut + order.within_days)[moment.people]
    came = came.multiply(~(out.items | ~moment.known.offered)).tocsr()
    came = _without_excluded(came, moment, out)
    made = {name: offer(moment, weights, out, number) for name, weights in ways.items()}
    offers = {name: one.item for name, one in made.items()}
    offers |= {name: offered_by(rule, moment, out, number) for name, rule in RULES.items()}
    bought = np.asarray(came.sum(axis=1)).ravel() > 0
    catalogue = int((moment.known.offered & ~out.items).sum())
    return Tried(
        cut_on=cut,
        person=moment.people[bought],
        came=came[bought],
        offers={name: one[bought] for name, one in offers.items()},
        sureness=sureness(moment.people, offers[MODEL], made[MODEL].odds, came),
        catalogue=catalogue,
        covered={name: coverage(one, moment.people, catalogue) for name, one in offers.items()},
    )


def _without_excluded(came: Any, moment: Moment, out: Exclusions) -> Any:
    """What was bought, without what one had bought just before, where that is not offered."""
    if out.not_bought_within_days:
        known = moment.known
        recent = known.last >= known.cut - out.not_bought_within_days
        had = known.matrix(recent.astype(np.float64))[moment.people]
        came = (came - came.multiply(had > 0)).tocsr()
    came.eliminate_zeros()
    return came


def _require_better(judgement: Judgement, margin: float) -> None:
    for name, gain in judgement.gains.items():
        if gain.low <= 0 or judgement.shares[name] < margin:
            raise AbstainedError(
                f"not shown to be better than {name.replace('_', ' ')}: nDCG@{judgement.number}"
                f" higher by {gain.value:.4f} ({gain.low:.4f} to {gain.high:.4f}),"
                f" {judgement.shares[name]:.1%}; needs {margin:.1%}"
            )


def score_run(order: Order, model: bytes, panel: Path, scores: Path) -> dict[str, Any]:
    """Offers to everybody who is to be scored, into file `scores`; answers figures."""
    # Of a part of the people, few may have bought what the model knows well.
    baskets = read_baskets(panel, {**order.settings, "least_buyers": 1})
    told = recommender_of(model)
    cut = int(baskets.cut_on[baskets.is_scored].max(initial=0))
    moment = moment_of(told, baskets, cut)
    out = exclusions_of(order.settings, _of_items(baskets, told))
    made = offer(moment, told.weights, out, order.settings["number"])
    best = made.odds[:, 0] if len(made.odds) else np.zeros(0)
    value = np.maximum(best, 0.0)
    percentile = percentiles(value)
    columns = {"value": value, "percentile": percentile, "band": bands(percentile)}
    people = baskets.people[moment.people]
    write_columns(scores, {"person_id": people, **columns, "reasons": _told(told, made)})
    mean = float(value.mean()) if len(value) else None
    return {"scored": len(people), "mean": mean, "most_offered": _most_offered(told, made)}


def _of_items(baskets: Baskets, told: Recommender) -> Any:
    """The purchases with the items of the model, which is all that exclusions look at."""
    return replace(baskets, items=told.items, categories=told.categories)


def _told(told: Recommender, made: Offered) -> Column:
    """Each person's items as JSON, best first: what, how likely, and why."""
    rows = zip(made.item, made.odds, made.because, strict=True)
    return np.array([json.dumps(_offers(told, *row)) for row in rows], dtype=object)


def _offers(told: Recommender, items: Any, odds: Any, because: Any) -> list[dict[str, Any]]:
    return [
        {
            "item": told.items[item],
            "category": told.categories[item],
            "probability": round(float(odd), 4),
            "because": BECAUSE[why],
        }
        for item, odd, why in zip(items, odds, because, strict=True)
        if item >= 0
    ]


def _most_offered(told: Recommender, made: Offered) -> list[dict[str, Any]]:
    items, counts = np.unique(made.item[made.item >= 0], return_counts=True)
    most = np.argsort(-counts, kind="stable")[:10]
    return [{"item": told.items[items[n]], "people": int(counts[n])} for n in most]
