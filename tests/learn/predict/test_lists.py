"""A list without times that joins whoever bought tells who was to buy; an honest list does not."""

from typing import Any

import numpy as np
import pytest

from stamgast.models.features import BY_LIST
from stamgast_learn.calibration import Floats
from stamgast_learn.predict import leaks
from stamgast_learn.predict.leaks import told_leaks
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.run import Order

PEOPLE, NOW, WITHIN = 900, 300, 30
CUTS = (150, 180, 210, 240, 270, NOW)
ORDER = Order("buys", "1", ("visits", "noise"), WITHIN, 100, 0.01, 365, is_training=True)


def people(seed: int) -> tuple[Floats, Floats]:
    """On which day each buys first, and how eager each is to."""
    random = np.random.default_rng(seed)
    eager = random.normal(size=PEOPLE)
    return random.exponential(600 * np.exp(-eager)), eager


def panel(seed: int, listed: Floats, buys_on: Floats, eager: Floats) -> Panel:
    """Whoever had not bought at each cut-off, with what is known of them; now, too."""
    random, rows = np.random.default_rng((seed, 1)), []
    for cut in CUTS:
        who = np.flatnonzero(buys_on >= cut)
        label = np.where(cut < NOW, buys_on[who] < cut + WITHIN, np.nan)
        told = np.column_stack(
            [random.poisson(2 * np.exp(eager[who] / 3)), random.random(len(who))]
        )
        rows.append((who, np.full(len(who), cut), label, told))
    who, cuts, label, measured = (np.concatenate(part) for part in zip(*rows, strict=True))
    features = ("visits", "noise")
    return Panel(who, cuts, label.astype(np.float64), measured, features, listed=listed[who])


def suspected(told: Panel) -> list[str]:
    """What is suspected of the panel, beside what is left to ask."""
    report: dict[str, Any] = {}
    found = told_leaks(told.labelled, ORDER, report, told.to_score)
    return [one.feature for one in found] + [one["feature"] for one in report["questions"]]


def of_buyers(seed: int) -> Panel:
    """The list is of everybody who had bought by now."""
    buys_on, eager = people(seed)
    return panel(seed, (buys_on < NOW) * 1.0, buys_on, eager)


def of_cards(seed: int) -> Panel:
    """The list is of who has a card: the eager rather, whether they bought or not."""
    buys_on, eager = people(seed)
    has_card = np.random.default_rng((seed, 2)).random(PEOPLE) < 1 / (1 + np.exp(-2 * eager))
    return panel(seed, has_card * 1.0, buys_on, eager)


@pytest.mark.failure_line(34)
@pytest.mark.parametrize("seed", range(3))
def test_a_list_of_buyers_alone_is_suspected(seed: int) -> None:
    """Line 34: a list that was made after the outcome, and joins people at all past cut-offs."""
    assert suspected(of_buyers(seed)) == [BY_LIST]


def test_the_reason_says_what_to_do_about_the_list() -> None:
    report: dict[str, Any] = {}
    told = of_buyers(1)
    told_leaks(told.labelled, ORDER, report, told.to_score)
    assert "load it with its times" in report["leaks"][0]["why"]


@pytest.mark.parametrize("seed", range(6))
def test_a_list_of_who_has_a_card_is_not(seed: int) -> None:
    assert suspected(of_cards(seed)) == []


def test_a_variant_that_asks_nothing_of_lists_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "with_list", lambda told: told)
    assert suspected(of_buyers(0)) == []


def test_no_model_learns_of_it() -> None:
    told = of_buyers(0)
    suspected(told)
    assert told.features == ("visits", "noise")
    assert told.measured.shape[1] == 2
