"""Groups of people for whom a model is worse than the group's own base rate, beyond chance."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.ranking import Measure, clustered_mean

LEAST_IN_A_GROUP = 50
QUARTERS = (0.25, 0.5, 0.75)
GROUPED_BY = ("rfm_r", "rfm_f", "days_known", "orders", "sources")


@dataclass(frozen=True, slots=True)
class Weak:
    """A group of people for whom the model is worse than the group's own base rate: by `worse`, the
    difference of both Brier scores."""

    feature: str
    low: float | None
    high: float | None
    people: int
    brier: float
    base_rate_brier: float
    worse: Measure


def weak_groups(judged: Panel, stated: Floats, labels: Labels) -> Iterator[Weak]:
    """By quarters of a few features, where they are known; of the first few of a model that has
    none of these."""
    usual = [name for name in GROUPED_BY if name in judged.features]
    for name in usual or judged.features[: len(GROUPED_BY)]:
        column = judged.measured[:, judged.features.index(name)]
        known = column[~np.isnan(column)]
        edges = np.unique(np.quantile(known, QUARTERS)) if len(known) else np.zeros(0)
        place = np.where(np.isnan(column), -1, np.searchsorted(edges, column, side="left"))
        for one in np.unique(place):
            here = place == one
            weak = _of_group(name, edges, int(one), stated[here], labels[here], judged.person[here])
            if weak is not None:
                yield weak


def _of_group(
    name: str,
    edges: Floats,
    place: int,
    stated: Floats,
    labels: Labels,
    person: NDArray[Any],
) -> Weak | None:
    if len(labels) < LEAST_IN_A_GROUP:
        return None
    rate, ours = float(labels.mean()), (stated - labels) ** 2
    worse = clustered_mean(ours - (rate - labels) ** 2, person)
    if worse.low <= 0:
        return None
    low = float(edges[place - 1]) if place > 0 else None
    high = float(edges[place]) if 0 <= place < len(edges) else None
    return Weak(name, low, high, len(labels), float(ours.mean()), rate * (1 - rate), worse)
