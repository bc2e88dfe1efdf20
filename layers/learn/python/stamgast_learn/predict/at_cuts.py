"""The model at each cut-off that it was judged on: how far times lie apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.backtest import Backtest
from stamgast_learn.predict.ranking import Measure, area, clustered_mean
from stamgast_learn.reliability import wilson

BEST = 0.1


@dataclass(frozen=True, slots=True)
class AtCut:
    """The model at one cut-off; `best_tenth` is the precision of its best-scored tenth."""

    cut_on: str
    people: int
    base_rate: float
    brier: Measure
    auc: Measure | None
    best_tenth: Measure


def at_cuts(told: Backtest, labels: Labels) -> Iterator[AtCut]:
    """Each cut-off of a backtest, oldest first."""
    for cut in told.judged.cuts:
        here = told.judged.cut_on == cut
        came, stated, person = labels[here], told.stated[here], told.judged.person[here]
        both = came.any() and not came.all()
        yield AtCut(
            cut_on=day_of(cut),
            people=int(here.sum()),
            base_rate=float(came.mean()),
            brier=clustered_mean((stated - came) ** 2, person),
            auc=area(told.order[here], came, person) if both else None,
            best_tenth=_precision(told.order[here], came, BEST),
        )


def _precision(order: Floats, came: Labels, share: float) -> Measure:
    """To how many of the best-scored share it happened; of people with one score each in part."""
    taken = max(1, round(share * len(came)))
    least = np.sort(order)[-taken]
    above, level = order > least, order == least
    right = float(came[above].sum() + (taken - above.sum()) * came[level].mean())
    return Measure(right / taken, *wilson(right, taken))


def day_of(cut: Any) -> str:
    """The date of a cut-off, which is a number of days since 1970."""
    return str(np.datetime64(int(cut), "D"))
