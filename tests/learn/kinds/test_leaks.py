"""What knows the outcome is told in every kind that learns of one; honest features are not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.parquet import read_columns, write_columns
from stamgast_learn.predict.leaks import outcomes
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.questions import questions
from stamgast_learn.predict.run import Order, Outcome, learn_run
from stamgast_learn.uplift.after import telling_arms
from stamgast_learn.uplift.trial import UNLIKELY
from tests.learn.kinds import test_cluster as clusters
from tests.learn.kinds import test_drivers as drivers
from tests.learn.kinds import test_uplift as uplift
from tests.learn.predict.worlds import FIRST_DAY, WITHIN, write

NAMES = ("spent", "visits", "vip")
ALIKE = Order(
    *("like", "1", NAMES, WITHIN, 100, 0.01, 365, True), is_look_alike=True, kind="look_alike"
)
PEOPLE = 800


def drawn(seed: int = 7) -> np.random.Generator:
    """The same numbers, in whatever order the tests come."""
    return np.random.default_rng(seed)


def half_of(labels: Labels) -> Floats:
    """A value that half of these have, and nobody else."""
    return np.where(labels & (drawn().random(len(labels)) < 0.5), 1.0, np.nan)


def seeded(*, is_vip: bool) -> Panel:
    """People of whom those who spend and visit are often in the seed; half of it have a flag."""
    random = drawn()
    told = random.normal(size=(PEOPLE, 3))
    odds = 1 / (1 + np.exp(1.2 - 1.2 * told[:, 0] - 0.8 * told[:, 1]))
    label = random.random(PEOPLE) < odds
    if is_vip:
        told[:, 2] = half_of(label)
    person = np.array([f"p{n}" for n in range(PEOPLE)], dtype=object)
    return Panel(person, np.full(PEOPLE, FIRST_DAY), label.astype(np.float64), told, NAMES)


def alike(folder: Path, *allowed: str, is_vip: bool = True) -> Outcome:
    """What becomes of a look-alike."""
    path = write(seeded(is_vip=is_vip), folder / "panel.parquet")
    return learn_run(replace(ALIKE, allowed=allowed), path, None)[0]


@pytest.mark.failure_line(34)
def test_a_look_alike_of_what_is_noted_of_the_seed_is_judged_and_kept_out(tmp_path: Path) -> None:
    """Line 34: a flag that members of the seed get, by which nobody outside is found."""
    outcome = alike(tmp_path)
    assert "suspected of being part of the seed's rule" in str(outcome.why)
    assert "say `allow: [vip]`" in str(outcome.why)
    assert "judgement" in outcome.report
    assert [one["feature"] for one in outcome.report["leaks"]] == ["vip"]


def test_a_look_alike_uses_what_is_honest_and_what_is_allowed(tmp_path: Path) -> None:
    assert alike(tmp_path, is_vip=False).is_used
    assert alike(tmp_path, "vip").is_used


def test_what_is_needed_would_be_suspected_where_nobody_can_tell_what_is_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stamgast_learn.predict.suspects._has_past", lambda *_: True)
    assert "with feature spent all together" in str(alike(tmp_path, "vip").why)


def test_a_look_alike_that_suspects_nothing_would_use_the_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stamgast_learn.predict.run.told_leaks", lambda *_: ())
    assert alike(tmp_path).is_used


def test_a_look_alike_that_repeats_the_rule_names_what_it_is_made_of(tmp_path: Path) -> None:
    told = seeded(is_vip=False)
    label = told.measured[:, 0] + told.measured[:, 1] > 1
    path = write(replace(told, label=label.astype(np.float64)), tmp_path / "panel.parquet")
    why = str(learn_run(ALIKE, path, None)[0].why)
    assert "the model would repeat the seed's own rule" in why
    assert "most likely visits, spent" in why or "most likely spent, visits" in why


def arms(people: int = 2_000) -> tuple[Panel, Labels]:
    """People of whom chance treated half, told by what is honest."""
    random = drawn()
    told = np.column_stack([random.normal(size=people), random.poisson(0.05, people)])
    label = (random.random(people) < 0.3).astype(np.float64)
    panel = Panel(np.arange(people), np.zeros(people, np.int64), label, told, ("a", "b"))
    return panel, random.random(people) < 0.5


def beside(panel: Panel, column: Floats) -> Panel:
    """The panel with one more feature."""
    measured = np.column_stack([panel.measured, column])
    return replace(panel, measured=measured, features=(*panel.features, "after"))


def told_of_arms(panel: Panel, is_treated: Labels) -> list[str]:
    """The features that tell who was treated."""
    return [one.feature for one in telling_arms(panel, is_treated, UNLIKELY)]


@pytest.mark.failure_line(34)
def test_what_is_written_after_the_treatment_tells_the_arm_whatever_its_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line 34: known of the treated alone, or of another spread; the balance of means sees none."""
    panel, treated = arms()
    noise = drawn(8).normal(size=len(panel))
    assert told_of_arms(beside(panel, np.where(treated, noise, np.nan)), treated) == ["after"]
    assert told_of_arms(beside(panel, noise * (1 + treated)), treated) == ["after"]
    path = uplift.trial(tmp_path, people=1_500)
    columns = dict(read_columns(path))
    is_treated = columns["arm"] == 1
    columns["f2"] = np.where(is_treated, columns["f2"].astype(np.float64), np.nan)
    write_columns(path, columns)
    outcome, _ = uplift.learn_run(uplift.ORDER, path, None)
    assert "feature c tells who was treated" in str(outcome.why)
    assert [one["feature"] for one in outcome.report["leaks"]] == ["c"]
    monkeypatch.setattr("stamgast_learn.uplift.run.telling_arms", lambda *_: ())
    assert uplift.learn_run(uplift.ORDER, path, None)[0].is_used


AFTER: dict[str, Callable[[Floats, Labels], Floats]] = {
    "known of the treated alone": lambda noise, treated: np.where(treated, noise, np.nan),
    "known of those held out alone": lambda noise, treated: np.where(treated, np.nan, noise),
    "known of a part of the treated": lambda noise, treated: np.where(
        treated & (noise > 1.0), noise, np.nan
    ),
    "of another spread": lambda noise, treated: noise * (1 + treated),
    "another mean": lambda noise, treated: noise + 0.5 * treated,
    "a flag": lambda noise, treated: 1.0 * (noise + 2.0 * treated > 2.0),
}


@given(st.integers(0, 10_000), st.sampled_from(sorted(AFTER)))
def test_however_it_is_written_after_the_treatment_it_tells_the_arm(seed: int, how: str) -> None:
    panel, treated = arms()
    noise = drawn(seed).normal(size=len(panel))
    assert told_of_arms(beside(panel, AFTER[how](noise, treated)), treated) == ["after"]


def accused(least: float) -> int:
    """In how many of 150 experiments an honest feature tells the arm, by a probability below."""
    panel, _ = arms()
    treated = (drawn(seed).random(len(panel)) < 0.5 for seed in range(150))
    return sum(bool(telling_arms(panel, one, least)) for one in treated)


def test_what_was_written_before_the_treatment_tells_no_arm() -> None:
    assert accused(UNLIKELY) <= 2


def test_a_bound_that_chance_often_passes_would_accuse_the_honest() -> None:
    assert accused(0.2) >= 12


@pytest.mark.failure_line(34)
def test_a_copy_in_one_wave_of_an_experiment_is_asked_about_where_people_now_have_none() -> None:
    """Line 34: too few cut-offs to say that it was steady; nobody now has anything to copy."""
    panel, _ = arms()
    noise = drawn(8).normal(size=len(panel))
    spoilt = beside(panel, 1.2 * panel.label + noise)
    now = replace(spoilt, measured=beside(panel, noise).measured)
    assert [name for name, _ in questions(spoilt, spoilt.features, WITHIN, now)] == ["after"]
    assert not list(questions(spoilt, spoilt.features, WITHIN, spoilt))
    assert not list(questions(spoilt, spoilt.features, WITHIN))


def spending() -> Panel:
    """People nearly all of whom buy each month, for sums that their visits tell in part."""
    told = drivers.panel()
    spent = np.exp(0.3 * told.measured[:, 0] + 0.6 * drawn().normal(size=len(told)))
    return replace(told, label=np.where(drawn(9).random(len(told)) < 0.01, 0.0, spent))


def knowing(panel: Panel) -> Panel:
    """The panel with a behaviour that goes with the sum that came."""
    measured = panel.measured.copy()
    measured[:, 2] = panel.label + 0.01 * measured[:, 2]
    return replace(panel, measured=measured)


@pytest.mark.failure_line(34)
def test_a_behaviour_that_knows_how_much_came_is_no_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line 34: the revenue itself, where whether any comes is known of everybody."""
    assert drivers.run(spending(), tmp_path).is_used
    outcome = drivers.run(knowing(spending()), tmp_path)
    assert "feature noise alone" in str(outcome.why)
    monkeypatch.setattr("stamgast_learn.predict.leaks.outcomes", lambda panel: outcomes(panel)[:1])
    assert drivers.run(knowing(spending()), tmp_path).is_used


@pytest.mark.failure_line(34)
def test_a_driver_that_is_suspected_is_judged_and_kept_out(tmp_path: Path) -> None:
    """Line 34: known of half of those to whom it came; with figures, and a way to allow it."""
    told = drivers.panel()
    measured = told.measured.copy()
    measured[:, 2] = half_of(told.label == 1)
    spoilt = replace(told, measured=measured)
    outcome = drivers.run(spoilt, tmp_path)
    assert "say `allow: [noise]`" in str(outcome.why)
    assert "judgement" in outcome.report
    assert drivers.run(spoilt, tmp_path, replace(drivers.ORDER, allowed=("noise",))).is_used


def clustered(folder: Path, *, knows: bool) -> Outcome:
    """Clusters of people whose money to come is told by their orders, or by a leak besides."""
    now, _ = clusters.groups()
    random = drawn()
    spent = np.maximum(0.0, 20 * now.measured[:, 0] + 40 * random.normal(size=len(now)))
    measured = now.measured.copy()
    if knows:
        measured[:, 2] = np.where(spent > 0, measured[:, 2], np.nan)
    then = replace(now, cut_on=now.cut_on - WITHIN, label=spent, measured=measured)
    path = folder / "panel.parquet"
    parts = [read_columns(write(one, path)) for one in (then, now)]
    cells = np.tile(random.integers(1, 6, len(now)), 2)
    both = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    write_columns(path, {**both, "rfm_cell": cells})
    return clusters.learn_run(clusters.ORDER, path, None)[0]


@pytest.mark.failure_line(34)
def test_clusters_of_what_knows_the_money_to_come_say_nothing_of_it(tmp_path: Path) -> None:
    """Line 34: who is like whom they tell; that this tells of money is not stated."""
    outcome = clustered(tmp_path, knows=True)
    assert outcome.is_used
    assert outcome.report["judgement"].get("beside_rfm") is None
    assert [one["feature"] for one in outcome.report["leaks"]] == ["tickets"]
    honest = clustered(tmp_path, knows=False)
    assert honest.report["judgement"]["beside_rfm"]["clusters"]["value"] > 0.05
    assert honest.report["leaks"] == []


def test_clusters_that_suspect_nothing_would_state_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stamgast_learn.cluster.run.told_leaks", lambda *_: ())
    assert clustered(tmp_path, knows=True).report["judgement"]["beside_rfm"] is not None


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, 30.0]), min_size=1, max_size=40))
def test_money_is_asked_whether_any_came_and_more_than_was_usual(told: list[float]) -> None:
    label = np.array(told)
    rows = len(label)
    panel = Panel(np.arange(rows), np.zeros(rows, np.int64), label, np.zeros((rows, 0)), ())
    first, *rest = (one.label for one in outcomes(panel))
    if set(told) <= {0.0, 1.0}:
        np.testing.assert_array_equal(first, label)
        assert not rest
    else:
        np.testing.assert_array_equal(first, label > 0)
        assert ((rest[0] == 1) <= (first == 1)).all()
        assert rest[0].sum() <= first.sum() / 2
