"""Clusters and RFM cells are set beside each other by the money that came next."""

import numpy as np

from stamgast_learn.cluster.beside import beside_rfm
from stamgast_learn.predict.panel import Panel

PEOPLE = 2_000
DRAWN = np.random.default_rng(3)
CELLS = DRAWN.integers(1, 60, PEOPLE)
CLUSTERS = DRAWN.integers(0, 3, PEOPLE)
CHANCE = DRAWN.normal(size=PEOPLE)


def panel(money: np.ndarray) -> Panel:
    """People of whom nothing is told but what they spent."""
    cut = np.full(PEOPLE, 20_000)
    return Panel(np.arange(PEOPLE), cut, money, np.zeros((PEOPLE, 0)), ())


def test_groups_that_money_goes_with_tell_its_part_of_the_variance() -> None:
    told = beside_rfm(panel(CLUSTERS + CHANCE), CLUSTERS, CELLS)
    assert told is not None
    assert told.clusters.low < 0.4 < told.clusters.high  # 2/3 of 1 + 2/3
    assert told.rfm_cells.value < 0.02
    assert told.gain.low > 0
    assert abs(told.agreement) < 0.02


def test_groups_that_tell_nothing_gain_nothing() -> None:
    told = beside_rfm(panel(CELLS + CHANCE), CLUSTERS, CELLS)
    assert told is not None
    assert told.clusters.value < 0.02
    assert told.gain.high < 0


def test_where_no_money_came_nothing_is_said() -> None:
    assert beside_rfm(panel(np.zeros(PEOPLE)), CLUSTERS, CELLS) is None
