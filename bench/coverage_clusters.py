"""Clusters in worlds whose truth is known: the agreement stated, beside people not seen.

Three groups of people differ in three habits, now more and now less, and in a fourth by chance
alone. The agreement that is stated of each number of clusters is set beside that of their clusters
with clusters made of as many other people, over 5,000 of whom neither was made. Of the three
personas, the smallest first, the share of people and the median of the feature that distinguishes
each most are set beside those of 20,000 whom nobody has seen, in the very clusters.
"""

from collections.abc import Iterator

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from stamgast_learn.calibration import Floats
from stamgast_learn.cluster.persona import belongs, personas, reaches
from stamgast_learn.cluster.stability import SEED, STARTS, agreement
from stamgast_learn.cluster.standard import scale
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.ranking import Measure

CENTRES = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.8], [0.0, 1.0, 0.8]])
SHARES, NEARER, FARTHER = (0.5, 0.3, 0.2), 2.0, 6.0
NUMBERS, FRESH, DRAWS = (2, 3, 4), 5_000, 15
PERSONAS, MANY = 3, 20_000
FEATURES = ("a", "b", "c", "chance")
Random = np.random.Generator


def crowd(random: Random, people: int, apart: float) -> Floats:
    """People of three groups, so many standard deviations apart."""
    of = random.choice(len(SHARES), people, p=SHARES)
    habits = apart * CENTRES[of] + random.normal(size=(people, 3))
    return np.column_stack([habits, random.normal(size=people)])


def clusters(random: Random, people: int) -> dict[str, tuple[Measure, float]]:
    """What is stated of each number of clusters, and what it is with people nobody has seen."""
    apart = random.uniform(NEARER, FARTHER)
    told, over = crowd(random, people, apart), crowd(random, FRESH, apart)
    others = [crowd(random, people, apart) for _ in range(DRAWS)]
    with threadpool_limits(limits=1):
        return dict(_of_personas(told, crowd(random, MANY, apart))) | {
            f"agreement, {one} clusters": (
                agreement(told, one).agreement,
                _true(told, one, others, over),
            )
            for one in NUMBERS
        }


def _of_personas(told: Floats, others: Floats) -> Iterator[tuple[str, tuple[Measure, float]]]:
    """The share and the median of each persona, as stated and as they are of others."""
    panel = _panel(told)
    of = scale(panel)
    points, fresh = of.of(panel), of.of(_panel(others))
    centres = KMeans(PERSONAS, n_init=STARTS, random_state=SEED).fit(points).cluster_centers_
    reach = reaches(points, centres)
    member, theirs = belongs(points, centres, reach), belongs(fresh, centres, reach)
    made = personas(panel, points, of.features, member, PERSONAS)
    for place, one in enumerate(sorted(made, key=lambda one: one.people), 1):
        here, trait = theirs == one.place, one.traits[0]
        yield f"share, persona {place}", (one.share, float(here.mean()))
        if trait.median is not None:
            column = others[here, FEATURES.index(trait.feature)]
            yield f"median, persona {place}", (trait.median, float(np.median(column)))


def _panel(people: Floats) -> Panel:
    who = np.arange(len(people))
    return Panel(who, np.zeros(len(who), np.int64), np.full(len(who), np.nan), people, FEATURES)


def _true(told: Floats, number: int, others: list[Floats], over: Floats) -> float:
    made = _labels(told, number, over)
    return float(np.mean([adjusted_rand_score(made, _labels(o, number, over)) for o in others]))


def _labels(points: Floats, number: int, over: Floats) -> Floats:
    made = KMeans(number, n_init=STARTS, random_state=SEED).fit(points).predict(over)
    return np.asarray(made, dtype=np.float64)
