"""Clusters beside RFM cells: which of the two tells more of the money that came next.

People are taken as they were a horizon ago, in the clusters that are used now. The mean of each
group is learnt of one half of them and judged on the other.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Floats
from stamgast_learn.predict.alone import half_of
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.ranking import Measure, clustered_mean

LEAST_PEOPLE = 200
DRAWN_IN = 5.0
"""A group's mean is drawn to everybody's as if it had so many people more."""
Groups = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BesideRfm:
    """The part of the variance of the money to come that groups tell, each with 95 %.

    `gain` is what clusters tell more than RFM cells do; `agreement` their adjusted Rand index.
    """

    people: int
    cells: int
    cut_on: str
    clusters: Measure
    rfm_cells: Measure
    gain: Measure
    agreement: float

    def to_json(self) -> dict[str, Any]:
        """The comparison as plain data."""
        return asdict(self)


def beside_rfm(then: Panel, member: Groups, cells: Groups) -> BesideRfm | None:
    """The comparison; None where there are too few people, or no money came."""
    from sklearn.metrics import adjusted_rand_score

    spread = float(then.label.var()) if len(then) else 0.0
    if len(then) < LEAST_PEOPLE or spread == 0:
        return None
    nobody = np.zeros(len(then), np.int64)
    mean, ours, theirs = (_errors(then, one) / spread for one in (nobody, member, cells))
    return BesideRfm(
        people=len(then),
        cells=len(np.unique(cells)),
        cut_on=str(np.datetime64(int(then.cuts[-1]), "D")),
        clusters=clustered_mean(mean - ours, then.person),
        rfm_cells=clustered_mean(mean - theirs, then.person),
        gain=clustered_mean(theirs - ours, then.person),
        agreement=float(adjusted_rand_score(member, cells)),
    )


def _errors(then: Panel, groups: Groups) -> Floats:
    """Squared errors of each row by the mean of its group, as people of the other half have it."""
    _, of = np.unique(groups, return_inverse=True)
    told, half = np.zeros(len(then)), half_of(then.person)
    for one in (half, ~half):
        others, size = then.label[~one], int(of.max()) + 1
        everybody = float(others.mean()) if len(others) else 0.0
        sums = np.bincount(of[~one], others, size) + DRAWN_IN * everybody
        means = sums / (np.bincount(of[~one], minlength=size) + DRAWN_IN)
        told[one] = (then.label[one] - means[of[one]]) ** 2
    return told
