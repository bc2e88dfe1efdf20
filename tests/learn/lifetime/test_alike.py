"""Customers who differ in nothing: no likelihood has its maximum inside, and yet all is known."""

import numpy as np
import pytest

from stamgast_learn.lifetime import bg_nbd, forecast, gamma_gamma
from stamgast_learn.lifetime.bg_nbd import BgNbd
from stamgast_learn.lifetime.histories import Histories
from stamgast_learn.lifetime.likelihood import LARGEST, SMALLEST
from tests.learn.lifetime.worlds import SPENDING, Buyer, simulated, usual

WITHIN, LEVEL = 26.0, 0.9
RATE, LEAVES, SHAPE, NU = range(4)


def with_all(**told: float) -> Buyer:
    """Customers who are alike in these, and differ in the rest."""
    places = {"rate": RATE, "leaves": LEAVES, "shape": SHAPE, "nu": NU}

    def buyer(random: np.random.Generator) -> tuple[float, float, float, float]:
        drawn = list(usual(random))
        for name, value in told.items():
            drawn[places[name]] = value
        return drawn[0], drawn[1], drawn[2], drawn[3]

    return buyer


ALIKE = {
    "spend": with_all(nu=0.3),
    "one price": with_all(shape=1e9, nu=1e9 / 9.99),
    "nobody leaves": with_all(leaves=0.0),
    "all leave as likely": with_all(leaves=0.1),
    "rate": with_all(rate=0.2),
    "everything": with_all(rate=0.2, leaves=0.05, shape=1e9, nu=1e9 / 9.99),
}


@pytest.mark.parametrize("alike", ALIKE)
def test_what_they_bring_is_foretold_and_its_interval_holds(alike: str) -> None:
    of, later, value = simulated(2_500, WITHIN, seed=4, buyer=ALIKE[alike])
    buying, spending = bg_nbd.fit(of)[0], gamma_gamma.fit(of)[0]
    told = forecast.forecast(buying, spending, of, WITHIN)
    assert told.purchases.sum() == pytest.approx(later.sum(), rel=0.15)
    assert told.value.sum() == pytest.approx(value.sum(), rel=0.15)
    bounds = forecast.value_interval(buying, spending, of, WITHIN, LEVEL, seed=5)
    slack = 0.06 * value
    held = ((bounds.low <= value + slack) & (value - slack <= bounds.high)).mean()
    assert held >= LEVEL - 0.02


@pytest.mark.parametrize(("a", "b"), [(LARGEST, LARGEST), (SMALLEST, LARGEST), (LARGEST, 10.0)])
@pytest.mark.parametrize(("r", "alpha"), [(LARGEST, 4e4), (SMALLEST, 1e3), (3.5, 70.0)])
def test_at_the_bounds_the_mean_is_that_of_the_distribution(
    a: float, b: float, r: float, alpha: float
) -> None:
    model, repeats = BgNbd(r, alpha, a, b), np.array([0, 1, 5, 40, 200])
    of = Histories(repeats, np.where(repeats > 0, 280.0, 0.0), np.full(5, 300.0))
    mean, purchases = np.zeros(5), 0
    while (more := forecast.at_least(model, of, 30.0, purchases := purchases + 1)).max() > 1e-12:
        mean += more
    assert bg_nbd.expected_purchases(model, of, 30.0) == pytest.approx(mean, rel=1e-4, abs=1e-6)


def test_who_spends_alike_is_expected_to_spend_alike() -> None:
    of = simulated(2_500, WITHIN, seed=4, buyer=ALIKE["one price"])[0]
    spending = gamma_gamma.fit(of)[0]
    assert min(spending.p, spending.q) > LARGEST / 2
    assert gamma_gamma.expected_spend(spending, of) == pytest.approx(9.99, rel=0.01)
    unlike = gamma_gamma.expected_spend(SPENDING, of)
    assert np.ptp(unlike) > 1, "a model in which they differ tells them apart by chance"
