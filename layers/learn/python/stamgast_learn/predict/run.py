"""A run of one declared model: a panel in; a version, its report and scores out."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import write_columns
from stamgast_learn.predict import honesty
from stamgast_learn.predict.backtest import backtest, challenge
from stamgast_learn.predict.drift import drift_of, stability_index
from stamgast_learn.predict.honesty import require_enough, unknown_features
from stamgast_learn.predict.judgement import judge, require_better
from stamgast_learn.predict.leaks import OF_SEEDS, require_unsuspected, told_leaks
from stamgast_learn.predict.newest import newest
from stamgast_learn.predict.panel import Panel, read_panel
from stamgast_learn.predict.predictor import Predictor, learn, predictor_of
from stamgast_learn.predict.resemblance import resemble
from stamgast_learn.predict.scores import scores_of


@dataclass(frozen=True, slots=True)
class Order:
    """What a run asks for: a version to train, its bounds, and what is known of the past.

    `kind` and `settings` are those of the declared model; `allowed` features may be suspected.
    """

    model: str
    version: str
    features: tuple[str, ...]
    within_days: int
    least_of_each: int
    margin: float
    history_days: int
    is_training: bool
    is_look_alike: bool = False
    kind: str = "propensity"
    settings: Mapping[str, Any] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Order":
        """The order that a run's document tells."""
        lists = {name: tuple(told.get(name, ())) for name in ("features", "allowed")}
        return cls(**{**told, **lists})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run: whether the new version is used, why not, and what is said of it."""

    version: str
    is_new: bool
    is_used: bool
    why: str | None
    report: Mapping[str, Any]

    def to_json(self) -> bytes:
        """The outcome as a run keeps it."""
        return json.dumps(asdict(self), sort_keys=True).encode()


def learn_run(order: Order, panel: Path, champion: bytes | None) -> tuple[Outcome, bytes | None]:
    """Trains and judges a version if asked; answers the outcome and the model to use, if any.

    A version that abstains, or that is not better than the champion, leaves the champion in use.
    """
    people = read_panel(panel, order.features)
    told = people.labelled
    if not order.is_training:
        return Outcome(order.version, False, champion is not None, None, {}), champion
    report: dict[str, Any] = _counted(told)
    make = _look_alike if order.is_look_alike else _challenger
    try:
        challenger = make(order, people, report, champion)
    except AbstainedError as error:
        return Outcome(order.version, True, False, str(error), report), champion
    return Outcome(order.version, True, True, None, report), challenger.dumped()


def _challenger(
    order: Order, people: Panel, report: dict[str, Any], champion: bytes | None
) -> Predictor:
    panel = people.labelled
    require_enough(panel, order.least_of_each, order.history_days, order.within_days)
    suspects = told_leaks(panel, order, report, people.to_score)
    panel = panel.as_received
    tested = backtest(panel, order.within_days)
    judgement = judge(tested, newest(panel, order.within_days))
    report["judgement"] = judgement.to_json()
    require_better(judgement, order.margin)
    require_unsuspected(suspects)
    challenger = learn(panel)
    report["constant"] = list(challenger.constant)
    report["learnt_until"] = str(np.datetime64(challenger.learnt_until, "D"))
    if champion is not None:
        _require_to_beat(predictor_of(champion), order, panel, report)
    return challenger


def _look_alike(
    order: Order, people: Panel, report: dict[str, Any], _champion: bytes | None
) -> Predictor:
    """Look-alikes have no outcome to wait for: the newest version that is good enough is used."""
    panel = people.labelled
    require_enough(panel, order.least_of_each, order.history_days, 0, honesty.OF_SEEDS)
    predictor, tested, telling = resemble(panel)
    suspects = told_leaks(tested.judged, order, report)
    judgement = judge(tested)
    report["judgement"] = judgement.to_json()
    report["constant"], report["telling"] = list(predictor.constant), list(telling)
    require_better(judgement, order.margin)
    require_unsuspected(suspects, OF_SEEDS)
    return predictor


def _require_to_beat(
    champion: Predictor, order: Order, panel: Panel, report: dict[str, Any]
) -> None:
    """Raises AbstainedError unless the challenger's procedure is better where both can be asked.

    That is on cut-offs whose horizon neither had seen; without any, the newer one takes over.
    """
    if not set(champion.features) <= set(panel.features):
        return
    asked = challenge(panel, order.within_days, champion.learnt_until + order.within_days)
    if asked is None:
        report["uncompared"] = honesty.uncompared(champion.learnt_until, order.within_days)
        return
    here, stated = asked
    theirs, ours = (
        float(((one - here.label) ** 2).mean()) for one in (champion.probabilities(here), stated)
    )
    report["champion"] = {"brier": theirs, "challenger_brier": ours, "people": len(here)}
    if ours > theirs * (1 - order.margin):
        raise AbstainedError(
            f"Brier score {ours:.4f} against {theirs:.4f} of the version in use:"
            f" needs to be lower by {order.margin:.1%}"
        )


def _counted(panel: Panel) -> dict[str, Any]:
    return {
        "rows": len(panel),
        "people": len(np.unique(panel.person)),
        "positives": int(panel.label.sum()),
        "unknown": unknown_features(panel),
        "cuts": [str(np.datetime64(int(cut), "D")) for cut in panel.cuts],
    }


def score_run(order: Order, model: bytes, panel: Path, scores: Path) -> dict[str, Any]:
    """Scores everybody who is to be scored into file `scores`; answers figures, with drift.

    Scores now are set beside those of the newest cut-off, which no estimator was fitted to: of
    those that it was fitted to, it is surer. Of a look-alike those outside the seed are scored. A
    version that is being trained explains nothing: its scores are kept of a later shard.
    """
    told, predictor = read_panel(panel, order.features, order.version), predictor_of(model)
    now, then = told.to_score, told.labelled
    if order.is_look_alike:
        now = now.at(~np.isin(now.person, then.person[then.label == 1]))
        then = then.at(then.label == 0)
    made = scores_of(predictor, now, is_explained=not order.is_training)
    write_columns(scores, made.columns())
    figures: dict[str, Any] = {"scored": len(now), "mean": _mean(made.value)}
    if len(now) and len(then):
        drift = drift_of(predictor.features, predictor.chosen(then), predictor.chosen(now))
        said = predictor.probabilities(then.at(then.cut_on == then.cuts[-1]))
        figures["drift"] = {
            "score": round(stability_index(said, made.value), 4),
            "features": drift,
        }
    return figures


def _mean(values: Any) -> float | None:
    return float(values.mean()) if len(values) else None
