"""Lifetime models find the published parameters, and their intervals cover what they state."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stamgast_learn.faults import AbstainedError, BadHistoryError
from stamgast_learn.lifetime import bg_nbd, forecast, gamma_gamma
from stamgast_learn.lifetime.bg_nbd import BgNbd
from stamgast_learn.lifetime.histories import Histories
from stamgast_learn.lifetime.likelihood import LogLikelihood
from tests.learn.lifetime.worlds import BUYING, SPENDING, cdnow, simulated

positive = st.floats(0.05, 20)


def slopes(of: LogLikelihood, at: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """The stated gradient, and that by central differences."""
    here = np.array(at)
    steps = np.eye(len(at)) * here * 1e-5
    rise = [(of(here + step)[0] - of(here - step)[0]) / (2 * step.sum()) for step in steps]
    return of(here)[1], np.array(rise)


def test_cdnow_gives_the_parameters_of_the_paper() -> None:
    model, _ = bg_nbd.fit(cdnow())
    found = (model.r, model.alpha, model.a, model.b)
    assert found == pytest.approx((0.243, 4.414, 0.793, 2.426), rel=0.005)


def test_cdnow_gives_the_spend_of_the_note() -> None:
    model, _ = gamma_gamma.fit(cdnow())
    assert (model.p, model.q, model.gamma) == pytest.approx((6.25, 3.74, 15.44), rel=0.005)


def test_expected_purchases_of_cdnows_first_customer_are_those_of_the_paper() -> None:
    model, _ = bg_nbd.fit(cdnow())
    assert bg_nbd.expected_purchases(model, cdnow(), 39)[0] == pytest.approx(1.226, abs=0.001)


@settings(max_examples=30)
@given(st.lists(positive, min_size=4, max_size=4))
def test_the_gradient_of_bg_nbd_is_exact(at: list[float]) -> None:
    stated, measured = slopes(bg_nbd._log_likelihood(cdnow().at(slice(0, 60)), 10.0), at)
    assert stated == pytest.approx(measured, rel=1e-3, abs=1e-6)


@settings(max_examples=30)
@given(st.lists(positive, min_size=3, max_size=3))
def test_the_gradient_of_gamma_gamma_is_exact(at: list[float]) -> None:
    histories = cdnow().at(slice(0, 60))
    x, mean = gamma_gamma._repeated(histories)
    stated, measured = slopes(gamma_gamma._log_likelihood(x, mean / 20), at)
    assert stated == pytest.approx(measured, rel=1e-3, abs=1e-6)


@settings(max_examples=30)
@given(r=positive, alpha=st.floats(5, 50), a=positive, b=positive, within=st.floats(0.1, 10))
def test_the_mean_is_that_of_the_distribution(
    r: float, alpha: float, a: float, b: float, within: float
) -> None:
    model, of = BgNbd(r, alpha, a, b), cdnow().at(slice(0, 3))
    mean, purchases = np.zeros(len(of)), 0
    while (more := forecast.at_least(model, of, within, purchases := purchases + 1)).max() > 1e-12:
        mean += more
    assert bg_nbd.expected_purchases(model, of, within) == pytest.approx(mean, rel=1e-4, abs=1e-6)


def test_a_thousand_repeats_overflow_nothing() -> None:
    often = Histories(np.array([1_000]), np.array([51.9]), np.array([52.0]))
    expected = bg_nbd.expected_purchases(BUYING, often, 52)
    assert np.isfinite(expected).all()
    assert 100 < expected[0] < 1_000


@pytest.fixture(scope="module")
def world() -> tuple[Histories, np.ndarray, np.ndarray]:
    """Four thousand simulated customers."""
    return simulated(4_000, 26.0, seed=1)


World = tuple[Histories, np.ndarray, np.ndarray]


def coverage(world: World, model: BgNbd, level: float) -> tuple[float, float]:
    """How many purchases and amounts lie in the intervals of a fitted or a given model."""
    of, later, value = world
    counts = forecast.purchases_interval(model, of, 26.0, level)
    money = forecast.value_interval(model, SPENDING, of, 26.0, level, seed=5)
    inside = (
        (bound.low <= told) & (told <= bound.high)
        for bound, told in ((counts, later), (money, value))
    )
    in_counts, in_money = (float(part.mean()) for part in inside)
    return in_counts, in_money


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_intervals_of_a_fitted_model_cover_what_they_state(world: World, level: float) -> None:
    counts, money = coverage(world, bg_nbd.fit(world[0])[0], level)
    assert counts >= level - 0.015
    assert level - 0.015 <= money <= level + 0.05


def test_intervals_of_a_model_whose_customers_leave_at_once_cover_less(world: World) -> None:
    counts, money = coverage(world, replace(BUYING, a=50.0), 0.9)
    assert counts < 0.88
    assert money < 0.88


def test_the_sum_of_forecasts_is_near_the_sum_of_what_came(world: World) -> None:
    of, later, value = world
    told = forecast.forecast(bg_nbd.fit(of)[0], gamma_gamma.fit(of)[0], of, 26.0)
    assert told.purchases.sum() == pytest.approx(later.sum(), rel=0.1)
    assert told.value.sum() == pytest.approx(value.sum(), rel=0.1)
    assert ((told.alive >= 0) & (told.alive <= 1)).all()


def test_the_stated_doubt_of_the_parameters_covers_the_truth(world: World) -> None:
    model, maximum = bg_nbd.fit(world[0])
    told = np.log([model.r, model.alpha, model.a, model.b])
    truth = np.log([BUYING.r, BUYING.alpha, BUYING.a, BUYING.b])
    assert (np.abs(told - truth) < 4 * np.sqrt(np.diag(maximum.log_covariance))).all()


def test_the_same_seed_gives_the_same_bounds(world: World) -> None:
    of = world[0].at(slice(0, 50))
    first, again = (forecast.value_interval(BUYING, SPENDING, of, 26.0, 0.9, 3) for _ in range(2))
    assert (first.low == again.low).all()
    assert (first.high == again.high).all()


def test_models_survive_as_data() -> None:
    assert bg_nbd.bg_nbd_of(BUYING.to_json()) == BUYING
    assert gamma_gamma.gamma_gamma_of(SPENDING.to_json()) == SPENDING


def test_customers_who_never_return_teach_nothing() -> None:
    nobody = Histories(np.zeros(500, np.int64), np.zeros(500), np.full(500, 30.0), np.zeros(500))
    with pytest.raises(AbstainedError, match="nobody bought a second time"):
        bg_nbd.fit(nobody)
    with pytest.raises(AbstainedError, match="second purchase"):
        gamma_gamma.fit(nobody)


@pytest.mark.parametrize(
    ("repeats", "recency", "age", "fault"),
    [
        (-1, 0, 1, "negative number"),
        (1, 2, 1, "after the cut-off"),
        (0, 1, 2, "without a repeat"),
        (1, float("nan"), 2, "not finite"),
        (1, -1, 2, "before the first"),
    ],
)
def test_histories_that_cannot_be_are_refused(
    repeats: int, recency: float, age: float, fault: str
) -> None:
    with pytest.raises(BadHistoryError, match=fault):
        Histories(np.array([repeats]), np.array([recency]), np.array([age]))
