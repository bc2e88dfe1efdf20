"""Where events have ended, what orders nobody is not used, however well it foretold the end."""

import numpy as np
import pytest

from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.backtest import Backtest
from stamgast_learn.predict.judgement import Judgement, judge, require_better
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.ranking import ranking

PEOPLE, WITHIN = 1_500, 30
FEATURES = ("days_since_order",)


def judged(newest_rate: float, apart: float) -> Judgement:
    """A judgement over three cut-offs: true odds of each, beside the rate of long ago; at the
    newest, scores of those to whom it came lie so far apart from those of the others."""
    random, rates = np.random.default_rng(3), (0.6, 0.6, newest_rate)
    cut = 20_000 + WITHIN * np.repeat(np.arange(3), PEOPLE)
    rate = np.repeat(rates, PEOPLE)
    label = (random.random(3 * PEOPLE) < rate).astype(np.float64)
    person = np.tile(np.arange(PEOPLE), 3)
    panel = Panel(person, cut, label, np.zeros((3 * PEOPLE, 1)), FEATURES)
    stated = np.clip(rate + np.where(label == 1, 0.05, -0.05), 0, 1)
    told = Backtest(panel, stated, {"base_rate": np.full(3 * PEOPLE, 0.6)})
    now = panel.at(cut == cut.max())
    scores = random.normal(size=PEOPLE) + apart * now.label
    return judge(told, Backtest(now, scores, {"base_rate": np.zeros(PEOPLE)}))


def test_a_model_that_foretells_the_end_alone_is_not_used_and_the_fall_is_told() -> None:
    told = judged(0.004, apart=0.1)
    assert told.baselines["base_rate"].share > 0.2
    with pytest.raises(AbstainedError, match="better than chance") as refused:
        require_better(told, 0.01)
    assert "at the cut-offs before: events may have ended" in str(refused.value)


def test_of_what_comes_as_ever_no_fall_is_told() -> None:
    with pytest.raises(AbstainedError, match="better than chance") as refused:
        require_better(judged(0.5, apart=0.0), 0.01)
    assert "events may have ended" not in str(refused.value)


def test_what_orders_the_newest_cut_off_is_used_though_the_outcome_fell() -> None:
    require_better(judged(0.02, apart=1.5), 0.01)


def test_without_regard_to_chance_it_would_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    told = judged(0.004, apart=0.1)
    assert told.ranking.auc.value > 0.5
    monkeypatch.setattr("stamgast_learn.predict.judgement._require_beyond_chance", lambda _: None)
    require_better(told, 0.01)


def test_no_recall_is_more_than_all() -> None:
    came = np.zeros(2_900, np.bool_)
    came[[3, 5, 8, 200, 700]] = True
    scores = -np.arange(2_900, dtype=np.float64)
    told = ranking(scores, came, np.arange(2_900), np.full(2_900, 0.001))
    assert max(one.recall.high for one in told.reach) <= 1.0
