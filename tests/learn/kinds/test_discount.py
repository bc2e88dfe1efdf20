"""Shares and elasticities are as sure as they say, and are told as observed."""

import numpy as np
import pytest

from stamgast_learn.discount.elasticity import elasticity
from stamgast_learn.discount.lines import Weeks
from stamgast_learn.discount.shares import fit
from stamgast_learn.faults import AbstainedError


def people(seed: int = 1, rows: int = 1_500) -> tuple[np.ndarray, ...]:
    """Lines, discounted lines, later lines, later discounted lines; shares are beta(2, 3)."""
    random = np.random.default_rng(seed)
    share = random.beta(2.0, 3.0, rows)
    lines, later = random.integers(1, 40, rows), random.integers(10, 40, rows)
    told = (lines, random.binomial(lines, share), later, random.binomial(later, share))
    return tuple(one.astype(np.float64) for one in told)


def test_the_distribution_of_shares_is_found() -> None:
    lines, discounted, _, _ = people()
    found = fit(lines, discounted, 1.0)
    assert (found.a, found.b) == (pytest.approx(2, rel=0.15), pytest.approx(3, rel=0.15))


def test_bounds_hold_later_shares_as_often_as_they_say() -> None:
    lines, discounted, later, on = people()
    assert (
        0.88 <= fit(lines, discounted, 1.0).coverage(lines, discounted, later, on).mean() <= 0.965
    )


def test_lines_that_are_discounted_together_widen_the_bounds() -> None:
    random, size = np.random.default_rng(2), 6
    share = random.beta(2.0, 3.0, 1_500)
    orders, later = random.integers(3, 8, 1_500), np.full(1_500, 4)
    both = [size * random.binomial(n, share).astype(np.float64) for n in (orders, later)]
    lines, to_come = size * orders.astype(np.float64), size * later.astype(np.float64)
    wide = fit(lines, both[0], float(size)).coverage(lines, both[0], to_come, both[1]).mean()
    narrow = fit(lines, both[0], 1.0).coverage(lines, both[0], to_come, both[1]).mean()
    assert wide >= 0.87
    assert narrow < 0.75


def test_where_nothing_is_discounted_nothing_is_said() -> None:
    with pytest.raises(AbstainedError, match="no line of an order was discounted"):
        fit(np.ones(10), np.zeros(10), 1.0)


def weeks(seed: int, products: int = 40, many: int = 40, units: float = 2.0) -> Weeks:
    """Weeks of products in which any were sold, with an elasticity of −1.5, few of each.

    What sells well is dear, and so are weeks.
    """
    random = np.random.default_rng(seed)
    product, week = np.repeat(np.arange(products), many), np.tile(np.arange(many), products)
    level, season = random.normal(0, 0.7, products), random.normal(0, 0.2, many)
    usual, is_on_offer = 0.5 * level[product] + 0.3 * season[week], random.random(len(week)) < 0.2
    price = usual - is_on_offer * random.uniform(0.1, 0.4, len(week))
    rate = np.log(units) + level[product] + season[week] - 1.5 * (price - usual)
    sold = random.poisson(np.exp(rate)).astype(np.float64)
    return Weeks(product[sold > 0], week[sold > 0], sold[sold > 0], price[sold > 0])


@pytest.mark.parametrize("units", [2.0, 20.0])
def test_the_elasticity_is_that_within_products_and_weeks_as_often_as_it_says(units: float) -> None:
    found = []
    for seed in range(40):
        told = elasticity(weeks(seed, units=units)).elasticity
        found.append(told.low <= -1.5 <= told.high)
    assert np.mean(found) >= 0.88


def test_a_slope_without_products_and_weeks_would_be_caught() -> None:
    told = weeks(1)
    naive = float(np.polyfit(told.price, np.log(told.units), 1)[0])
    found = elasticity(told).elasticity
    assert not found.low <= naive <= found.high


def test_weeks_without_a_sale_that_are_taken_as_no_weeks_at_all_would_be_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def of_all_counts(odds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.exp(odds), np.exp(odds)

    monkeypatch.setattr("stamgast_learn.discount.elasticity._moments", of_all_counts)
    found = [elasticity(weeks(seed)).elasticity.value for seed in range(10)]
    assert np.mean(found) > -1.35


def test_a_product_that_sells_one_unit_at_a_time_is_not_counted() -> None:
    told, one = weeks(1), np.ones(10)
    single = Weeks(
        np.append(told.product, np.full(10, 40)),
        np.append(told.week, np.arange(10)),
        np.append(told.units, one),
        np.append(told.price, np.linspace(0, 1, 10)),
    )
    assert elasticity(single) == elasticity(told)


def test_few_products_have_no_elasticity() -> None:
    with pytest.raises(AbstainedError, match="needs 30"):
        elasticity(weeks(1, products=20))
