"""Whoever it came to last time: a baseline that knows no more than could be known."""

from dataclasses import replace

import numpy as np
import pytest

from stamgast_learn.predict import backtest as tested
from stamgast_learn.predict.backtest import backtest
from stamgast_learn.predict.baselines import baselines_of, last_outcome
from stamgast_learn.predict.panel import Panel, with_last
from tests.learn.predict.worlds import FEATURES, WITHIN, world

CUTS = 20_000 + WITHIN * np.arange(4)


def habits(people: int = 1_500) -> Panel:
    """People to half of whom it comes mostly, to the others hardly; features tell nothing."""
    random = np.random.default_rng(2)
    often = np.where(np.arange(people) % 2, 0.8, 0.1)
    label = np.concatenate([(random.random(people) < often).astype(float) for _ in CUTS])
    measured = random.normal(size=(len(label), 2))
    return Panel(
        np.tile(np.arange(people), len(CUTS)), np.repeat(CUTS, people), label, measured, ("a", "b")
    )


def test_it_tells_who_did_so_the_last_time_that_was_known() -> None:
    panel = with_last(habits(), WITHIN)
    people = len(panel) // len(CUTS)
    assert panel.last is not None
    assert np.isnan(panel.last[:people]).all()
    assert (panel.last[people:] == panel.label[:-people]).all()
    later = with_last(habits(), WITHIN + 1)
    assert later.last is not None
    assert (later.last[2 * people :] == later.label[: -2 * people]).all()


def test_it_beats_a_model_that_learnt_nothing() -> None:
    told = backtest(habits(), WITHIN)
    gone = ((told.stated - told.judged.label) ** 2).mean()
    assert ((told.baselines["last_outcome"] - told.judged.label) ** 2).mean() < gone - 0.05


def test_one_that_knew_what_was_to_come_would_be_beaten_by_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panel = world(people=800)[0].labelled
    honest = backtest(panel, WITHIN)
    monkeypatch.setattr(tested, "with_last", lambda one, _: replace(one, last=one.label))
    knows = backtest(panel, WITHIN)
    errors = [
        ((one.baselines["last_outcome"] - one.judged.label) ** 2).mean() for one in (honest, knows)
    ]
    assert errors[1] < 0.01 < errors[0]


def test_without_a_past_there_is_none() -> None:
    panel = world(people=200)[0].labelled
    assert panel.features == FEATURES
    assert last_outcome(panel, panel) is None
    assert "last_outcome" not in baselines_of(panel, panel)
