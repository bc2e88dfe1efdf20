"""Counts that run ahead of another know what comes; counts whose difference is a habit do not."""

from collections.abc import Sequence

import numpy as np
import pytest

from stamgast_learn.calibration import Floats
from stamgast_learn.predict import pairs
from stamgast_learn.predict.expectation import expected
from stamgast_learn.predict.leaks import leaks
from stamgast_learn.predict.panel import Panel
from tests.learn.predict.worlds import FIRST_DAY, WITHIN

PEOPLE, CUTS = 900, 4


def placed(columns: Sequence[Floats], came: Floats, names: tuple[str, ...]) -> Panel:
    """A panel of everybody at each cut-off, of (cut-offs, people) each."""
    person = np.tile(np.arange(PEOPLE), CUTS)
    cut = FIRST_DAY + WITHIN * np.repeat(np.arange(CUTS), PEOPLE)
    told = np.column_stack([one.ravel() for one in columns])
    return Panel(person, cut, 1.0 * came.ravel(), told, names)


def invoiced() -> Panel:
    """Purchases, ever and of two days; of the next day's each invoice bears the day before's date.

    So an invoice of the last two days where there is no purchase of these tells of the next one.
    """
    random = np.random.default_rng(12)
    rate = np.broadcast_to(random.gamma(1.0, 0.3, PEOPLE), (CUTS, PEOPLE))
    came = random.random(rate.shape) < 1 - np.exp(-rate)
    tomorrow = 1.0 * (came & (random.random(rate.shape) < 0.12))
    orders = np.cumsum(random.poisson(3 * rate), axis=0)
    lately = random.poisson(rate / 15)
    columns = (orders + tomorrow, lately + tomorrow, orders, lately, random.normal(size=rate.shape))
    return placed(columns, came, ("invoices", "invoices_2d", "orders", "orders_2d", "noise"))


@pytest.mark.failure_line(34)
def test_what_bears_the_date_of_the_day_before_is_suspected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Line 34: dates without a time are the start of a day in UTC, the eve of it further west."""
    told = invoiced()
    assert {one.feature for one in leaks(told, WITHIN)} & {"invoices", "invoices_2d"}
    monkeypatch.setattr(pairs, "expected", lambda view, _: expected(view, view.features))
    assert not leaks(told, WITHIN)


def under_contract() -> Panel:
    """Contracts that began and ended: who is under one pays month by month, whoever is not never.

    Neither count says so by itself.
    """
    random = np.random.default_rng(5)
    ends = random.poisson(2, PEOPLE)
    is_under = random.random(PEOPLE) < 0.4
    came = is_under & (random.random((CUTS, PEOPLE)) < 0.97)
    everybody = np.ones((CUTS, 1))
    columns = (everybody * (ends + is_under), everybody * ends, random.normal(size=came.shape))
    return placed(columns, came, ("starts", "ends", "noise"))


def test_a_difference_that_was_as_sure_of_the_horizon_before_is_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = under_contract()
    assert not list(pairs.paired(told, told, told.features, WITHIN))
    monkeypatch.setattr(pairs, "is_memory", lambda *_: False)
    assert list(pairs.paired(told, told, told.features, WITHIN))
