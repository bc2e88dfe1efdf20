"""Clusters, drivers and discounts tell, while they learn, how much is done of how much."""

import numpy as np

from stamgast_learn.cluster.stability import find
from stamgast_learn.discount.elasticity import TURNS, elasticity
from stamgast_learn.predict.leaks import leaks
from stamgast_learn.progress import followed
from tests.learn.kinds.test_cluster import CENTRES
from tests.learn.kinds.test_discount import weeks
from tests.learn.kinds.test_drivers import panel

Told = list[tuple[str, int, int]]


def test_clusters_tell_how_many_numbers_are_tried() -> None:
    random, told = np.random.default_rng(1), Told()
    points = CENTRES[random.integers(0, 3, 300)] + 0.5 * random.normal(size=(300, 3))
    with followed(lambda *done: told.append(done)):
        find(points, {"most": 3, "least_agreement": 0.8})
    assert told == [("numbers of clusters tried", 1, 2), ("numbers of clusters tried", 2, 2)]


def test_drivers_tell_how_much_is_searched_for_leaks() -> None:
    told = Told()
    with followed(lambda *done: told.append(done)):
        leaks(panel(people=200, cuts=2), 30)
    assert told == [("parts searched for leaks", 1, 2), ("parts searched for leaks", 2, 2)]


def test_discounts_tell_how_often_prices_were_fitted() -> None:
    told = Told()
    with followed(lambda *done: told.append(done)):
        elasticity(weeks(1))
    assert told[0] == ("rounds of fitting prices, at most", 1, TURNS)
    assert 1 < len(told) < TURNS
