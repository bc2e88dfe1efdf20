"""Groups of people for whom a model is worse than their own base rate are named, and no others."""

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.predict.backtest import Backtest
from stamgast_learn.predict.judgement import judge
from stamgast_learn.predict.panel import Panel
from tests.learn.predict.worlds import world


def weak(stated: Floats, panel: Panel) -> set[tuple[str, float | None]]:
    """The groups that a judgement names, by feature and lower bound."""
    base = {"base_rate": np.full(len(panel), panel.label.mean())}
    told = judge(Backtest(panel, stated, base)).weak
    return {(one.feature, one.low) for one in told}


def truth() -> tuple[Panel, Floats]:
    """A labelled panel and each row's true odds."""
    panel, odds = world(people=2_000, cuts=2, seed=6)
    known = ~np.isnan(panel.label)
    return panel.at(known), odds[known]


def test_a_group_that_is_told_the_wrong_odds_is_named() -> None:
    panel, odds = truth()
    recency = panel.measured[:, panel.features.index("rfm_r")]
    stated = np.where(recency > 4, 1 - odds, odds)
    assert ("rfm_r", 4.0) in weak(stated, panel)


def test_true_odds_name_no_group() -> None:
    panel, odds = truth()
    assert not weak(odds, panel)
