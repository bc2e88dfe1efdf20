"""The newest cut-off, ordered as the version in use orders it: by all that was older.

A backtest over several cut-offs says whether the procedure holds as time goes by. Its older parts
learn of fewer cut-offs than the version in use, so what they find is found of a lesser model. Here
people alone are held out, a fold at a time: what is found is found of a model of the same family,
and of nearly as many rows.
"""

from collections.abc import Iterable

import numpy as np

from stamgast_learn.calibration import Floats, Labels, apply, fit_calibrator
from stamgast_learn.predict.backtest import Backtest
from stamgast_learn.predict.baselines import baselines_of
from stamgast_learn.predict.estimate import fit
from stamgast_learn.predict.folds import fine_folds
from stamgast_learn.predict.honesty import constant_features, require_both
from stamgast_learn.predict.panel import Panel, with_last
from stamgast_learn.predict.predictor import rows_to_train_on
from stamgast_learn.progress import counted


def newest(panel: Panel, within_days: int) -> Backtest:
    """Predictions of everybody at the newest cut-off, of older ones and of other people.

    As of the version in use, a calibrator comes of the newest cut-off; here of other people. The
    base rate is one for all: each fold's own would be the lower, the more came in that fold.
    Raises AbstainedError where one class alone is left.
    """
    panel = with_last(panel, within_days)
    now, older = (panel.cut_on == panel.cuts[-1], panel.cut_on + within_days <= panel.cuts[-1])
    judged, rows = panel.at(now), rows_to_train_on(panel)
    held_out = [held for held in fine_folds(panel.person) if (held & now).any()]
    scores, told = np.zeros(len(judged)), dict[str, Floats]()
    for held in counted("parts of the newest cut-off foretold", held_out):
        lesson, asked = panel.at(older & ~held), panel.at(held & now)
        scores[held[now]] = _scores(lesson, asked, rows)
        for name, one in baselines_of(lesson, asked).items():
            told.setdefault(name, np.zeros(len(judged)))[held[now]] = one
    told["base_rate"] = np.full(len(judged), told["base_rate"].mean())
    stated = calibrated(scores, judged.label == 1, (held[now] for held in held_out))
    return Backtest(judged, stated, told, scores)


def _scores(older: Panel, judged: Panel, rows: int) -> Floats:
    require_both(older.label == 1, "in the cut-offs to train on")
    constant = constant_features(older)
    places = [n for n, name in enumerate(older.features) if name not in constant]
    estimate = fit(older.measured[:, places], older.label == 1, rows)
    return estimate.scores(judged.measured[:, places])


def calibrated(scores: Floats, labels: Labels, held_out: Iterable[Labels]) -> Floats:
    """Scores as probabilities, each fold's by a calibrator that has not seen its people."""
    stated = np.zeros(len(scores))
    for held in held_out:
        stated[held] = apply(fit_calibrator(scores[~held], labels[~held]), scores[held])
    return stated
