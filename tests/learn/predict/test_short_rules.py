"""A seed that a few questions make is repeated, not resembled; an honest seed is none of these."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict import resemblance, short_rules
from stamgast_learn.predict.leaks import TOO_GOOD
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.run import Order, learn_run
from stamgast_learn.predict.short_rules import short_rule, skill_of_trees
from tests.learn.predict.worlds import FIRST_DAY, WITHIN, write

PEOPLE = 700
NAMES = ("spent", "visits", "orders", "noise")
ORDER = Order(
    *("like", "1", NAMES, WITHIN, 100, 0.01, 365, True), is_look_alike=True, kind="look_alike"
)


def habits(seed: int = 3) -> Floats:
    """What people do; the first three go together in part."""
    random = np.random.default_rng(seed)
    shared = random.normal(size=(PEOPLE, 1))
    return np.column_stack(
        [0.5 * shared + random.normal(size=(PEOPLE, 3)), random.normal(size=PEOPLE)]
    )


def of(told: Floats, seed: Labels) -> Panel:
    """People at one moment, and who is in the seed."""
    person = np.array([f"p{n}" for n in range(PEOPLE)], dtype=object)
    return Panel(person, np.full(PEOPLE, FIRST_DAY), seed.astype(np.float64), told, NAMES)


def rule_of(told: Floats, seed: Labels) -> tuple[str, ...] | None:
    found = short_rule(of(told, seed), seed)
    return None if found is None else found.features


def test_both_conditions_of_a_rule_are_named_and_either_of_two() -> None:
    told = habits()
    told[::20, 1] = np.nan
    visits = np.nan_to_num(told[:, 1], nan=-9.0)
    assert rule_of(told, (told[:, 0] > -0.1) & (visits > 0.1)) == ("spent", "visits")
    assert rule_of(told, (told[:, 0] > 0.9) | (visits > 1.1)) == ("spent", "visits")
    three = (told[:, 0] > -0.8) & (visits > -0.7) & (told[:, 2] < 0.9)
    assert rule_of(told, three) == ("spent", "visits", "orders")


def honest(told: Floats, seed: int, sure: float) -> Labels:
    """Who spends and looks around much is in it oftener: the surer, the nearer to a line."""
    odds = sure * (told[:, 0] + 0.6 * told[:, 1] - 0.6)
    return np.random.default_rng(seed).random(PEOPLE) < 1 / (1 + np.exp(-odds))


@pytest.mark.parametrize("sure", [1.0, 4.0])
def test_no_honest_seed_is_a_short_rule(sure: float, monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = [(habits(seed), seed) for seed in range(12)]
    assert not any(rule_of(told, honest(told, seed, sure)) for told, seed in worlds)
    monkeypatch.setattr(short_rules, "SAME", {2: 0.5})
    assert any(rule_of(told, honest(told, seed, 4.0)) for told, seed in worlds)


def test_a_seed_of_nearly_everybody_is_no_rule_though_who_takes_all_knows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = habits()
    seed = np.random.default_rng(1).random(PEOPLE) < 1 / (1 + np.exp(-2.4 - 0.4 * told[:, 0]))
    assert rule_of(told, seed) is None
    monkeypatch.setattr(short_rules, "_both", lambda taken, of: (max(taken.mean(), 0.95), 1.0))
    assert rule_of(told, seed) is not None


def test_rules_of_four_conditions_are_told_by_trees_where_a_line_is_unsure() -> None:
    told = habits()
    seed = (np.abs(told) < 1.4).all(axis=1)
    assert skill_of_trees(of(told, seed), seed) >= TOO_GOOD
    unsure = honest(told, 3, 4.0)
    assert skill_of_trees(of(told, unsure), unsure) < 0.98


@pytest.mark.failure_line(34)
def test_a_look_alike_of_a_short_rule_says_what_to_leave_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line 34: few people, a line that orders them far from surely, and the rule is learnt."""
    told = habits()
    panel = of(told, (told[:, 0] > 0.0) & (told[:, 1] > -0.5))
    path = write(panel, tmp_path / "panel.parquet")
    outcome = learn_run(ORDER, path, None)[0]
    assert str(outcome.why).startswith("a rule of spent and visits tells who is in the seed")
    assert "leave out these features" in str(outcome.why)
    assert "judgement" not in outcome.report
    monkeypatch.setattr(resemblance, "short_rule", lambda *_: None)
    assert "tell who is in the seed (area under" in str(learn_run(ORDER, path, None)[0].why)
    monkeypatch.setattr(resemblance, "skill_of_trees", lambda *_: 0.5)
    best = learn_run(ORDER, path, None)[0].report["judgement"]["ranking"]["reach"][3]
    assert best["precision"]["value"] > 0.95
    without = replace(panel, measured=told[:, 2:], features=NAMES[2:])
    assert short_rule(without, panel.label == 1) is None


def test_of_a_small_seed_the_reason_counts_who_is_in_it(tmp_path: Path) -> None:
    few = of(habits(), np.arange(PEOPLE) < 40)
    outcome = learn_run(ORDER, write(few, tmp_path / "panel.parquet"), None)[0]
    assert outcome.why == "40 people in the seed and 660 outside it; needs 100 of each"
