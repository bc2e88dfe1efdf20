"""A run of a declared uplift: an experiment in; the effect, whom it moves, and scores out."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import write_columns
from stamgast_learn.predict.folds import folds
from stamgast_learn.predict.honesty import constant_features, require_history, unknown_features
from stamgast_learn.predict.leaks import require_unsuspected, told_leaks
from stamgast_learn.predict.panel import Panel, read_panel
from stamgast_learn.predict.ranking import Measure
from stamgast_learn.predict.reasons import told_reasons
from stamgast_learn.predict.run import Order, Outcome
from stamgast_learn.predict.scores import bands, percentiles
from stamgast_learn.progress import counted
from stamgast_learn.uplift.after import telling_arms
from stamgast_learn.uplift.judged import judge
from stamgast_learn.uplift.learners import effects, effects_of, outcomes
from stamgast_learn.uplift.trial import UNLIKELY, Trial, effect, read_trial, require_chance

X_LEARNER, T_LEARNER, OUTCOME_ALONE = "x_learner", "t_learner", "likeliest_to_buy"


def learn_run(order: Order, panel: Path, champion: bytes | None) -> tuple[Outcome, bytes | None]:
    """Learns and judges the effect if asked; answers the outcome and the model to use, if any."""
    if not order.is_training:
        return Outcome(order.version, False, champion is not None, None, {}), champion
    trial = read_trial(panel, order.features)
    report: dict[str, Any] = {"people": len(trial.panel), "in_both": trial.in_both}
    report["unknown"] = unknown_features(trial.panel)
    try:
        made = _made(order, trial, report)
    except AbstainedError as error:
        return Outcome(order.version, True, False, str(error), report), champion
    return Outcome(order.version, True, True, None, report), made


def _made(order: Order, trial: Trial, report: dict[str, Any]) -> bytes:
    came = trial.panel.label == 1
    _require_enough(trial, order.least_of_each)
    require_history(order.history_days, order.within_days)
    suspects = told_leaks(trial.panel, order, report, trial.now)
    report["arms"] = require_chance(trial, order.settings["treated_share"])
    _require_written_before(trial, report)
    panel = trial.panel
    told = effect(panel.label, trial.is_treated, panel.person)
    report["constant"] = list(constant_features(panel))
    stated = _held_out(panel, came, trial.is_treated)
    judgement = {
        "effect": asdict(told),
        "rate_held_out": float(came[~trial.is_treated].mean()),
        **judge(stated, panel.label, trial.is_treated, panel.person),
        "is_causal": True,
    }
    report["judgement"] = judgement
    _require_found(judgement["orders"], told)
    require_unsuspected(suspects)
    learnt = outcomes(panel.measured, came, trial.is_treated)
    return effects(panel.measured, came, trial.is_treated, learnt).dumped()


def _require_found(orders: dict[str, Any], told: Measure) -> None:
    """Raises AbstainedError unless it orders people better than chance, and than the likeliest."""
    qini, likeliest = (orders[one]["qini"] for one in (X_LEARNER, OUTCOME_ALONE))
    if qini["low"] <= 0:
        raise AbstainedError(
            "not shown to find whom the treatment moves: Qini above random order by"
            f" {qini['value']:.4f} ({qini['low']:.4f} to {qini['high']:.4f});"
            f" its effect on everybody is {told.value:+.4f} ({told.low:+.4f} to {told.high:+.4f})"
        )
    if qini["value"] <= likeliest["value"]:
        raise AbstainedError(
            f"finds whom the treatment moves no better than who is likeliest to buy: Qini"
            f" {qini['value']:.4f} against {likeliest['value']:.4f}"
        )


def _require_written_before(trial: Trial, report: dict[str, Any]) -> None:
    """Raises AbstainedError where a feature tells who was treated."""
    found = telling_arms(trial.panel, trial.is_treated, UNLIKELY)
    report["leaks"] += [{**asdict(one), "is_allowed": False} for one in found]
    if found:
        raise AbstainedError("; ".join(one.why for one in found))


def _require_enough(trial: Trial, least: int) -> None:
    """Raises AbstainedError where an arm has too few people of either outcome; each counts once."""
    came, person = trial.panel.label == 1, trial.panel.person
    for name, arm in (("treated", trial.is_treated), ("held out", ~trial.is_treated)):
        positives, negatives = (len(np.unique(person[arm & one])) for one in (came, ~came))
        if min(positives, negatives) < least:
            raise AbstainedError(
                f"of those {name}, {positives} with the outcome and {negatives} without it;"
                f" needs {least} of each"
            )


def _held_out(panel: Panel, came: Labels, is_treated: Labels) -> dict[str, Floats]:
    """The effect stated of each person by learners that have not seen them, and a rule of thumb.

    The rule treats those first who are likeliest to buy without it, as campaigns often do.
    """
    stated = {name: np.zeros(len(panel)) for name in (X_LEARNER, T_LEARNER, OUTCOME_ALONE)}
    for held in counted("parts of people foretold", list(folds(panel.person))):
        learnt, treated = panel.measured[~held], is_treated[~held]
        both = outcomes(learnt, came[~held], treated)
        asked = panel.measured[held]
        stated[X_LEARNER][held] = effects(learnt, came[~held], treated, both).uplift(asked)
        stated[T_LEARNER][held] = both.uplift(asked)
        stated[OUTCOME_ALONE][held] = both.held_out.scores(asked)
    return stated


def score_run(order: Order, model: bytes, panel: Path, scores: Path) -> dict[str, Any]:
    """The effect expected on everybody who is to be scored, into file `scores`."""
    now = read_panel(panel, order.features).to_score
    told = effects_of(model)
    value = told.uplift(now.measured) if len(now) else np.zeros(0)
    percentile = percentiles(value)
    write_columns(
        scores,
        {
            "person_id": now.person,
            "value": value,
            "percentile": percentile,
            "band": bands(percentile),
            "reasons": told_reasons(now.features, now.measured, told.explain, "uplift"),
        },
    )
    return {"scored": len(now), "mean": float(value.mean()) if len(now) else None}
