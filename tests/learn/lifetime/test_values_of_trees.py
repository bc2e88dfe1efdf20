"""Where trees tell amounts, bounds and reasons are theirs, too, and hold for people not seen."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stamgast_learn.calibration import Floats
from stamgast_learn.lifetime.kept import valuer_of
from stamgast_learn.lifetime.levels import levels_from, levels_of
from stamgast_learn.lifetime.run import learn_run, score_run
from stamgast_learn.parquet import Columns, read_columns, write_columns
from stamgast_learn.predict.panel import read_panel
from stamgast_learn.predict.run import Order
from tests.learn.lifetime.worlds import simulated

PEOPLE, WITHIN, LEVEL = 2_400, 13, 0.9
ORDER = Order(
    *("worth", "1", ("need", "noise"), WITHIN, 100, 0.01, 365, True), kind="lifetime_value"
)
DAYS = ("2026-02-01", "2026-03-01", "2026-04-01")


def _came(random: np.random.Generator, need: Floats) -> Floats:
    """Money that follows from a need, which no purchase tells of."""
    buys = random.random(PEOPLE) < need * 0.8
    return np.where(buys, 100 * need + random.gamma(3, 5, PEOPLE), 0.0)


def shop(folder: Path) -> tuple[Path, Floats]:
    """A panel of two cut-offs and of people to score, and what comes to these."""
    random, of = np.random.default_rng(1), simulated(PEOPLE, float(WITHIN), 9)[0]
    need, parts = random.random(PEOPLE), []
    for day in DAYS:
        came = _came(random, need)
        parts.append(
            {
                "person_id": np.array([f"p{n}" for n in range(PEOPLE)], dtype=object),
                "cut_on": np.full(PEOPLE, np.datetime64(day, "us")),
                "label": np.full(PEOPLE, np.nan) if day == DAYS[-1] else came,
                **{name: getattr(of, name) for name in ("repeats", "recency", "age")},
                "mean_spend": of.mean_spend,
                "f0": need + random.normal(0, 0.05, PEOPLE),
                "f1": random.normal(size=PEOPLE),
            }
        )
    columns: Columns = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
    write_columns(folder / "panel.parquet", columns)
    return folder / "panel.parquet", came


def test_their_bounds_hold_what_came_and_the_value_and_reasons_are_their_own(
    tmp_path: Path,
) -> None:
    path, came = shop(tmp_path)
    outcome, made = learn_run(ORDER, path, None)
    assert outcome.is_used, outcome.why
    assert made is not None
    judgement = outcome.report["judgement"]
    assert judgement["chosen"] == "trees"
    assert judgement["coverage"]["value"] == pytest.approx(LEVEL, abs=0.02)
    score_run(ORDER, made, path, tmp_path / "scores.parquet")
    told = read_columns(tmp_path / "scores.parquet")
    assert ((told["low"] <= told["value"]) & (told["value"] <= told["high"])).all()
    held = ((told["low"] <= came) & (came <= told["high"])).mean()
    assert held == pytest.approx(LEVEL, abs=0.025)
    first = [json.loads(one)[0] for one in told["reasons"]]
    assert np.mean([one["feature"] == "need" for one in first]) > 0.85
    assert all("money" in one for one in first)

    of_purchases = replace(valuer_of(made), levels=None)
    asked = read_panel(path, ORDER.features).to_score
    bounds, value = of_purchases.interval(asked, WITHIN), of_purchases.value(asked, WITHIN)
    assert ((value < bounds.low) | (value > bounds.high)).mean() > 0.05, "bounds of another model"


def test_what_was_stated_stands_beside_what_came(tmp_path: Path) -> None:
    judgement = learn_run(ORDER, shop(tmp_path)[0], None)[0].report["judgement"]
    parts = judgement["curve"]
    assert sum(one["people"] for one in parts) == judgement["customers"]
    near = [one["came"]["low"] - 3 <= one["stated"] <= one["came"]["high"] + 3 for one in parts]
    assert sum(near) >= 9


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9]))
def test_bounds_hold_of_others_as_often_as_they_say(seed: int, level: float) -> None:
    random = np.random.default_rng(seed)
    stated = random.gamma(1.0, 50.0, 4_000)
    came = np.where(random.random(4_000) < 0.5, stated * random.gamma(2.0, 1.0, 4_000), 0.0)
    told = levels_of(stated[:2_000], came[:2_000], level)
    assert levels_from(json.loads(json.dumps(told.to_json()))) == told
    bounds = told.interval(stated[2_000:])
    held = ((bounds.low <= came[2_000:]) & (came[2_000:] <= bounds.high)).mean()
    assert held >= level - 0.05


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"history_days": 30}, "30 days of history; needs 39"),
        ({"least_of_each": 2_401}, "people spent anything; needs 2401"),
        ({"margin": 0.9}, "needs 90.0%"),
    ],
)
def test_it_abstains_below_its_minima(tmp_path: Path, changed: dict[str, float], why: str) -> None:
    outcome, made = learn_run(replace(ORDER, **changed), shop(tmp_path)[0], None)  # type: ignore[arg-type]
    assert made is None
    assert why in str(outcome.why)
