"""How many clusters there are: as many as two halves of the people find, each by itself.

Lange et al. (2004), Stability-based validation of clustering solutions, with the adjusted Rand
index of Hubert and Arabie (1985); against one cloud of the same spread after Liu et al. (2008),
Statistical significance of clustering for high-dimension, low-sample size data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.cluster.valleys import MOST_ONE_HUMP, one_hump, spread_out
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.ranking import Measure
from stamgast_learn.progress import counted
from stamgast_learn.reliability import Z95

SEED = 19_850_801
DRAWS = 20
CLOUDS = 39
"""With 39 clouds, to be tighter than all of them has a probability of one in forty."""
MOST_DRAWN = 4_000
STARTS = 3
AS_STABLE = 0.01
"""Of numbers that are as stable as this, the larger tells more."""
NORMAL = 1.4826
"""The median absolute deviation of a normal distribution, in standard deviations."""
OUTLYING = 6.0
SMALLEST = 0.02
"""The least share of people that makes a cluster."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A number of clusters: how well two halves agree on it, with where 95 % of halves lie."""

    clusters: int
    agreement: Measure
    smallest_share: float

    @property
    def is_large_enough(self) -> bool:
        """Whether none of the clusters is a handful of people who fit nowhere."""
        return self.smallest_share >= SMALLEST


@dataclass(frozen=True, slots=True)
class Found:
    """The centres that were chosen, what else was tried, and whether one cloud would do.

    `within` is the part of the variance that stays within clusters, `cloud_within` the least of
    what single clouds left; `one_hump` the probability that some two are halves of one hump.
    """

    centres: Floats
    tried: tuple[Agreement, ...]
    within: float
    cloud_within: float
    one_hump: float


def find(points: Floats, settings: Mapping[str, Any]) -> Found:
    """The number of clusters that is found again best; raises AbstainedError where there is none.

    One thread: of a few thousand people, threads wait for each other longer than they work.
    """
    core = points[is_near(points)]
    with threadpool_limits(limits=1):
        return _found(core, _few(core), settings)


def is_near(points: Floats) -> Labels:
    """Who is no outlier: a handful of people far from everybody would take a cluster each time."""
    far = np.sqrt(((points - np.median(points, axis=0)) ** 2).sum(axis=1))
    middle = float(np.median(far))
    spread = NORMAL * float(np.median(np.abs(far - middle)))
    near: Labels = far <= middle + OUTLYING * max(spread, 1e-9)
    return near


def _found(points: Floats, few: Floats, settings: Mapping[str, Any]) -> Found:
    numbers = range(2, settings["most"] + 1)
    tried = tuple(agreement(few, one) for one in counted("numbers of clusters tried", numbers))
    stable = _stable(tried, settings["least_agreement"])
    humps = {one.clusters: _one_hump(few, one.clusters) for one in stable}
    number = _most_stable(stable, humps)
    within, cloud = _within(few, number), min(_clouds(few, number))
    if within >= cloud:
        raise AbstainedError(
            f"{number} clusters leave {within:.1%} of the variance within them, and a single cloud"
            f" of the same spread as little ({cloud:.1%}): people differ by degrees, not in groups"
        )
    centres = _fit(points, number, SEED).cluster_centers_
    return Found(centres, tried, within, cloud, humps[number])


def _stable(tried: Sequence[Agreement], least: float) -> list[Agreement]:
    """The numbers of clusters that are found again; raises AbstainedError where there is none."""
    stable = [one for one in tried if one.agreement.low >= least and one.is_large_enough]
    if not stable:
        best = max(tried, key=lambda one: one.agreement.value)
        raise AbstainedError(
            f"no number of clusters of {SMALLEST:.0%} of people or more is found again: at best"
            f" {best.clusters}, with an adjusted Rand index of"
            f" {best.agreement.value:.3f} ({best.agreement.low:.3f} to"
            f" {best.agreement.high:.3f}); needs {least:g}, its 95 % included"
        )
    return stable


def _one_hump(points: Floats, number: int) -> float:
    made = _fit(points, number, SEED)
    return one_hump(spread_out(points), made.labels_, made.cluster_centers_)


def _most_stable(stable: Sequence[Agreement], humps: Mapping[int, float]) -> int:
    """The most stable number whose clusters all lie apart; raises AbstainedError without any."""
    apart = [one for one in stable if humps[one.clusters] <= MOST_ONE_HUMP]
    if not apart:
        told = min(humps, key=lambda number: humps[number])
        raise AbstainedError(
            f"{told} clusters are found again, but some two of them are halves of one hump with a"
            f" probability of {humps[told]:.2f}; needs {MOST_ONE_HUMP:.2f}: people differ by"
            " degrees, not in groups"
        )
    best_low = max(one.agreement.low for one in apart)
    return max(one.clusters for one in apart if one.agreement.low >= best_low - AS_STABLE)


def _few(points: Floats) -> Floats:
    if len(points) <= MOST_DRAWN:
        return points
    return points[np.sort(np.random.default_rng(SEED).permutation(len(points))[:MOST_DRAWN])]


def agreement(points: Floats, number: int) -> Agreement:
    """How well clusters of one half of the people agree with those of the other, over everybody.

    Halves share nobody, as these people and those who come next do not; people drawn again from
    the same would agree too well. Of n people who all agree, up to 3 in n may not.
    """
    from sklearn.metrics import adjusted_rand_score

    random = np.random.default_rng((SEED, number))
    found = []
    for draw in range(DRAWS):
        halves = np.array_split(random.permutation(len(points)), 2)
        one, other = (_fit(points[half], number, SEED + draw).predict(points) for half in halves)
        found.append(adjusted_rand_score(one, other))
    mean, half = float(np.mean(found)), Z95 * float(np.std(found, ddof=1))
    half = max(half, 3 / len(points))
    told = np.bincount(_fit(points, number, SEED).labels_, minlength=number)
    smallest = float(told.min()) / len(points)
    return Agreement(number, Measure(mean, mean - half, min(1.0, mean + half)), smallest)


def _fit(points: Floats, number: int, seed: int) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(number, n_init=STARTS, random_state=seed).fit(points)


def _within(points: Floats, number: int) -> float:
    total = float(((points - points.mean(axis=0)) ** 2).sum())
    return float(_fit(points, number, SEED).inertia_) / total


def _clouds(points: Floats, number: int) -> list[float]:
    """What clusters leave of single clouds with the same spread in each direction."""
    random = np.random.default_rng(SEED)
    spread = np.linalg.cholesky(
        np.cov(points.T).reshape(points.shape[1], -1) + 1e-9 * np.eye(points.shape[1])
    )
    drawn = (random.normal(size=points.shape) @ spread.T for _ in range(CLOUDS))
    return [_within(one, number) for one in drawn]
