"""Predictions beat what needs no model, are as sure as they say, and abstain where they must."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skops.io.exceptions import UntrustedTypesFoundException

from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import read_columns
from stamgast_learn.predict import estimate
from stamgast_learn.predict.backtest import backtest, challenge
from stamgast_learn.predict.contributions import contributions
from stamgast_learn.predict.drift import SHIFTED, stability_index
from stamgast_learn.predict.estimate import loaded
from stamgast_learn.predict.folds import folds
from stamgast_learn.predict.judgement import Judgement, judge, require_better
from stamgast_learn.predict.leaks import leaks
from stamgast_learn.predict.newest import newest
from stamgast_learn.predict.panel import Panel, read_panel
from stamgast_learn.predict.predictor import learn, predictor_of
from stamgast_learn.predict.ranking import area, auc_of, ranking
from stamgast_learn.predict.resemblance import resemble
from stamgast_learn.predict.run import Order, Outcome, learn_run, score_run
from stamgast_learn.predict.scores import percentiles, scores_of
from stamgast_learn.reliability import spread
from tests.learn.predict.worlds import FEATURES, ORDER, WITHIN, world, write


@pytest.fixture(scope="module")
def panel() -> Panel:
    """The panel of most tests."""
    return world()[0]


@pytest.fixture(scope="module")
def judgement() -> Judgement:
    """The judgement of a backtest of enough people for trees."""
    return judge(backtest(world(people=1_000)[0].labelled, WITHIN))


def run(panel: Panel, folder: Path, order: Order = ORDER, champion: bytes | None = None) -> Outcome:
    """The outcome of a run on a panel."""
    return learn_run(order, write(panel, folder / "panel.parquet"), champion)[0]


def test_a_panel_survives_its_file(panel: Panel, tmp_path: Path) -> None:
    again = read_panel(write(panel, tmp_path / "panel.parquet"), FEATURES)
    np.testing.assert_array_equal(again.measured, panel.measured)
    np.testing.assert_array_equal(again.label, panel.label)
    assert (again.cut_on == panel.cut_on).all()


def test_a_model_finds_what_rfm_does_not_know(judgement: Judgement) -> None:
    require_better(judgement, 0.05)
    assert judgement.ranking.auc.low > judgement.baselines["rfm_cell"].auc.value


def unknown_until_now(people: int) -> Panel:
    """A panel in which two features are known of those who are to be scored alone."""
    told = world(people)[0]
    measured = told.measured.copy()
    measured[~np.isnan(told.label), 4:] = np.nan
    return replace(told, measured=measured)


def test_what_nobody_knew_at_any_past_cut_off_is_left_out_and_named(tmp_path: Path) -> None:
    """Of 900 people, for trees alone cannot bin a column of nothing, and they need that many."""
    told = run(unknown_until_now(900), tmp_path)
    assert told.is_used
    assert told.report["constant"] == ["noise", "same"]
    assert told.report["unknown"] == ["noise", "same"]


def test_trees_that_are_handed_a_column_of_nothing_die(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "binnable", lambda measured: measured)
    with pytest.raises(ValueError, match="window shape"):
        run(unknown_until_now(900), tmp_path)


def test_the_backtest_never_learns_from_an_outcome_that_had_not_come(panel: Panel) -> None:
    later = panel.labelled
    spoilt = replace(
        later, label=np.where(later.cut_on >= later.cuts[3], 1 - later.label, later.label)
    )
    judged = later.cuts[3]
    one, other = (backtest(told, WITHIN) for told in (later, spoilt))
    same = one.judged.cut_on == judged
    np.testing.assert_array_equal(one.stated[same], other.stated[same])


def test_whoever_is_judged_was_not_learnt_of(panel: Panel) -> None:
    """What never changes of a person would tell who they are; here it is all that there is."""
    random, told = np.random.default_rng(6), panel.labelled
    _, of = np.unique(told.person, return_inverse=True)
    measured = np.full_like(told.measured, 1.0)
    measured[:, 4] = random.normal(size=of.max() + 1)[of]
    always = (random.random(of.max() + 1) < 0.5)[of].astype(np.float64)
    judged = backtest(replace(told, measured=measured, label=always), WITHIN)
    assert abs(auc_of(judged.stated, judged.judged.label == 1) - 0.5) < 0.08
    asked = challenge(replace(told, measured=measured, label=always), WITHIN, 0)
    assert asked is not None  # the same people are known again
    assert auc_of(asked[1], asked[0].label == 1) > 0.58


def test_what_is_said_of_the_newest_cut_off_is_said_of_a_model_like_the_one_in_use() -> None:
    """Older cut-offs learn of too few rows for trees; what is stated must be of trees all the same.

    Of a line, which knows no two features together, the area is a half.
    """
    random, size = np.random.default_rng(8), 5 * 500
    measured = np.column_stack([random.normal(size=(size, 2)), np.zeros((size, 3))])
    odds = 1 / (1 + np.exp(-3.0 * np.sign(measured[:, 0] * measured[:, 1])))
    label = (random.random(size) < odds).astype(np.float64)
    of, cut_on = np.tile(np.arange(500), 5), 20_000 + WITHIN * np.repeat(np.arange(5), 500)
    told = Panel(of, cut_on, label, measured, FEATURES[:5])
    assert hasattr(learn(told).estimate.estimator, "_predictors")
    tested, stated = backtest(told, WITHIN), newest(told, WITHIN)
    assert auc_of(stated.order, stated.judged.label == 1) > 0.88
    assert auc_of(tested.stated, tested.judged.label == 1) < 0.6
    judged = judge(tested, stated)
    assert judged.ranked_on == str(np.datetime64(int(told.cuts[-1]), "D"))
    assert judged.ranking.people == 500
    assert len(judged.cuts) == 3


def test_a_longer_horizon_keeps_more_cut_offs_out(panel: Panel) -> None:
    assert len(backtest(panel.labelled, WITHIN).judged.cuts) == 3
    assert len(backtest(panel.labelled, 2 * WITHIN).judged.cuts) == 2
    with pytest.raises(AbstainedError, match="needs three, 120 days apart"):
        backtest(panel.labelled, 4 * WITHIN)


def test_stated_odds_come_true_on_people_not_seen() -> None:
    predictor = learn(world()[0].labelled)
    fresh, truth = world(people=4_000, cuts=1, seed=9)
    stated = predictor.probabilities(fresh)
    assert abs(stated - truth).mean() < 0.08
    for low in (0.0, 0.25, 0.5, 0.75):
        here = (stated >= low) & (stated < low + 0.25)
        assert truth[here].mean() == pytest.approx(stated[here].mean(), abs=0.06)


def test_intervals_of_the_curve_hold_the_truth_of_many_worlds_and_are_no_wider() -> None:
    held, half, apart = [], [], []
    for seed in range(15):
        fresh, truth = world(people=800, cuts=1, seed=100 + seed)
        came = np.random.default_rng(seed).random(len(truth)) < truth
        told = ranking(truth, came, fresh.person)
        chosen = np.argsort(-truth, kind="stable")
        for one in told.reach[3:8]:
            right = float(truth[chosen[: one.people]].sum())
            expected = right / one.people, right / float(truth.sum())
            for stated, true in zip((one.precision, one.recall), expected, strict=True):
                held.append(stated.low <= true <= stated.high)
            half.append((one.recall.high - one.recall.low) / 2)
            apart.append(one.recall.value - expected[1])
    assert np.mean(held) > 0.9
    assert 1.5 < np.mean(half) / np.std(apart) < 2.4


def test_whom_a_share_takes_among_equals_does_not_hang_on_their_order() -> None:
    scores, came = np.repeat([0.9, 0.1], 50), np.arange(100) % 2 == 0
    person = np.arange(100)
    curves = [
        ranking(scores[order], came[order], person).reach
        for order in (person, np.argsort(~came, kind="stable"))
    ]
    assert [one.precision.value for one in curves[0]] == pytest.approx([0.5] * len(curves[0]))
    assert [one.precision.value for one in curves[1]] == pytest.approx([0.5] * len(curves[1]))


def test_a_base_rate_orders_nobody(panel: Panel) -> None:
    told = resembling()
    alike = resemble(told.at(np.arange(len(told)) < 1_000))[1]
    for tested in (newest(panel.labelled, WITHIN), alike):
        area = judge(tested).baselines["base_rate"].auc
        assert (area.value, area.low, area.high) == (0.5, 0.5, 0.5)


def test_of_few_people_recall_and_lift_are_no_surer_than_precision() -> None:
    came = np.arange(300) < 60
    best = ranking(np.linspace(1, 0, 300), came, np.arange(300)).reach[0]
    assert (best.people, best.precision.value) == (3, 1.0)
    assert best.lift.low == pytest.approx(best.precision.low / 0.2)
    assert best.recall.low == pytest.approx(best.precision.low * 3 / 60)


def test_noise_alone_is_not_used(tmp_path: Path) -> None:
    told, _ = world()
    random = np.random.default_rng(5)
    label = np.where(np.isnan(told.label), np.nan, random.integers(0, 2, len(told)))
    outcome = run(replace(told, label=label), tmp_path)
    assert not outcome.is_used
    assert outcome.why is not None
    assert outcome.why.startswith("not shown to be better than base rate")


def test_few_people_are_no_lesson_however_often_they_are_seen(tmp_path: Path) -> None:
    told = world(people=60, cuts=12)[0]
    outcome = run(told, tmp_path)
    assert told.labelled.label.sum() > ORDER.least_of_each
    assert "people with the outcome" in str(outcome.why)


def test_few_outcomes_are_no_lesson(tmp_path: Path) -> None:
    outcome = run(world(base=-7.0)[0], tmp_path)
    assert outcome.why is not None
    assert "needs 100 of each" in outcome.why


def test_a_short_history_is_no_lesson(panel: Panel, tmp_path: Path) -> None:
    outcome = run(panel, tmp_path, replace(ORDER, history_days=80))
    assert outcome.why == "80 days of history; needs 90, 3 times the 30 days ahead"


def test_nothing_known_of_anybody_is_no_lesson(panel: Panel, tmp_path: Path) -> None:
    unknown = replace(panel, measured=np.full_like(panel.measured, np.inf))
    outcome = run(unknown, tmp_path)
    assert outcome.why == "no feature is left: each says the same of everybody, or nothing"


def test_a_single_person_is_no_lesson(panel: Panel, tmp_path: Path) -> None:
    alone = replace(panel, person=np.array(["p"] * len(panel), dtype=object))
    assert not run(alone, tmp_path).is_used


def test_a_signal_that_turned_round_is_named_with_the_day_and_keeps_the_model_out(
    panel: Panel, tmp_path: Path
) -> None:
    random, turned = np.random.default_rng(6), np.where(panel.cut_on >= panel.cuts[-3], -1.0, 1.0)
    odds = 2.0 * turned * panel.measured[:, 4] - 0.5
    label = 1.0 * (random.random(len(panel)) < 1 / (1 + np.exp(-odds)))
    label[panel.cut_on == panel.cuts[-1]] = np.nan
    told = write(replace(panel, label=label), tmp_path / "panel.parquet")
    outcome, _ = learn_run(ORDER, told, None)
    assert not outcome.is_used
    on = str(np.datetime64(int(panel.cuts[-3]), "D"))
    assert f"On {on} it ordered people the wrong way round" in str(outcome.why)


def test_one_class_in_a_cut_off_is_said(tmp_path: Path) -> None:
    told, _ = world()
    gone = replace(told, label=np.where(told.cut_on == told.cuts[1], 0.0, told.label))
    assert run(gone, tmp_path).why == "the outcome came to nobody in the cut-off to calibrate on"


def leaky(panel: Panel) -> Panel:
    """The panel with noise that knows the outcome."""
    measured = panel.measured.copy()
    measured[:, 4] = np.nan_to_num(panel.label, nan=0.0) * 10 + measured[:, 4]
    return replace(panel, measured=measured)


def test_a_feature_that_knows_the_outcome_is_refused_by_name(panel: Panel, tmp_path: Path) -> None:
    assert not leaks(panel.labelled, WITHIN)
    outcome = run(leaky(panel), tmp_path)
    assert outcome.why is not None
    assert "feature noise alone" in outcome.why


def test_that_a_value_is_there_at_all_may_be_the_leak(panel: Panel, tmp_path: Path) -> None:
    measured = panel.measured.copy()
    measured[:, 4] = np.where(panel.label == 1, 0.0, np.nan)
    outcome = run(replace(panel, measured=measured), tmp_path)
    assert outcome.why is not None
    assert "feature noise alone" in outcome.why


@pytest.mark.failure_line(34)
def test_a_value_that_was_noted_when_the_outcome_came_is_refused_by_name(tmp_path: Path) -> None:
    """Line 34: known at every cut-off before it, so it tells of the newest cut-off alone."""
    told, _ = world(base=-2.5)
    came = told.label == 1
    first = dict(zip(told.person[came][::-1], told.cut_on[came][::-1], strict=True))
    until = np.array([first.get(person, 0) for person in told.person])
    measured = told.measured.copy()
    measured[:, 4] = until > 0
    ended = replace(told, measured=measured).at(~(until < told.cut_on) | (until == 0))
    outcome = run(ended, tmp_path)
    assert outcome.why is not None
    assert "feature noise alone" in outcome.why


def resembling(seed: int = 1, *, is_told: bool = False) -> Panel:
    """People of one cut-off, in the seed or not; with `is_told` a feature repeats the rule."""
    told, truth = world(people=4_000, cuts=1, seed=seed)
    inside = np.random.default_rng(seed).random(len(truth)) < truth
    measured = told.measured.copy()
    if is_told:
        measured[:, 4] = inside
    return replace(told, label=inside.astype(np.float64), measured=measured)


def test_a_look_alike_finds_people_who_were_held_out(tmp_path: Path) -> None:
    outcome = run(resembling(), tmp_path, replace(ORDER, is_look_alike=True))
    assert outcome.is_used
    best = outcome.report["judgement"]["ranking"]["reach"][3]
    assert best["lift"]["low"] > 1.5
    assert 0 < best["recall"]["low"] < best["recall"]["value"] < best["recall"]["high"] < 1


def test_people_held_out_of_several_folds_stand_in_one_order() -> None:
    told = resembling()
    few = told.at(np.arange(len(told)) < 1_500)
    _, tested, _ = resemble(few)
    labels = few.label == 1
    apart = np.mean([auc_of(tested.order[held], labels[held]) for held in folds(few.person)])
    assert judge(tested).ranking.auc.value == pytest.approx(apart, abs=0.01)
    assert auc_of(tested.stated, labels) < apart - 0.01  # each fold by a calibrator of its own


def test_a_look_alike_leaves_out_what_repeats_the_seeds_rule(tmp_path: Path) -> None:
    outcome = run(resembling(is_told=True), tmp_path, replace(ORDER, is_look_alike=True))
    assert outcome.is_used
    assert outcome.report["telling"] == ["noise"]


def test_a_look_alike_whose_features_tell_the_seed_together_abstains(tmp_path: Path) -> None:
    told = resembling()
    r, f = told.measured[:, 0], told.measured[:, 1]
    rule = replace(told, label=((r > 2) & (f > 2)).astype(np.float64))
    outcome = run(rule, tmp_path, replace(ORDER, is_look_alike=True))
    assert outcome.why is not None
    assert "would repeat the seed's own rule" in outcome.why


def test_only_people_outside_the_seed_are_scored(tmp_path: Path) -> None:
    told = resembling()
    both = Panel(
        *(np.concatenate([one, one]) for one in (told.person, told.cut_on)),
        np.concatenate([told.label, np.full(len(told), np.nan)]),
        np.concatenate([told.measured, told.measured]),
        told.features,
    )
    path = write(both, tmp_path / "panel.parquet")
    order = replace(ORDER, is_look_alike=True)
    _, model = learn_run(order, path, None)
    assert model is not None
    figures = score_run(order, model, path, tmp_path / "scores.parquet")
    assert figures["scored"] == int((told.label == 0).sum())


def test_a_constant_feature_is_left_out_and_told(panel: Panel, tmp_path: Path) -> None:
    assert run(panel, tmp_path).report["constant"] == ["same"]


def test_the_same_data_make_the_same_model(panel: Panel) -> None:
    first, again = (learn(panel.labelled).dumped() for _ in range(2))
    told = (predictor_of(one).probabilities(panel) for one in (first, again))
    np.testing.assert_array_equal(*told)


def test_a_model_is_data_of_known_types() -> None:
    import skops.io
    from sklearn.preprocessing import FunctionTransformer

    with pytest.raises(UntrustedTypesFoundException):
        loaded(skops.io.dumps(FunctionTransformer(func=print)))


def test_a_version_that_is_no_better_stays_out(tmp_path: Path) -> None:
    told = world(people=2_500, cuts=5)[0]
    champion = learn(told.labelled.at(told.labelled.cut_on < told.cuts[2]))
    same = run(told, tmp_path, champion=champion.dumped())
    assert not same.is_used
    assert same.why is not None
    assert "of the version in use" in same.why


def test_a_version_that_is_better_takes_over(panel: Panel, tmp_path: Path) -> None:
    told = panel.labelled.at(panel.labelled.cut_on < panel.labelled.cuts[3])
    shuffled = np.random.default_rng(3).permutation(told.label)
    champion = learn(replace(told, label=shuffled))
    assert run(panel, tmp_path, champion=champion.dumped()).is_used


def test_what_takes_over_uncompared_says_so(panel: Panel, tmp_path: Path) -> None:
    champion = learn(panel.labelled).dumped()
    told = run(panel, tmp_path, champion=champion)
    assert told.is_used
    assert "champion" not in told.report
    assert "no cut-off from" in told.report["uncompared"]
    assert "uncompared" not in run(panel, tmp_path).report


def test_contributions_sum_up_to_the_score(panel: Panel) -> None:
    for told in (panel.labelled, world(people=150)[0].labelled):
        predictor = learn(told)
        measured = predictor.chosen(told)
        moved = contributions(predictor.estimate, measured).sum(axis=1)
        score = predictor.estimate.scores(measured)
        rest = np.log(score / (1 - score)) - moved
        assert rest.std() < 1e-6


def test_scores_name_the_features_that_made_them(panel: Panel) -> None:
    told = scores_of(learn(panel.labelled), panel.to_score)
    assert len(told.value) == 700
    assert '"feature": "days_since_order"' in " ".join(told.reasons[:20])
    assert set(told.band) == {"very_high", "high", "medium", "low"}


def test_reasons_are_told_anew_for_whom_it_says_something_else_than_before(panel: Panel) -> None:
    predictor, now = learn(panel.labelled), panel.to_score
    value = predictor.probabilities(now)
    was = np.where(np.arange(700) % 2, value + 0.004, value + 0.006)
    was[:10] = np.nan
    told = scores_of(predictor, replace(now, was=was)).reasons
    assert [one is not None for one in told[:14]] == [True] * 10 + [True, False, True, False]
    assert set(scores_of(predictor, now, is_explained=False).reasons) == {None}


def test_people_who_have_changed_are_seen(panel: Panel, tmp_path: Path) -> None:
    moved = panel.measured.copy()
    moved[np.isnan(panel.label), 3] += 60
    path = write(replace(panel, measured=moved), tmp_path / "panel.parquet")
    figures = score_run(ORDER, learn(panel.labelled).dumped(), path, tmp_path / "s.parquet")
    assert figures["drift"]["features"]["days_since_order"] > SHIFTED
    assert figures["drift"]["features"]["rfm_r"] < 0.1
    assert len(read_columns(tmp_path / "s.parquet")["value"]) == 700


def test_nothing_has_shifted_from_itself() -> None:
    values = np.array([np.nan, 1.0, 2.0, 3.0] * 50)
    assert stability_index(values, values) == 0.0


def test_ties_share_a_percentile() -> None:
    assert percentiles(np.array([1.0, 1.0, 2.0, 3.0])).tolist() == [25.0, 25.0, 62.5, 87.5]


def test_rows_that_repeat_a_person_say_no_more_of_the_area_or_of_a_mean() -> None:
    random = np.random.default_rng(2)
    labels, person = random.random(400) < 0.4, np.arange(400)
    scores = np.round(random.normal(size=400) + labels, 1)
    one = area(scores, labels, person)
    again = area(*(np.tile(told, 3) for told in (scores, labels, person)))
    drawn = ranking(scores, labels, person).auc
    assert one.value == pytest.approx(auc_of(scores, labels))
    assert (again.low, again.high) == pytest.approx((one.low, one.high))
    assert (one.low, one.high) == pytest.approx((drawn.low, drawn.high), abs=0.012)
    assert spread(np.tile(scores, 3), np.tile(person, 3)) == pytest.approx(spread(scores, person))


def test_a_few_to_all_of_whom_it_happened_are_no_certainty() -> None:
    scores, labels = np.arange(900)[::-1] / 900.0, np.arange(900) < 300
    best = ranking(scores, labels, np.arange(900)).reach[0]
    assert (best.people, best.precision.value) == (9, 1.0)
    assert 0.6 < best.precision.low < 0.75  # Wilson: 0.70


def test_the_area_counts_ties_half() -> None:
    assert auc_of(np.zeros(4), np.array([True, False, True, False])) == 0.5
    assert auc_of(np.array([3.0, 2.0, 1.0]), np.array([True, False, False])) == 1.0


def test_scores_have_not_drifted_where_people_are_as_at_the_newest_cut_off(tmp_path: Path) -> None:
    told = world(people=400, cuts=4)[0]
    older = told.cut_on < told.cuts[-2]
    told.measured[older, 0] -= 3
    path = write(told, tmp_path / "panel.parquet")
    made = learn(told.labelled).dumped()
    drift = score_run(ORDER, made, path, tmp_path / "scores.parquet")["drift"]
    assert drift["score"] < 0.1
    assert drift["features"]["rfm_r"] > SHIFTED
