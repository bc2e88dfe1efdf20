"""Shares and elasticities are as sure as they say, and are told as observed."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stamgast_learn.calibration import Floats
from stamgast_learn.discount.elasticity import elasticity
from stamgast_learn.discount.lines import BY_PERSON, People, Weeks, people_at
from stamgast_learn.discount.shares import fit
from stamgast_learn.faults import AbstainedError

Counts = tuple[Floats, Floats, Floats, Floats]


def world(seed: int, lines: range, later: range, size: int = 1) -> tuple[Floats, People]:
    """The true shares, beta(2, 3), and what 1,500 people bought, in orders of so many alike."""
    random, rows = np.random.default_rng(seed), 1_500
    share = random.beta(2.0, 3.0, rows)
    before, after = (random.integers(one.start, one.stop, rows) for one in (lines, later))
    on, later_on = (random.binomial(many, share) for many in (before, after))
    told = [size * one.astype(np.float64) for one in (before, on, after, later_on)]
    p = on / before
    squares = size**2 * (on * (1 - p) ** 2 + (before - on) * p**2)
    expected = size * on * (before - on) / before
    return share, People(np.arange(rows), *told, squares, expected)


def told_of(people: People) -> Counts:
    """What was bought before and after."""
    return people.lines, people.discounted, people.later, people.later_discounted


CUT = int(np.datetime64("2026-02-01", "D").astype(int))
FEW, SOME, MANY = range(1, 5), range(1, 40), range(10, 40)


def test_the_distribution_of_shares_is_found() -> None:
    people = world(1, SOME, MANY)[1]
    found = fit(people.lines, people.discounted, 1.0)
    assert (found.a, found.b) == (pytest.approx(2, rel=0.15), pytest.approx(3, rel=0.15))


def held(share: Floats, people: People) -> tuple[float, float]:
    """For which part the bounds hold true shares, and what a card would say of them."""
    shares = fit(people.lines, people.discounted, people.design_effect)
    low, high = shares.bounds(people.lines, people.discounted)
    stated = shares.coverage(*told_of(people)).mean()
    return float(((low <= share) & (share <= high)).mean()), float(stated)


@pytest.mark.parametrize(
    ("lines", "later", "size"),
    [(SOME, MANY, 1), (FEW, FEW, 1), (FEW, MANY, 1), (SOME, FEW, 1), (range(3, 8), FEW, 6)],
)
def test_bounds_hold_shares_as_often_as_they_and_their_card_say(
    lines: range, later: range, size: int
) -> None:
    """Of few lines and of many, and where those of an order are discounted together."""
    true, stated = np.mean([held(*world(seed, lines, later, size)) for seed in range(4)], axis=0)
    assert true == pytest.approx(0.9, abs=0.02)
    assert stated == pytest.approx(0.9, abs=0.02)


def test_an_interval_of_whole_lines_would_hold_far_more_than_it_says() -> None:
    """The broken variant: whatever lies within the tails at all is held altogether."""
    people = world(1, SOME, FEW)[1]
    shares = fit(people.lines, people.discounted, 1.0)
    assert (shares.coverage(*told_of(people)) > 0).mean() > 0.96


def test_lines_that_are_taken_as_if_each_were_by_itself_hold_too_little() -> None:
    share, people = world(1, range(3, 8), FEW, 6)
    alone = fit(people.lines, people.discounted, 1.0)
    low, high = alone.bounds(people.lines, people.discounted)
    assert ((low <= share) & (share <= high)).mean() < 0.75
    assert alone.coverage(*told_of(people)).mean() < 0.75


def write_lines(path: Path, size: int, people: int = 600) -> Path:
    """A panel's file of one cut-off and of people with one to four orders, of so many lines alike
    each."""
    random = np.random.default_rng(3)
    share, orders = random.beta(2.0, 3.0, people), random.integers(1, 5, people)
    order = np.repeat(np.arange(orders.sum()), size)
    person = np.repeat(np.repeat(np.arange(people), orders), size)
    on = (random.random(orders.sum()) < np.repeat(share, orders))[order]
    lines = pa.table(
        {
            "person_id": person,
            "order_id": order,
            "cut_on": np.full(len(order), np.datetime64("2026-01-01", "us")),
            "product": np.full(len(order), "p"),
            "discount_minor": on.astype(np.int64),
        }
    )
    cut = pa.table(
        {
            "person_id": np.arange(people),
            "cut_on": np.full(people, np.datetime64("2026-02-01", "us")),
            "label": np.zeros(people),
        }
    )
    pq.write_table(pa.concat_tables([lines, cut], promote_options="default"), path)
    return path


@pytest.mark.parametrize("size", [1, 3])
def test_of_few_lines_it_is_found_how_many_are_discounted_together(
    tmp_path: Path, size: int
) -> None:
    file = write_lines(tmp_path / "panel.parquet", size)
    told = people_at(file, CUT, 30)
    assert told.design_effect == pytest.approx(size, rel=0.1)


def test_spread_about_a_share_of_the_same_few_lines_would_be_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken variant: lines are expected to scatter as if each person's share were known."""
    known = "sum(o.lines * p.discounted * (p.lines - p.discounted) / p.lines ** 2 * (1 - o.lines"
    broken = re.sub(
        r"\(any_value.*? as expected",
        f"{known} / p.lines)) as expected",
        BY_PERSON,
        flags=re.DOTALL,
    )
    monkeypatch.setattr("stamgast_learn.discount.lines.BY_PERSON", broken)
    file = write_lines(tmp_path / "panel.parquet", 1)
    told = people_at(file, CUT, 30)
    assert told.design_effect > 1.3


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
