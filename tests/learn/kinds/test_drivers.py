"""Drivers are as sure as they say, of many at once, and say what cannot be told apart."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stamgast_learn.calibration import Floats
from stamgast_learn.drivers.design import design_of
from stamgast_learn.drivers.regression import holm, regress
from stamgast_learn.drivers.run import learn_run
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.run import Order, Outcome
from tests.learn.predict.worlds import FIRST_DAY, WITHIN, write

NAMES = ("visits", "tickets", "noise")
ORDER = Order("why", "1", NAMES, WITHIN, 100, 0.01, 365, True, kind="drivers")
TRUTH = np.array([2.0, -1.0, 0.0])


def world(
    seed: int, people: int = 150, *, rows_each: int = 1, spread_grows: bool = True
) -> tuple[Floats, Floats, np.ndarray]:
    """Columns, an outcome whose noise grows with visits, and whose rows they are."""
    random = np.random.default_rng(seed)
    measured = random.normal(size=(people, 3)).repeat(rows_each, axis=0)
    size = 0.5 + 2.0 * measured[:, 0] ** 2 if spread_grows else np.ones(len(measured))
    shared = random.normal(size=people).repeat(rows_each)
    noise = shared if rows_each > 1 else random.normal(size=len(measured))
    outcome = measured @ TRUTH + size * noise
    return (
        np.column_stack([measured, np.ones(len(measured))]),
        outcome,
        np.repeat(np.arange(people), rows_each),
    )


def held(
    told: object, *, rows_each: int = 1, own_rows: bool = False, classic: bool = False
) -> float:
    """How often the stated 95 % hold the truth of visits, over 300 worlds."""
    found = []
    for seed in range(300):
        columns, outcome, person = world(seed, rows_each=rows_each)
        who = np.arange(len(person)) if own_rows else person
        fitted = regress(columns, outcome, who, 3)
        low, high = fitted.low[0], fitted.high[0]
        if classic:
            off = outcome - columns @ np.linalg.lstsq(columns, outcome, rcond=None)[0]
            error = np.sqrt((off**2).mean() * np.linalg.inv(columns.T @ columns)[0, 0])
            low, high = fitted.coefficients[0] - 1.96 * error, fitted.coefficients[0] + 1.96 * error
        found.append(low <= TRUTH[0] <= high)
    return float(np.mean(found))


def test_intervals_hold_the_truth_as_often_as_they_say_where_spread_is_unequal() -> None:
    assert 0.92 <= held(None) <= 0.98


def test_classic_errors_would_be_caught() -> None:
    assert held(None, classic=True) < 0.85


def test_rows_of_one_person_count_as_one() -> None:
    assert 0.92 <= held(None, rows_each=4) <= 0.98


def test_errors_that_take_each_row_by_itself_would_be_caught() -> None:
    assert held(None, rows_each=4, own_rows=True) < 0.85


def test_of_one_row_a_person_the_errors_are_those_of_hc3() -> None:
    columns, outcome, person = world(1)
    inverse = np.linalg.inv(columns.T @ columns)
    hat = np.einsum("ij,jk,ik->i", columns, inverse, columns)
    off = outcome - columns @ (inverse @ columns.T @ outcome)
    meat = columns.T @ (columns * ((off / (1 - hat)) ** 2)[:, None])
    hc3 = np.sqrt(np.diag(inverse @ meat @ inverse))[:3]
    told = regress(columns, outcome, person, 3).errors
    np.testing.assert_allclose(told, hc3 * np.sqrt(149 / 150), rtol=1e-6)


def test_holm_steps_down_and_never_falls() -> None:
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, 0.03])), [0.06, 0.03, 0.06])


def panel(seed: int = 3, people: int = 500, cuts: int = 4) -> Panel:
    """People at cut-offs, whose outcome depends on visits and tickets."""
    random = np.random.default_rng(seed)
    rows = people * cuts
    measured = random.normal(size=(rows, 3))
    odds = 1 / (1 + np.exp(-(measured @ np.array([1.0, -0.7, 0.0]))))
    label = (random.random(rows) < odds).astype(np.float64)
    person = np.array([f"p{n}" for n in np.tile(np.arange(people), cuts)], dtype=object)
    cut = FIRST_DAY + WITHIN * np.repeat(np.arange(cuts), people)
    return Panel(person, cut, label, measured, NAMES)


def run(told: Panel, folder: Path, order: Order = ORDER) -> Outcome:
    """The outcome of a run."""
    return learn_run(order, write(told, folder / "panel.parquet"), None)[0]


def test_what_goes_with_the_outcome_stands_and_noise_does_not(tmp_path: Path) -> None:
    outcome = run(panel(), tmp_path)
    assert outcome.is_used
    told = {one["feature"]: one for one in outcome.report["judgement"]["drivers"]}
    assert told["visits"]["stands"]
    assert told["tickets"]["effect"] < 0
    assert not told["noise"]["stands"]
    words = outcome.report["judgement"]["words"]
    assert "percentage points more" in words[0]
    assert "percentage points less" in words[1]


def test_of_a_condition_it_is_told_what_goes_with_its_being_so(tmp_path: Path) -> None:
    told = panel()
    measured = told.measured.copy()
    measured[:, 0] = measured[:, 0] > 1.0
    label = np.random.default_rng(8).random(len(told)) < 0.2 + 0.5 * measured[:, 0]
    outcome = run(replace(told, measured=measured, label=label.astype(np.float64)), tmp_path)
    (words,) = outcome.report["judgement"]["words"]
    assert words.startswith("visits rather than not, all else equal, goes with")
    assert float(words.split("goes with ")[1].split()[0]) == pytest.approx(50, abs=6)


def test_a_behaviour_that_repeats_others_is_left_out_and_named(tmp_path: Path) -> None:
    told = panel()
    measured = told.measured.copy()
    measured[:, 2] = 3 * measured[:, 0] - measured[:, 1]
    assert design_of(replace(told, measured=measured)).repeated == ("noise",)


def test_behaviours_that_go_together_say_so() -> None:
    told = panel()
    measured = told.measured.copy()
    measured[:, 2] = measured[:, 0] + 0.1 * measured[:, 2]
    design = design_of(replace(told, measured=measured))
    assert design.nearest[:1] == ("noise",)
    assert design.inflation[0] > 10


def test_noise_alone_drives_nothing(tmp_path: Path) -> None:
    told = panel()
    label = np.random.default_rng(8).integers(0, 2, len(told)).astype(np.float64)
    outcome = run(replace(told, label=label), tmp_path)
    assert not outcome.is_used
    assert "not shown to be better than the mean" in str(outcome.why)


@pytest.mark.failure_line(34)
def test_a_behaviour_that_knows_the_outcome_is_refused(tmp_path: Path) -> None:
    """Line 34: label leakage, a feature computed after the cut-off."""
    told = panel()
    measured = told.measured.copy()
    measured[:, 2] += 10 * told.label
    assert "feature noise alone" in str(run(replace(told, measured=measured), tmp_path).why)


def test_money_is_told_in_money(tmp_path: Path) -> None:
    told = panel()
    chance = np.random.default_rng(8).normal(size=len(told))
    spent = np.maximum(0, 10 + 10 * told.measured[:, 0] + 20 * chance)
    outcome = run(replace(told, label=spent), tmp_path)
    assert outcome.report["judgement"]["is_money"]
    assert "percentage points" not in outcome.report["judgement"]["words"][0]
