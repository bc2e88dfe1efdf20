"""Uplift is causal or not stated: it finds whom a treatment moves, and knows broken experiments."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import Column, read_columns, write_columns
from stamgast_learn.predict.ranking import Measure
from stamgast_learn.predict.run import Order
from stamgast_learn.uplift.judged import areas
from stamgast_learn.uplift.learners import effects_of
from stamgast_learn.uplift.run import _require_found, learn_run, score_run
from stamgast_learn.uplift.trial import effect, rows_as_one

NAMES = ("a", "b", "c")
ORDER = Order(
    *("helped", "1", NAMES, 30, 100, 0.01, 365, True),
    kind="uplift",
    settings={"treated_share": 0.5},
)
DAY = np.datetime64("2026-03-01", "us")


def trial(
    folder: Path,
    *,
    people: int = 3_000,
    moves: float = 0.3,
    share: float = 0.5,
    chooses: float = 0.0,
    leaks: bool = False,
) -> Path:
    """An experiment's panel, in which `a` above 0 is moved; with `chooses`, `b` decides who is
    treated; with `leaks`, `c` knows the outcome. As many people again are to be scored."""
    random = np.random.default_rng(5)
    measured = random.normal(size=(people, 3))
    treated = random.random(people) < share + chooses * np.sign(measured[:, 1])
    odds = (
        0.3
        + 0.08 * np.clip(measured[:, 1], -1, 1)
        + treated * np.where(measured[:, 0] > 0, moves, 0)
    )
    label = (random.random(people) < odds).astype(np.float64)
    if leaks:
        measured[:, 2] += 10 * label
    columns: dict[str, np.ndarray] = {
        "person_id": np.array([f"p{n}" for n in range(people)] * 2, dtype=object),
        "cut_on": np.full(2 * people, DAY),
        "label": np.append(label, np.full(people, np.nan)),
        "arm": np.append(treated.astype(np.float64), np.full(people, np.nan)),
        **{f"f{n}": np.tile(measured[:, n], 2) for n in range(3)},
    }
    path = folder / "panel.parquet"
    write_columns(path, columns)
    return path


def test_the_learner_finds_whom_the_treatment_moves(tmp_path: Path) -> None:
    path = trial(tmp_path)
    outcome, made = learn_run(ORDER, path, None)
    assert outcome.is_used, outcome.why
    told = outcome.report["judgement"]
    assert told["effect"]["low"] < 0.16
    assert told["effect"]["high"] > 0.14
    assert told["orders"]["x_learner"]["qini"]["low"] > 0
    assert (
        told["orders"]["likeliest_to_buy"]["qini"]["value"]
        < told["orders"]["x_learner"]["qini"]["low"]
    )
    assert made is not None
    scores = tmp_path / "scores.parquet"
    assert score_run(ORDER, made, path, scores)["scored"] == 3_000
    moved = read_columns(path)["f0"][3_000:] > 0
    value = read_columns(scores)["value"]
    assert value[moved].mean() == pytest.approx(0.25, abs=0.1)
    assert value[~moved].mean() == pytest.approx(0.0, abs=0.1)
    first = [json.loads(one)[0] for one in read_columns(scores)["reasons"]]
    assert np.mean([one["feature"] == "a" for one in first]) > 0.9
    told_of = np.array([one["uplift"] for one in first])
    assert told_of[moved].mean() > 0 > told_of[~moved].mean()


def test_who_is_likeliest_to_buy_has_to_be_beaten() -> None:
    whole = Measure(0.1, 0.05, 0.15)
    orders = {"x_learner": {"qini": {"value": 0.02, "low": 0.01, "high": 0.03}}}
    _require_found(orders | {"likeliest_to_buy": {"qini": {"value": 0.01}}}, whole)
    with pytest.raises(AbstainedError, match=r"no better than who is likeliest to buy"):
        _require_found(orders | {"likeliest_to_buy": {"qini": {"value": 0.02}}}, whole)


def test_a_short_history_is_too_little(tmp_path: Path) -> None:
    outcome, made = learn_run(replace(ORDER, history_days=60), trial(tmp_path), None)
    assert made is None
    assert str(outcome.why).startswith("60 days of history; needs 90")


def test_the_same_experiment_makes_the_same_model(tmp_path: Path) -> None:
    path = trial(tmp_path, people=1_500)
    first, again = (learn_run(ORDER, path, None)[1] for _ in range(2))
    assert first is not None
    assert again is not None
    asked = np.random.default_rng(1).normal(size=(50, 3))
    told = (effects_of(one).uplift(asked) for one in (first, again))
    np.testing.assert_array_equal(*told)


def test_a_treatment_that_moves_all_alike_abstains_and_tells_its_effect(tmp_path: Path) -> None:
    outcome, _ = learn_run(ORDER, trial(tmp_path, people=1_200, moves=0.0), None)
    assert not outcome.is_used
    assert "not shown to find whom the treatment moves" in str(outcome.why)
    assert "its effect on everybody is" in str(outcome.why)


def test_arms_of_the_wrong_sizes_say_nothing_causal(tmp_path: Path) -> None:
    outcome, _ = learn_run(ORDER, trial(tmp_path, people=1_500, share=0.6), None)
    assert "the arms were not made by chance" in str(outcome.why)


def test_arms_that_differed_before_say_nothing_causal(tmp_path: Path) -> None:
    outcome, _ = learn_run(ORDER, trial(tmp_path, people=1_500, chooses=0.15), None)
    assert "the arms differ before the treatment" in str(outcome.why)
    assert "most in b" in str(outcome.why)


def test_too_few_in_an_arm_are_counted(tmp_path: Path) -> None:
    outcome, _ = learn_run(ORDER, trial(tmp_path, people=300), None)
    assert "needs 100 of each" in str(outcome.why)


@pytest.mark.failure_line(34)
def test_a_feature_that_knows_the_outcome_is_refused(tmp_path: Path) -> None:
    """Line 34: label leakage, a feature computed after the cut-off."""
    outcome, _ = learn_run(ORDER, trial(tmp_path, people=1_500, leaks=True), None)
    assert "feature c alone" in str(outcome.why)


def test_the_effects_interval_holds_the_truth_as_often_as_it_says() -> None:
    random, found = np.random.default_rng(2), []
    for _ in range(500):
        treated = random.random(400) < 0.5
        came = (random.random(400) < np.where(treated, 0.4, 0.3)).astype(np.float64)
        told = effect(came, treated, np.arange(400))
        found.append(told.low <= 0.1 <= told.high)
    assert 0.92 <= np.mean(found) <= 0.98


def _of_couples(random: np.random.Generator, couples: int = 200) -> tuple[Labels, Floats, Column]:
    """People who were known as two at the beginning, and are treated, and buy, as one."""
    treated = random.random(couples) < 0.5
    came = (random.random(couples) < np.where(treated, 0.4, 0.3)).astype(np.float64)
    return treated.repeat(2), came.repeat(2), np.arange(couples).repeat(2)


def _held(*, is_counted_once: bool) -> float:
    random, found = np.random.default_rng(3), []
    for _ in range(500):
        treated, came, who = _of_couples(random)
        told = effect(came, treated, who if is_counted_once else np.arange(len(who)))
        found.append(told.low <= 0.1 <= told.high)
    return float(np.mean(found))


def test_the_effects_interval_takes_who_was_known_as_two_as_one() -> None:
    assert 0.92 <= _held(is_counted_once=True) <= 0.98


def test_rows_by_themselves_would_be_caught() -> None:
    assert _held(is_counted_once=False) < 0.88


def _refused(*, is_counted_once: bool) -> float:
    """In which part of honest experiments the arms have a size that is rarer than one in ten."""
    random, found = np.random.default_rng(4), []
    for _ in range(400):
        treated, _, who = _of_couples(random)
        each = rows_as_one(treated, who if is_counted_once else np.arange(len(who)))
        many = (round(treated.sum() / each), round(len(treated) / each))
        found.append(binomtest(*many, 0.5).pvalue < 0.1)
    return float(np.mean(found))


def test_the_arms_sizes_are_those_of_people() -> None:
    assert _refused(is_counted_once=True) <= 0.13
    assert _refused(is_counted_once=False) > 0.2


def test_of_rows_of_one_person_each_says_as_much_as_one() -> None:
    assert rows_as_one(np.arange(50) < 20, np.arange(50)) == pytest.approx(1.0)
    assert rows_as_one(np.arange(50) < 20, np.arange(50) // 2) == pytest.approx(2.0)


def _ordered(scores: Floats) -> float:
    random = np.random.default_rng(4)
    moved = np.arange(4_000) % 2 == 0
    treated = random.random(4_000) < 0.5
    came = (random.random(4_000) < 0.2 + 0.4 * moved * treated).astype(np.float64)
    return areas(scores[moved.astype(int)], came, treated, np.ones(4_000))[0]


def test_qini_is_above_random_for_the_right_order_and_below_it_for_the_wrong_one() -> None:
    assert _ordered(np.array([0.0, 1.0])) == pytest.approx(0.05, abs=0.02)
    assert _ordered(np.array([1.0, 0.0])) == pytest.approx(-0.05, abs=0.02)
    assert _ordered(np.array([0.0, 0.0])) == pytest.approx(0.0, abs=1e-9)


def test_of_settings_the_share_that_should_be_treated_counts(tmp_path: Path) -> None:
    path = trial(tmp_path, people=2_500, share=0.7)
    told = replace(ORDER, settings={"treated_share": 0.7})
    assert "by chance" not in str(learn_run(told, path, None)[0].why)
