"""Look-alikes: who resembles the people of a seed, judged on people that were held out.

Positives against unlabelled: those outside the seed are taken as not of it, so a score is the odds
of being in the seed for whoever looks so (Elkan & Noto, 2008). It orders people as the odds of
resembling would, which is all that reach against precision needs.
"""

import numpy as np

from stamgast_learn.calibration import Floats, Labels, fit_calibrator
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.alone import plain_order
from stamgast_learn.predict.backtest import Backtest
from stamgast_learn.predict.baselines import base_rate, rfm_cell
from stamgast_learn.predict.estimate import ENOUGH_FOR_TREES, fit
from stamgast_learn.predict.folds import fine_folds
from stamgast_learn.predict.honesty import constant_features
from stamgast_learn.predict.leaks import TOO_GOOD, telling_features
from stamgast_learn.predict.newest import calibrated
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.predictor import Predictor
from stamgast_learn.predict.ranking import auc_of
from stamgast_learn.predict.short_rules import short_rule, skill_of_trees
from stamgast_learn.progress import counted

MOST_TOLD = 3
ENOUGH_PEOPLE = 3_000
"""Below so many people, each once, a line finds more than trees: see `bench/purchases.py`."""


def resemble(panel: Panel) -> tuple[Predictor, Backtest, tuple[str, ...]]:
    """A predictor of being in the seed, what it said of people held out, and features left out.

    A feature that tells the seed by itself is part of the seed's rule: with it the model would
    repeat the rule and find nobody. Raises AbstainedError where the others tell it, too.
    """
    telling = telling_features(panel)
    kept = _without(panel, (*constant_features(panel), *telling))
    labels = kept.label == 1
    _require_no_short_rule(kept, labels)
    scores = _held_out(kept, labels)
    _require_no_rule(kept, labels, scores)
    calibrator = fit_calibrator(scores, labels)
    tested = Backtest(
        kept, calibrated(scores, labels, fine_folds(kept.person)), _baselines(kept), scores
    )
    estimate = fit(kept.measured, labels, _rows(kept))
    left_out = tuple(name for name in panel.features if name not in kept.features)
    until = int(kept.cuts[-1])
    return Predictor(kept.features, left_out, estimate, calibrator, until), tested, telling


def _require_no_short_rule(panel: Panel, labels: Labels) -> None:
    """Raises AbstainedError where a few questions tell who is in the seed, of people held out."""
    rule = short_rule(panel, labels)
    if rule is not None:
        raise AbstainedError(
            f"a rule of {' and '.join(rule.features)} tells who is in the seed ({rule.recall:.0%}"
            f" of it, and {rule.precision:.0%} of those whom it takes are of it, of people held"
            " out): the model would repeat the seed's own rule; leave out these features"
        )


def _require_no_rule(panel: Panel, labels: Labels, scores: Floats) -> None:
    """Raises AbstainedError where all features tell who is in the seed: what is learnt of them, or,
    where that is a line, trees, which see what a rule of many conditions asks."""
    area = auc_of(scores, labels)
    if area < TOO_GOOD and _rows(panel) < ENOUGH_FOR_TREES:
        area = max(area, skill_of_trees(panel, labels))
    if area >= TOO_GOOD:
        raise AbstainedError(
            f"the features tell who is in the seed (area under the curve {area:.3f}): the model"
            " would repeat the seed's own rule; leave out the features that the rule is made of,"
            f" most likely {', '.join(_strongest(panel, labels))}"
        )


def _strongest(panel: Panel, labels: Labels) -> list[str]:
    """The features that tell the seed best by themselves, the best first."""
    told = {
        name: plain_order(column, labels)
        for name, column in zip(panel.features, panel.measured.T, strict=True)
    }
    return sorted(told, key=lambda name: (-told[name], name))[:MOST_TOLD]


def _without(panel: Panel, names: tuple[str, ...]) -> Panel:
    places = [n for n, name in enumerate(panel.features) if name not in names]
    if not places:
        raise AbstainedError("no feature is left that does not tell the seed by itself")
    features = tuple(panel.features[place] for place in places)
    return Panel(panel.person, panel.cut_on, panel.label, panel.measured[:, places], features)


def _rows(panel: Panel) -> int:
    """By how many rows the family is chosen, of folds as of the version in use."""
    return len(panel) if len(panel) >= ENOUGH_PEOPLE else 0


def _held_out(panel: Panel, labels: Labels) -> Floats:
    scores = np.zeros(len(panel))
    for held in counted("parts of people foretold", list(fine_folds(panel.person))):
        lesson = fit(panel.measured[~held], labels[~held], _rows(panel))
        scores[held] = lesson.scores(panel.measured[held])
    return scores


def _baselines(panel: Panel) -> dict[str, Floats]:
    told = {"base_rate": np.zeros(len(panel)), "rfm_cell": np.zeros(len(panel))}
    for held in fine_folds(panel.person):
        learnt, judged = panel.at(~held), panel.at(held)
        told["base_rate"][held] = base_rate(learnt, judged)
        cells = rfm_cell(learnt, judged)
        if cells is None:
            told.pop("rfm_cell", None)
        else:
            told["rfm_cell"][held] = cells
    return told | {"base_rate": np.full(len(panel), told["base_rate"].mean())}
