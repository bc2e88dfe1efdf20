"""Where there is nothing to tell apart a kind abstains and says so; it does not fail."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stamgast_learn.drivers.regression import regress
from stamgast_learn.recommend.evidence import Evidence, csr_array
from tests.learn.kinds import test_drivers as drivers


def test_an_outcome_that_is_the_same_of_everybody_at_each_cut_off_has_no_driver(
    tmp_path: Path,
) -> None:
    """Everybody spent ten at one cut-off, and eleven at the next."""
    told = drivers.panel()
    alike = replace(told, label=10.0 + np.searchsorted(told.cuts, told.cut_on))
    outcome = drivers.run(alike, tmp_path)
    assert outcome.why == "the outcome is the same of everybody at each cut-off"


def test_a_line_that_explains_all_of_it_has_no_error_and_no_impossible_probability() -> None:
    random = np.random.default_rng(4)
    columns = np.column_stack([random.normal(size=(90, 2)), np.ones(90)])
    told = regress(columns, columns[:, 0] * 3.0, np.repeat(np.arange(30), 3), 2)
    assert np.isfinite(told.errors).all()
    assert ((told.q >= 0) & (told.q <= 1)).all()


@pytest.mark.parametrize("items", [1, 3])
def test_of_no_pair_of_person_and_item_there_is_no_number(items: int) -> None:
    """One product, which everybody has bought and is not offered again."""
    own = np.ones((2, 4))
    told = Evidence(
        own_row=np.array([0, 1]),
        own_item=np.array([0, 0]),
        own=own,
        alike=csr_array((2, items)),
        popular=np.zeros((2, items)),
        active=np.zeros(2),
    )
    none = np.zeros(0, np.int64)
    assert told.of(none, none).shape == (0, 7)
    assert told.of(np.array([1]), np.array([0])).shape == (1, 7)
