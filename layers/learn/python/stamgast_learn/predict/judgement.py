"""What a backtest says of a model: how it orders, how true its odds are, and where it fails."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.at_cuts import AtCut, at_cuts, day_of
from stamgast_learn.predict.backtest import Backtest
from stamgast_learn.predict.ranking import Measure, Ranking, area, clustered_mean, ranking, ratio
from stamgast_learn.predict.weak import Weak, weak_groups
from stamgast_learn.reliability import Reliability, reliability

STEADY = 4.0
"""At the newest cut-off the outcome comes to no more, or no fewer, than so many times as usual."""


@dataclass(frozen=True, slots=True)
class Against:
    """The model beside a baseline: its Brier score, and by how much the model's is lower.

    `relative` is the `share` of it with its interval.
    """

    brier: Measure
    auc: Measure
    gain: Measure
    share: float
    relative: Measure

    @property
    def is_beaten(self) -> bool:
        """Whether the model is better beyond chance."""
        return self.gain.low > 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that is said of a model on people whose outcome it did not know.

    The ranking, and the areas of baselines beside it, are of the cut-off `ranked_on`, by a model
    like the one in use; all else is of every cut-off judged.
    """

    ranked_on: str
    ranking: Ranking
    reliability: Reliability
    baselines: dict[str, Against]
    cuts: tuple[AtCut, ...]
    weak: tuple[Weak, ...]

    def to_json(self) -> dict[str, Any]:
        """The judgement as plain data."""
        return asdict(self)


def judge(told: Backtest, newest: Backtest | None = None) -> Judgement:
    """The judgement of a backtest; raises AbstainedError when one class alone came.

    How the `newest` cut-off is ordered is told apart, unless the backtest is of one cut-off.
    """
    latest = told if newest is None else newest
    labels, came = _labels(told), _labels(latest)
    base = told.baselines["base_rate"]
    return Judgement(
        ranked_on=day_of(latest.judged.cuts[-1]),
        ranking=ranking(latest.order, came, latest.judged.person, latest.stated),
        reliability=reliability(told.stated, labels, float(base.mean()), told.judged.person),
        baselines={
            name: _against(told, one, area(latest.baselines[name], came, latest.judged.person))
            for name, one in told.baselines.items()
        },
        cuts=tuple(at_cuts(told, labels)),
        weak=tuple(weak_groups(told.judged, told.stated, labels)),
    )


def _labels(told: Backtest) -> Labels:
    labels: Labels = told.judged.label == 1
    if labels.all() or not labels.any():
        raise AbstainedError("one outcome alone came in the cut-offs to judge by")
    return labels


def require_better(judgement: Judgement, margin: float) -> None:
    """Raises AbstainedError unless every baseline is beaten beyond chance and by the margin.

    And a model like the one in use has to order the newest cut-off better than each, and better
    than chance beyond chance.
    """
    for name, one in judgement.baselines.items():
        if not one.is_beaten or one.share < margin:
            raise AbstainedError(
                f"not shown to be better than {name.replace('_', ' ')}: Brier score lower by"
                f" {one.gain.value:.4f} ({one.gain.low:.4f} to {one.gain.high:.4f}),"
                f" {one.share:.1%} of {one.brier.value:.4f}; needs {margin:.1%}{_turned(judgement)}"
            )
    _require_beyond_chance(judgement)
    _require_order(judgement)


def _require_order(judgement: Judgement) -> None:
    ours = judgement.ranking.auc.value
    for name, one in judgement.baselines.items():
        if ours <= one.auc.value:
            raise AbstainedError(
                f"orders people on {judgement.ranked_on} no better than {name.replace('_', ' ')}:"
                f" area under the curve {ours:.3f} against {one.auc.value:.3f}{_turned(judgement)}"
            )


def _require_beyond_chance(judgement: Judgement) -> None:
    order = judgement.ranking.auc
    if order.low <= 0.5:
        raise AbstainedError(
            f"not shown to order people on {judgement.ranked_on} better than chance: area under the"
            f" curve {order.value:.3f} ({order.low:.3f} to {order.high:.3f}), where the outcome"
            f" came to {judgement.ranking.base_rate:.2%}{_fallen(judgement)}{_turned(judgement)}"
        )


def _fallen(judgement: Judgement) -> str:
    """Where the outcome came to far fewer, or to far more, than at the cut-offs before."""
    newest, *before = (cut.base_rate for cut in reversed(judgement.cuts))
    usual = float(np.median(before)) if before else newest
    if max(newest, usual) < STEADY * max(min(newest, usual), 1e-9):
        return ""
    return (
        f", and to {usual:.2%} at the cut-offs before: events may have ended, or what is recorded"
        " has changed"
    )


def _turned(judgement: Judgement) -> str:
    """Where people are ordered the wrong way round beyond chance: since when, and what it means."""
    turned = [(cut.cut_on, cut.auc) for cut in judgement.cuts if cut.auc and cut.auc.high < 0.5]
    if not turned:
        return ""
    on, auc = turned[0]
    return (
        f". On {on} it ordered people the wrong way round (area under the curve {auc.value:.3f}):"
        " what had foretold the outcome until then told the contrary"
    )


def _against(told: Backtest, baseline: Floats, auc: Measure) -> Against:
    truth = told.judged.label
    theirs, ours = (baseline - truth) ** 2, (told.stated - truth) ** 2
    person = told.judged.person
    gain, brier = (clustered_mean(one, person) for one in (theirs - ours, theirs))
    share = ratio(theirs - ours, theirs, person) if brier.value else Measure(0.0, 0.0, 0.0)
    return Against(brier, auc, gain, share.value, share)
