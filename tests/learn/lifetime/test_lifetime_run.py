"""A run of lifetime values judges a version, and keeps it out where a feature knows the money."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from stamgast_learn.lifetime.run import learn_run
from stamgast_learn.parquet import Columns, write_columns
from stamgast_learn.predict.run import Order, Outcome
from tests.learn.lifetime.worlds import simulated

PEOPLE, WITHIN = 1_200, 13
ORDER = Order(*("worth", "1", ("note",), WITHIN, 100, 0.01, 365, True), kind="lifetime_value")


@cache
def customers() -> Columns:
    """The columns of a panel of one cut-off, whose feature tells nothing."""
    of, _, came = simulated(PEOPLE, float(WITHIN), 3)
    return {
        "person_id": np.array([f"p{n}" for n in range(PEOPLE)], dtype=object),
        "cut_on": np.full(PEOPLE, np.datetime64("2026-03-01", "us")),
        "label": came,
        "repeats": of.repeats,
        "recency": of.recency,
        "age": of.age,
        "mean_spend": np.zeros(PEOPLE) if of.mean_spend is None else of.mean_spend,
        "f0": np.random.default_rng(7).normal(size=PEOPLE),
    }


def learnt(folder: Path, *allowed: str, is_leak: bool) -> Outcome:
    """What becomes of a version, with a note of half of those who spent, or of nobody."""
    columns = dict(customers())
    if is_leak:
        is_noted = (columns["label"] > 0) & (np.arange(PEOPLE) % 2 == 0)
        columns["f0"] = np.where(is_noted, 1.0, np.nan)
    write_columns(folder / "panel.parquet", columns)
    return learn_run(replace(ORDER, allowed=allowed), folder / "panel.parquet", None)[0]


@pytest.mark.failure_line(34)
def test_a_value_with_a_suspected_feature_is_judged_and_kept_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line 34: what is noted of those who spent, of half of them."""
    outcome = learnt(tmp_path, is_leak=True)
    assert str(outcome.why).startswith("suspected of knowing the outcome: feature note")
    assert "judgement" in outcome.report
    assert learnt(tmp_path, "note", is_leak=True).is_used
    assert learnt(tmp_path, is_leak=False).is_used
    monkeypatch.setattr("stamgast_learn.lifetime.run.require_unsuspected", lambda _: None)
    assert learnt(tmp_path, is_leak=True).is_used
