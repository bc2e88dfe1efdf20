"""Panels whose truth is known: people with true odds of an outcome, at cut-offs a month apart."""

from pathlib import Path

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.parquet import write_columns
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.run import Order

FEATURES = ("rfm_r", "rfm_f", "rfm_m", "days_since_order", "noise", "same")
FIRST_DAY, WITHIN = 20_000, 30
ORDER = Order(
    model="buys_again",
    version="2",
    features=FEATURES,
    within_days=WITHIN,
    least_of_each=100,
    margin=0.01,
    history_days=365,
    is_training=True,
)


def world(
    people: int = 700, cuts: int = 6, seed: int = 1, base: float = -1.0
) -> tuple[Panel, Floats]:
    """A panel, the newest cut-off of it to be scored, and each row's true probability.

    Odds depend on recency scores, on an interaction that RFM does not know, and on nothing else.
    """
    random = np.random.default_rng(seed)
    rows = people * cuts
    r, f, m = (random.integers(1, 6, rows).astype(np.float64) for _ in range(3))
    days = random.gamma(2.0, 20.0, rows)
    log_odds = base + 0.5 * (r - 3) + 1.5 * np.where(days < 30, 1.0, -1.0) * np.where(f > 3, 1, -1)
    truth = 1 / (1 + np.exp(-log_odds))
    label = (random.random(rows) < truth).astype(np.float64)
    cut = FIRST_DAY + WITHIN * np.repeat(np.arange(cuts), people)
    label[cut == cut.max()] = np.nan
    days[random.random(rows) < 0.05] = np.nan
    measured = np.column_stack([r, f, m, days, random.normal(size=rows), np.ones(rows)])
    person = np.array([f"p{place}" for place in np.tile(np.arange(people), cuts)], dtype=object)
    return Panel(person, cut, label, measured, FEATURES), truth


def write(panel: Panel, path: Path) -> Path:
    """The panel as the file that a run reads."""
    days = panel.cut_on.astype("datetime64[D]").astype("datetime64[us]")
    columns = {f"f{place}": panel.measured[:, place] for place in range(len(panel.features))}
    write_columns(
        path, {"person_id": panel.person, "cut_on": days, "label": panel.label, **columns}
    )
    return path
