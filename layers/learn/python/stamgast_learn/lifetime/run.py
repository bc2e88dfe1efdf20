"""A run of one declared lifetime value: a panel in; a version, its report and scores out."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from stamgast_learn.faults import AbstainedError
from stamgast_learn.lifetime.judged import CHOSEN, fit, fit_trees, judge, newest_of, require_better
from stamgast_learn.lifetime.kept import Valuer, valuer_of
from stamgast_learn.parquet import Column, write_columns
from stamgast_learn.predict.contributions import explainer
from stamgast_learn.predict.estimate import Estimate
from stamgast_learn.predict.honesty import (
    require_history,
    require_one_currency,
    require_payers,
    uncompared,
    unknown_features,
)
from stamgast_learn.predict.leaks import require_unsuspected, told_leaks
from stamgast_learn.predict.panel import Panel, read_panel
from stamgast_learn.predict.ranking import clustered_mean
from stamgast_learn.predict.reasons import told_reasons
from stamgast_learn.predict.run import Order, Outcome
from stamgast_learn.predict.scores import bands, percentiles


def learn_run(order: Order, panel: Path, champion: bytes | None) -> tuple[Outcome, bytes | None]:
    """Trains and judges a version if asked; the outcome, and the model to use, if any.

    It is made of the newest cut-off that had come true, as the one that was judged was.
    """
    if not order.is_training:
        return Outcome(order.version, False, champion is not None, None, {}), champion
    people = read_panel(panel, order.features)
    told = people.labelled
    report: dict[str, Any] = {"rows": len(told), "people": len(np.unique(told.person))}
    report["unknown"] = unknown_features(told)
    try:
        require_one_currency(panel, report)
        made = _made(order, people, report, champion)
    except AbstainedError as error:
        return Outcome(order.version, True, False, str(error), report), champion
    return Outcome(order.version, True, True, None, report), made.dumped()


def _made(order: Order, people: Panel, report: dict[str, Any], champion: bytes | None) -> Valuer:
    panel = people.labelled
    if not len(panel):
        raise AbstainedError("nobody had bought at any cut-off")
    require_history(order.history_days, order.within_days)
    require_payers(panel, order.least_of_each)
    suspects = told_leaks(panel, order, report, people.to_score)
    judgement = judge(panel, order.within_days, order.margin)
    report["judgement"] = judgement.to_json()
    require_better(judgement, order.margin)
    require_unsuspected(suspects)
    newest = newest_of(panel)
    if champion is not None:
        _require_to_beat(valuer_of(champion), order, panel, report, judgement.chosen)
    trees = fit_trees(panel) if judgement.chosen == CHOSEN[1] else None
    return Valuer(fit(newest.known), trees, int(panel.cuts[-1]), judgement.levels)


def _require_to_beat(
    champion: Valuer, order: Order, panel: Panel, report: dict[str, Any], chosen: str
) -> None:
    """Raises AbstainedError unless the new procedure errs less where neither knew the outcome."""
    newest = newest_of(panel)
    if champion.learnt_until + order.within_days > int(panel.cuts[-1]):
        report["uncompared"] = uncompared(champion.learnt_until, order.within_days)
        return
    if champion.trees is not None and not set(champion.trees.features) <= set(panel.features):
        return
    older = panel.at(panel.cut_on + order.within_days <= panel.cuts[-1])
    ours = (
        fit_trees(older)(newest)
        if chosen == CHOSEN[1]
        else fit(newest.known).value(newest.known, order.within_days)
    )
    theirs = champion.value(newest, order.within_days)
    errors = [np.abs(stated - newest.label) for stated in (theirs, ours)]
    was, now = (float(one.mean()) for one in errors)
    gain = clustered_mean(errors[0] - errors[1], newest.person)
    report["champion"] = {"mae": was, "challenger_mae": now, "people": len(newest)}
    if now > was * (1 - order.margin):
        raise AbstainedError(
            f"mean absolute error {now:.2f} against {was:.2f} of the version in use (lower by"
            f" {gain.value:.2f}): needs to be lower by {order.margin:.1%}"
        )


def score_run(order: Order, model: bytes, panel: Path, scores: Path) -> dict[str, Any]:
    """Values everybody who is to be scored, with an interval, into file `scores`; the figures."""
    now, told = read_panel(panel, order.features).to_score, valuer_of(model)
    value = told.value(now, order.within_days)
    interval = told.interval(now, order.within_days)
    percentile = percentiles(value)
    write_columns(
        scores,
        {
            "person_id": now.person,
            "value": value,
            "percentile": percentile,
            "band": bands(percentile),
            "low": interval.low,
            "high": interval.high,
            "reasons": _reasons(told, now, order.within_days),
        },
    )
    return {"scored": len(now), "mean": float(value.mean()) if len(now) else None}


def _reasons(told: Valuer, panel: Panel, within_days: int) -> Column:
    """What the value is made of, as JSON: purchases that are known, P(alive), those to come; of
    trees the features that moved it most, in money."""
    if told.trees is not None:
        measured = told.trees.chosen(panel)
        return told_reasons(
            told.trees.features, measured, explainer(Estimate(told.trees.estimator)), "money"
        )
    alive, purchases = told.alive(panel, within_days)
    known = panel.known
    spend = np.zeros(len(panel)) if known.mean_spend is None else known.mean_spend
    return np.array(
        [
            json.dumps(
                [
                    {"feature": "repeat_purchases", "value": int(known.repeats[place])},
                    {"feature": "days_since_purchase", "value": float(since)},
                    {"feature": "mean_spend", "value": round(float(spend[place]), 2)},
                    {"feature": "probability_alive", "value": round(float(alive[place]), 4)},
                    {"feature": "purchases_to_come", "value": round(float(purchases[place]), 3)},
                ]
            )
            for place, since in enumerate(known.age - known.recency)
        ],
        dtype=object,
    )
