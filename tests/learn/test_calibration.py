"""Probabilities mean what they say on labels that came later, and abstain where they cannot."""

import numpy as np
import pytest

from stamgast_learn.calibration import (
    ENOUGH_FOR_ISOTONIC,
    Floats,
    Labels,
    apply,
    calibrator_of,
    fit_calibrator,
)
from stamgast_learn.devices import contributions, model_of, probabilities, require_better, train
from stamgast_learn.faults import AbstainedError
from stamgast_learn.reliability import at_threshold, calibration_curve, reliability, wilson
from stamgast_learn.split import split_by_time


def told(number: int, seed: int = 3) -> tuple[Floats, Floats, Labels]:
    """True probabilities, overconfident scores of them, and what came true."""
    random = np.random.default_rng(seed)
    truth = random.beta(0.7, 1.4, number)
    scores = truth**2.5 / (truth**2.5 + (1 - truth) ** 2.5)
    return truth, scores, random.random(number) < truth


@pytest.mark.parametrize("number", [400, 4_000])
def test_overconfident_scores_become_the_truth_and_survive_as_data(number: int) -> None:
    _, scores, labels = told(number)
    calibrator = fit_calibrator(scores, labels)
    later, later_scores, _ = told(20_000, seed=4)
    stated = apply(calibrator_of(calibrator.to_json()), later_scores)
    assert calibrator.method == ("isotonic" if number >= ENOUGH_FOR_ISOTONIC else "platt")
    assert abs(stated - later).mean() < abs(later_scores - later).mean() / 2
    assert (np.diff(stated[np.argsort(later_scores)]) >= 0).all()


def test_no_end_claims_more_than_its_labels_carry() -> None:
    scores = np.linspace(0, 1, 2_000)
    stated = apply(fit_calibrator(scores, scores > 0.5), scores)
    assert 0 < stated.min() == pytest.approx(1 / 1_002)
    assert stated.max() == pytest.approx(1 - 1 / 1_002)


@pytest.mark.parametrize("few", [1, 3, 10])
def test_a_few_at_an_end_do_not_speak_for_everybody(few: int) -> None:
    """The lowest few did not, the next did, and of all others one in twenty."""
    scores = np.linspace(0.0, 1.0, 2_000)
    labels = np.arange(2_000) % 20 == few % 20
    told = apply(fit_calibrator(scores, labels), scores)
    assert told.mean() == pytest.approx(labels.mean(), abs=0.005)
    turned = apply(fit_calibrator(scores, ~labels[::-1]), scores)
    assert turned.mean() == pytest.approx(1 - labels.mean(), abs=0.005)


def test_scores_that_say_the_opposite_are_not_turned_round() -> None:
    _, scores, labels = told(400)
    stated = apply(fit_calibrator(1 - scores, labels), np.array([0.1, 0.9]))
    assert stated[0] == pytest.approx(stated[1])


def test_one_class_alone_cannot_calibrate() -> None:
    with pytest.raises(AbstainedError, match="0 positives of 50"):
        fit_calibrator(np.full(50, 0.5), np.zeros(50, np.bool_))


def test_a_report_covers_the_truth_and_beats_the_base_rate() -> None:
    truth, scores, labels = told(8_000)
    report = reliability(truth, labels, float(labels.mean()))
    assert report.brier_low < float((truth * (1 - truth)).mean()) < report.brier_high
    assert report.is_better_than_base_rate
    assert sum(one.low <= one.stated <= one.high for one in report.curve) >= 8
    assert report.calibration_error < reliability(scores, labels, 0.3).calibration_error


def test_scores_of_chance_are_not_better_than_the_base_rate() -> None:
    _, scores, labels = told(2_000)
    shuffled = np.random.default_rng(9).permutation(scores)
    assert not reliability(shuffled, labels, float(labels.mean())).is_better_than_base_rate


def test_precision_and_recall_are_counted_at_and_above_the_threshold() -> None:
    stated, labels = np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, True, False, True])
    told = at_threshold(stated, labels, 0.8)
    assert (told.links, told.precision, told.recall) == (3, 2 / 3, 2 / 3)
    assert at_threshold(stated, labels, 0.95).precision is None


def test_equal_scores_stand_in_one_bin() -> None:
    curve = calibration_curve(np.full(200, 0.5), np.arange(200) % 2 == 0)
    assert [(one.count, one.observed) for one in curve] == [(200, 0.5)]


def test_an_interval_of_no_successes_is_not_nothing() -> None:
    assert wilson(0, 20) == (0.0, pytest.approx(0.161, abs=1e-3))


def test_the_oldest_weeks_train_the_next_calibrate_and_the_latest_judge() -> None:
    panel = np.repeat(np.arange(10, 0, -1), 40).astype(np.int64)
    labels = np.arange(400) % 2 == 0
    split = split_by_time(panel, labels, 100)
    assert panel[split.train].min() > panel[split.calibrate].max()
    assert panel[split.calibrate].min() > panel[split.judge].max()
    assert (split.train | split.calibrate | split.judge).all()


@pytest.mark.failure_line(34)
def test_three_positives_and_one_single_week_abstain_with_the_reason() -> None:
    """Line 34: a target with 3 positives, and labels that leave nothing to judge by."""
    panel = np.repeat(np.arange(10, 0, -1), 40).astype(np.int64)
    with pytest.raises(AbstainedError, match="3 positives and 397 negatives in all; needs 100"):
        split_by_time(panel, np.arange(400) < 3, 100)
    with pytest.raises(AbstainedError, match="labels of 1 weeks; needs 3"):
        split_by_time(np.ones(400, np.int64), np.arange(400) % 2 == 0, 100)
    with pytest.raises(AbstainedError, match="0 positives and 80 negatives to judge by"):
        split_by_time(panel, (np.arange(400) < 320) & (np.arange(400) % 2 == 0), 100)


def test_a_large_last_week_still_leaves_something_to_judge_by() -> None:
    panel = np.repeat([3, 2, 1], [20, 30, 350]).astype(np.int64)
    split = split_by_time(panel, np.arange(400) % 2 == 0, 20)
    assert [int(part.sum()) for part in (split.train, split.calibrate, split.judge)] == [
        20,
        30,
        350,
    ]


def pairs(number: int, strength: float, seed: int = 5) -> tuple[Floats, Labels, np.ndarray]:
    random = np.random.default_rng(seed)
    measured = random.normal(size=(number, 3))
    measured[:, 2] = 1.0
    z = strength * measured[:, 0] - 1
    return (
        measured,
        random.random(number) < 1 / (1 + np.exp(-z)),
        np.sort(random.integers(1, 13, number))[::-1],
    )


@pytest.mark.failure_line(34)
def test_a_model_explains_each_pair_and_gives_a_constant_feature_no_weight() -> None:
    """Line 34: a constant feature."""
    measured, labels, panel = pairs(3_000, 2.0)
    trained = train("7", ("shared", "noise", "constant"), measured, labels, panel, 100)
    require_better(trained)
    model = model_of(trained.model.to_json())
    assert model == trained.model
    assert abs(model.weights[2]) < 1e-9
    weights = contributions(model, measured)
    assert abs(weights[:, 0]).mean() > 10 * abs(weights[:, 1]).mean()
    assert ((probabilities(model, measured) > 0.5) == labels).mean() > 0.75


@pytest.mark.failure_line(34)
def test_a_model_no_better_than_the_base_rate_is_not_used_and_says_so() -> None:
    """Line 34: a model that is no better than a simple baseline."""
    measured, labels, panel = pairs(3_000, 0.0)
    trained = train("7", ("shared", "noise", "constant"), measured, labels, panel, 100)
    with pytest.raises(AbstainedError, match="not shown to be better than no model"):
        require_better(trained)
