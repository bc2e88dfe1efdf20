"""Features that know the outcome are named, whichever way they know it; honest ones are not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.alone import sure_values
from stamgast_learn.predict.estimate import fit
from stamgast_learn.predict.leaks import leaks, told_leaks
from stamgast_learn.predict.newest import newest
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.predictor import rows_to_train_on
from stamgast_learn.predict.ranking import auc_of
from stamgast_learn.predict.run import Outcome, learn_run
from stamgast_learn.predict.suspects import _needed
from tests.learn.predict.worlds import FEATURES, ORDER, WITHIN, world, write

NOISE = 4


@pytest.fixture(scope="module")
def panel() -> Panel:
    """A world in which nothing leaks."""
    return world(people=450, cuts=4)[0]


def drawn() -> np.random.Generator:
    """The same numbers, in whatever order the tests come."""
    return np.random.default_rng(12)


def noisy(came: Labels) -> Floats:
    """A copy of the outcome that orders people with an area of 0.95."""
    return 2.33 * came + drawn().normal(size=len(came))


def filled(came: Labels) -> Floats:
    """A value that half of those have to whom it came, and nobody else."""
    return np.where(came & (drawn().random(len(came)) < 0.5), 1.0, np.nan)


def one_category(came: Labels) -> Floats:
    """A category of ten that stands for the outcome, a third of the time."""
    random = drawn()
    told = came & (random.random(len(came)) < 0.35)
    return np.where(told, 7.0, random.integers(0, 7, len(came)))


def flag(came: Labels) -> Floats:
    """What is noted of most to whom it came, and of one in a hundred others by mistake."""
    return np.where(drawn().random(len(came)) < np.where(came, 0.8, 0.01), 1.0, 0.0)


def counted(soon: float, *, people: int = 700) -> Panel:
    """Purchases ever, and notes ever: one a purchase, and one of a share of those that come."""
    random = drawn()
    orders = random.poisson(4, people).astype(np.float64)
    came = random.random(people) < 0.3
    notes = orders + (came & (random.random(people) < soon))
    told = np.column_stack([notes, orders, random.normal(size=people)])
    cut = np.zeros(people, np.int64)
    return Panel(np.arange(people), cut, came.astype(np.float64), told, ("notes", "orders", "x"))


def planted(panel: Panel, column: Floats) -> Panel:
    """The panel with a feature in the place of noise."""
    measured = panel.measured.copy()
    measured[:, NOISE] = column
    return replace(panel, measured=measured)


def run(panel: Panel, folder: Path, *allowed: str) -> Outcome:
    """What becomes of a version that is learnt of the panel."""
    order = replace(ORDER, allowed=allowed)
    return learn_run(order, write(panel, folder / "panel.parquet"), None)[0]


def test_honest_features_are_not_suspected(panel: Panel) -> None:
    assert not leaks(panel.labelled, WITHIN)


@pytest.mark.failure_line(34)
@pytest.mark.parametrize("leak", [noisy, filled, one_category, flag])
def test_a_feature_that_knows_the_outcome_in_part_is_suspected(panel: Panel, leak: object) -> None:
    """Line 34: a feature that was made after the cut-off, though it tells only a part."""
    told = panel.labelled
    assert callable(leak)
    (found,) = leaks(planted(told, leak(told.label == 1)), WITHIN)
    assert (found.feature, found.is_certain) == ("noise", False)


@pytest.mark.failure_line(34)
@pytest.mark.parametrize("is_silence", [False, True])
def test_a_count_that_runs_ahead_of_another_is_suspected(is_silence: bool) -> None:
    """Line 34: notes of the purchase to come, under an older date, counted for ever."""
    told = counted(0.5)
    label = 1 - told.label if is_silence else told.label
    (found,) = leaks(replace(told, label=label), WITHIN)
    assert not found.is_certain
    assert "features notes and orders differ by a number at which" in found.why


def test_counts_that_differ_by_what_happened_before_are_not_suspected() -> None:
    assert not leaks(counted(0.0), WITHIN)


@pytest.mark.failure_line(34)
def test_a_suspect_is_judged_and_kept_out_unless_it_is_allowed(
    panel: Panel, tmp_path: Path
) -> None:
    """Line 34: it says why it is not used, and what can be done."""
    spoilt = planted(panel, noisy(panel.label == 1))
    outcome = run(spoilt, tmp_path)
    assert outcome.why is not None
    assert "feature noise" in outcome.why
    assert "say `allow: [noise]`" in outcome.why
    assert "judgement" in outcome.report
    allowed = run(spoilt, tmp_path, "noise")
    assert allowed.is_used
    assert [one["is_allowed"] for one in allowed.report["leaks"]] == [True]


@pytest.mark.parametrize("leak", [noisy, filled, flag])
def test_what_is_not_missed_when_it_is_exchanged_would_not_be_needed_either(
    panel: Panel, leak: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is learnt anew without it, so it costs a fraction; what is found is the same."""
    told = panel.labelled
    assert callable(leak)
    spoilt = planted(told, leak(told.label == 1))
    found = leaks(spoilt, WITHIN)
    monkeypatch.setattr("stamgast_learn.predict.suspects.MISSED", 0.0)
    assert leaks(spoilt, WITHIN) == found


def needed(panel: Panel) -> list[str]:
    """What all others need, by itself, to order people as they do together."""
    return [name for name, _ in _needed(panel, panel.features, ())]


def test_what_is_needed_is_found_though_few_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    random, rows = drawn(), 900
    told = random.normal(size=(rows, 3))
    label = (told[:, 0] + 1.2 * told[:, 1] > 0).astype(np.float64)
    panel = Panel(np.arange(rows), np.zeros(rows, np.int64), label, told, ("a", "b", "noise"))
    assert needed(panel) == ["a", "b"]
    monkeypatch.setattr("stamgast_learn.predict.suspects.MISSED", 100.0)
    assert needed(panel) == []


def weak(came: Labels) -> Floats:
    """A copy of the outcome that orders people with an area of 0.80."""
    return 1.19 * came + drawn().normal(size=len(came))


def asked(panel: Panel, *allowed: str) -> list[str]:
    """The features that a report asks about, where none is suspected."""
    report: dict[str, Any] = {}
    assert not told_leaks(panel.labelled, replace(ORDER, allowed=allowed), report)
    return [one["feature"] for one in report["questions"]]


def steady(panel: Panel) -> Panel:
    """The panel of people who always do the same, with a feature that tells what they do."""
    told, random = panel.labelled, drawn()
    _, of = np.unique(told.person, return_inverse=True)
    habit = (np.arange(of.max() + 1) % 2 == 0)[of]
    label = np.where(random.random(len(told)) < 0.06, ~habit, habit).astype(np.float64)
    counted = np.where(habit, 3.0, 0.0) + random.normal(size=len(told))
    return planted(replace(told, label=label, measured=np.nan_to_num(told.measured)), counted)


@pytest.mark.failure_line(34)
def test_a_weak_copy_of_the_outcome_is_asked_about_until_somebody_answers(panel: Panel) -> None:
    """Line 34: by association alone it is the same as an honest sign of the moment."""
    spoilt = planted(panel, weak(panel.label == 1))
    assert asked(spoilt) == ["noise"]
    assert asked(spoilt, "noise") == []


def test_of_habits_that_tell_of_the_past_horizon_too_nothing_is_asked(panel: Panel) -> None:
    assert asked(panel) == []
    assert asked(steady(panel)) == []


def test_without_regard_to_the_past_horizon_honest_habits_would_be_asked_about(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stamgast_learn.predict.questions.AHEAD", -1.0)
    assert asked(steady(panel)) == ["noise"]


def with_people_now() -> tuple[Panel, Floats]:
    """Five cut-offs whose outcome is known and people now; and each row's true log-odds."""
    told, truth = world(people=600)
    return told, np.log(truth / (1 - truth))


def suspected_of(panel: Panel, column: Floats) -> list[str]:
    """What is suspected when noise gives way to this column, and people now are seen as well."""
    measured = panel.measured.copy()
    measured[:, NOISE] = column
    told = replace(panel, measured=measured)
    return [one.feature for one in leaks(told.labelled, WITHIN, told.to_score)]


@pytest.mark.parametrize("apart", [0.95, 1.19])
def test_a_weak_copy_that_has_nothing_to_copy_yet_is_suspected(apart: float) -> None:
    """Copies of areas of 0.75 and 0.80, which no skill at past cut-offs tells from honest signs."""
    panel, odds = with_people_now()
    copy = apart * (panel.label == 1) + drawn().normal(size=len(odds))
    assert suspected_of(panel, copy) == ["noise"]


def test_an_honest_sign_of_the_moment_is_known_of_people_now_and_not_suspected() -> None:
    panel, odds = with_people_now()
    assert suspected_of(panel, odds + drawn().normal(size=len(odds))) == []


def test_without_people_now_a_weak_copy_looks_like_a_sign_of_the_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel, odds = with_people_now()
    monkeypatch.setattr("stamgast_learn.predict.vanished.LEAST_PEOPLE", 601)
    assert suspected_of(panel, 0.95 * (panel.label == 1) + drawn().normal(size=len(odds))) == []


def falling(panel: Panel, odds: Floats) -> Floats:
    """An honest sign whose level falls from cut-off to cut-off."""
    return odds + drawn().normal(size=len(odds)) - (panel.cut_on - panel.cuts[0]) / WITHIN


def test_an_honest_sign_that_falls_all_the_time_is_not_suspected() -> None:
    panel, odds = with_people_now()
    assert suspected_of(panel, falling(panel, odds)) == []


def test_without_regard_to_past_cut_offs_what_falls_all_the_time_would_be_suspected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel, odds = with_people_now()
    monkeypatch.setattr("stamgast_learn.predict.vanished._was_steady", lambda *_: True)
    assert suspected_of(panel, falling(panel, odds)) == ["noise"]


@pytest.mark.parametrize(("quiet_days", "found"), [(0.4, ["noise"]), (9.0, [])])
def test_where_nobody_was_seen_of_late_no_feature_is_accused(
    quiet_days: float, found: list[str]
) -> None:
    """Nobody but the last was seen in the last nine days, or not even the last."""
    told, odds = with_people_now()
    last = np.where(np.arange(len(told)) == len(told) - 1, quiet_days, 9.0)
    panel = replace(told, quiet_days=last)
    assert suspected_of(panel, np.where(np.isnan(told.label), -9.0, odds)) == found


@pytest.mark.parametrize("is_null", [False, True])
@pytest.mark.parametrize(("default", "found"), [("orders_7d", []), ("booked", ["booked"])])
def test_where_events_are_recorded_no_more_no_feature_is_accused(
    default: str, found: list[str], is_null: bool
) -> None:
    """One that everybody's events make says that they ended; one of somebody's own does not."""
    told, odds = with_people_now()
    names = tuple(default if name == "noise" else name for name in FEATURES)
    column = np.where(
        np.isnan(told.label), np.nan if is_null else -9.0, odds + drawn().normal(size=len(odds))
    )
    measured = np.column_stack([told.measured[:, :NOISE], column, told.measured[:, NOISE + 1 :]])
    panel = replace(told, measured=measured, features=names)
    assert [one.feature for one in leaks(panel.labelled, WITHIN, panel.to_score)] == found


def of_few_behaviours(people: int, always: int, cuts: int = 4) -> Panel:
    """People of whom the first so many always buy, told by a count that says who they are, and by
    nothing else of use."""
    random, rows = drawn(), people * cuts
    person, cut = np.tile(np.arange(people), cuts), np.repeat(np.arange(cuts), people)
    is_heavy = person < always
    came = random.random(rows) < np.where(is_heavy, 0.995, 0.4)
    counted = np.where(is_heavy, 30.0, random.poisson(6, rows))
    told = np.column_stack([counted, random.normal(size=rows)])
    return Panel(person, WITHIN * cut, came.astype(np.float64), told, ("orders", "noise"))


def names_of(panel: Panel) -> list[str]:
    """What is suspected."""
    return [one.feature for one in leaks(panel, WITHIN)]


def test_a_count_of_those_who_always_buy_is_not_suspected_where_little_else_is_told() -> None:
    """They bought in the horizon before as surely, so it is memory."""
    assert names_of(of_few_behaviours(600, always=100)) == []


def test_without_regard_to_the_horizon_before_a_count_would_be_suspected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stamgast_learn.predict.suspects.is_memory", lambda *_: False)
    assert names_of(of_few_behaviours(600, always=100)) == ["orders"]


@pytest.mark.failure_line(34)
def test_a_value_of_those_to_whom_it_comes_next_is_no_memory() -> None:
    """Line 34: among people who buy as often as not it says who will, beside a count of habits."""
    told = of_few_behaviours(600, always=100)
    noted = filled(told.label == 1)
    spoilt = replace(told, measured=np.column_stack([told.measured[:, 0], noted]))
    found = leaks(spoilt, WITHIN)
    assert [one.feature for one in found if "has a value at which" in one.why] == ["noise"]


def test_twenty_people_at_many_cut_offs_say_nothing_for_sure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where no past horizon is known, either."""
    few = of_few_behaviours(600, always=20, cuts=6)
    told = replace(few, cut_on=few.cut_on // WITHIN)
    assert names_of(told) == []
    monkeypatch.setattr("stamgast_learn.predict.alone.are_enough", lambda *_: True)
    assert names_of(told) == ["orders"]


def surest(columns: int = 20, values: int = 40, each: int = 100) -> int:
    """Of how many columns a value is sure of nine in ten, where nine in ten is true of them all."""
    random, of = drawn(), np.repeat(np.arange(values), each).astype(np.float64)
    told, people = 0, np.arange(len(of))
    for _ in range(columns):
        came = (random.random(len(of)) < 0.9).astype(np.float64)
        panel = Panel(people, np.zeros(len(of), np.int64), came, of[:, None], ("of",))
        told += bool(sure_values(panel, of, 0.9))
    return told


def test_the_surest_of_many_values_is_not_sure_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by itself would be, in a column of forty, more often than not."""
    assert surest() <= 2
    monkeypatch.setattr("stamgast_learn.predict.alone.TAIL", 41 * 0.025)
    assert surest() >= 8


def test_what_is_certain_cannot_be_allowed(panel: Panel, tmp_path: Path) -> None:
    spoilt = planted(panel, 10 * np.nan_to_num(panel.label) + drawn().normal(size=len(panel)))
    outcome = run(spoilt, tmp_path, "noise")
    assert not outcome.is_used
    assert "judgement" not in outcome.report


def test_a_value_of_the_newest_cut_off_alone_is_suspected(panel: Panel) -> None:
    told = panel.labelled
    came = told.label == 1
    later = {*told.person[came & (told.cut_on == told.cuts[-1])]}
    known = np.array([person in later for person in told.person]) & (
        drawn().random(len(told)) < 0.8
    )
    (found,) = leaks(planted(told, known.astype(np.float64)), WITHIN)
    assert found.feature == "noise"


def test_memory_of_the_past_horizon_is_no_leak(panel: Panel) -> None:
    """Who always does the same is foretold by what they did."""
    assert not leaks(steady(panel), WITHIN)


def late_for_half() -> Panel:
    """Five cut-offs, of the newest of which the best feature came too late for half of people."""
    told = world(people=600)[0].labelled
    at_newest = told.cut_on == told.cuts[-1]
    late = at_newest & (np.arange(len(told)) % 2 == 0)
    received = np.where(at_newest[:, None], told.measured, np.nan)
    received[late, FEATURES.index("rfm_f")] = 3.0
    received[late, FEATURES.index("days_since_order")] = np.nan
    return replace(told, received=received)


def area_of(panel: Panel) -> float:
    """What a card would state of the newest cut-off."""
    tested = newest(panel, WITHIN)
    return auc_of(tested.order, tested.judged.label == 1)


def test_what_is_stated_is_of_what_had_come_by_then() -> None:
    told = late_for_half()
    now = told.at(told.cut_on == told.cuts[-1])
    assert now.received is not None
    older = told.at(told.cut_on + WITHIN <= told.cuts[-1])
    ours = fit(older.measured[:, :NOISE], older.label == 1, rows_to_train_on(told))
    then = auc_of(ours.scores(now.received[:, :NOISE]), now.label == 1)
    assert area_of(told.as_received) == pytest.approx(then, abs=0.02)
    assert area_of(told) > then + 0.04


def test_people_of_whom_nothing_had_come_are_not_judged() -> None:
    told = late_for_half()
    assert told.received is not None
    received = told.received.copy()
    received[-7:] = np.nan
    assert len(replace(told, received=received).as_received) == len(told) - 7
    assert not len(told.at(told.cut_on < 0).as_received)


@pytest.mark.failure_line(34)
@pytest.mark.parametrize(
    ("share", "why"), [(0.4, "under older dates"), (0.8, "by what had been received")]
)
def test_skill_that_was_received_after_the_cut_off_is_suspected(
    panel: Panel, share: float, why: str
) -> None:
    """Line 34: an event of the future under a date of the past, of few and of most."""
    told, random = panel.labelled, drawn()
    came = (told.label == 1) & (random.random(len(told)) < share)
    late = told.measured.copy()
    late[:, NOISE] = random.integers(0, 6, len(told))
    known = late.copy()
    known[came, NOISE] += np.where(known[came, NOISE] < 5, 1, -1)
    (found,) = leaks(replace(told, measured=known, received=late), WITHIN)
    assert found.feature == "noise"
    assert why in found.why
    assert not leaks(replace(told, measured=known, received=known), WITHIN)
