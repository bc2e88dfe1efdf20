"""A model is told of at each cut-off, so that whoever reads sees how far times lie apart."""

from dataclasses import replace

import numpy as np
import pytest

from stamgast_learn.predict.at_cuts import AtCut, at_cuts
from stamgast_learn.predict.backtest import Backtest, backtest
from tests.learn.predict.worlds import WITHIN, world


@pytest.fixture(scope="module")
def told() -> Backtest:
    """People of before a peak, and of the peak: at the last cut-off it comes to most of them."""
    made = backtest(world(people=1_000)[0].labelled, WITHIN)
    peak = (made.judged.cut_on == made.judged.cuts[-1]) & (made.order > np.median(made.order))
    return replace(made, judged=replace(made.judged, label=np.where(peak, 1.0, made.judged.label)))


def cuts_of(told: Backtest) -> list[AtCut]:
    """What is said of each cut-off."""
    return list(at_cuts(told, told.judged.label == 1))


def test_the_best_tenth_of_each_time_is_told(told: Backtest) -> None:
    cuts = cuts_of(told)
    here = told.judged.cut_on == told.judged.cuts[0]
    taken = round(cuts[0].people / 10)
    best = np.argsort(-told.order[here])[:taken]
    right = told.judged.label[here][best].mean()
    assert cuts[0].best_tenth.value == pytest.approx(right, abs=2 / taken)
    assert cuts[0].best_tenth.low < right < cuts[0].best_tenth.high
    assert cuts[-1].best_tenth.low > cuts[0].best_tenth.high, "and so is a peak seen"


def test_of_people_with_one_score_each_is_taken_in_part(told: Backtest) -> None:
    level = replace(told, ordering=np.zeros(len(told.order)))
    for one in cuts_of(level):
        assert one.best_tenth.value == pytest.approx(one.base_rate)
