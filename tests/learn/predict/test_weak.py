"""Groups for whom a model is worse than their own base rate are named, and chance names none."""

import numpy as np
import pytest

from stamgast_learn.calibration import Floats
from stamgast_learn.predict import weak
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.weak import Weak, weak_groups

PEOPLE, WORLDS = 2_000, 40


def found(seed: int, names: tuple[str, ...], too_sure: bool) -> list[Weak]:
    """Groups of a model that states the truth, or says nearly one where `too_sure`, of a fourth."""
    random = np.random.default_rng(seed)
    measured = random.normal(size=(PEOPLE, len(names)))
    labels = random.random(PEOPLE) < 0.2
    stated: Floats = np.full(PEOPLE, 0.2)
    if too_sure:
        stated[measured[:, 0] > np.quantile(measured[:, 0], 0.75)] = 0.7
    label = labels.astype(np.float64)
    people = Panel(np.arange(PEOPLE), np.zeros(PEOPLE, np.int64), label, measured, names)
    return list(weak_groups(people, stated, labels))


@pytest.mark.parametrize("names", [("orders", "other"), ("own", "another")])
def test_a_group_of_which_it_is_too_sure_is_named_by_any_feature(names: tuple[str, ...]) -> None:
    told = max(found(1, names, too_sure=True), key=lambda one: one.worse.value)
    assert told.feature == names[0]
    assert told.high is None
    assert told.worse.low > 0
    assert told.brier - told.base_rate_brier == pytest.approx(told.worse.value)


def test_chance_names_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any(found(seed, ("orders",), too_sure=False) for seed in range(WORLDS))
    any_gap = staticmethod(lambda values, person: weak.Measure(0.0, float(values.mean()), 0.0))
    monkeypatch.setattr(weak, "clustered_mean", any_gap)
    assert any(found(seed, ("orders",), too_sure=False) for seed in range(WORLDS))
