"""An experiment's people: who was treated and who held out, and whether chance decided it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest, f

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.drivers.design import design_of
from stamgast_learn.drivers.regression import wald
from stamgast_learn.faults import AbstainedError
from stamgast_learn.parquet import Column, read_columns
from stamgast_learn.predict.panel import Panel, read_panel
from stamgast_learn.predict.ranking import Measure
from stamgast_learn.reliability import Z95

UNLIKELY = 0.001
"""Below this probability the split, or the balance, is not the work of chance (Fabijan et al.
2019, Diagnosing sample ratio mismatch in online controlled experiments)."""
MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """Rows of people in the experiment; how many were in both arms, and left out; people now."""

    panel: Panel
    is_treated: Labels
    in_both: int
    now: Panel


def read_trial(path: Path, features: tuple[str, ...]) -> Trial:
    """The experiment of a panel's file, whose column `arm` says who was treated."""
    panel = read_panel(path, features)
    arm = read_columns(path)["arm"].astype(np.float64)
    told = ~np.isnan(panel.label)
    chosen = told & ((arm == 0) | (arm == 1))
    in_both = int((told & (arm == 2)).sum())
    return Trial(panel.at(chosen), arm[chosen] == 1, in_both, panel.to_score)


def require_chance(trial: Trial, treated_share: float) -> dict[str, Any]:
    """How the arms compare; raises AbstainedError where chance did not make them."""
    treated, people = int(trial.is_treated.sum()), len(trial.panel)
    each = rows_as_one(trial.is_treated, trial.panel.person)
    split = float(binomtest(round(treated / each), round(people / each), treated_share).pvalue)
    balance, differences = _balance(trial)
    if split < UNLIKELY:
        raise AbstainedError(
            f"{treated} of {people} people were treated where {treated_share:.0%} should have been:"
            f" the arms were not made by chance (p = {split:.2g}), so nothing causal can be said"
        )
    if balance < UNLIKELY:
        raise AbstainedError(
            "the arms differ before the treatment more than chance explains"
            f" (p = {balance:.2g}; most in {', '.join(differences)}), so nothing causal can be said"
            " unless these were written after the treatment: then take them out"
        )
    return {
        "treated": treated,
        "held_out": people - treated,
        "in_both": trial.in_both,
        "split_p": split,
        "balance_p": balance,
        "most_different": differences,
    }


def rows_as_one(is_treated: Labels, person: Column) -> float:
    """How many rows say as much of the arms as one by itself; at least 1 (Kish 1965).

    Who was known as several at the beginning may have been assigned once.
    """
    apart = is_treated - is_treated.mean()
    expected = float((apart**2).sum())
    squares = float((_by_person(apart, person) ** 2).sum())
    return max(1.0, squares / expected) if expected else 1.0


def _by_person(values: Floats, person: Column) -> Floats:
    return np.bincount(np.unique(person, return_inverse=True)[1], weights=values)


def _balance(trial: Trial) -> tuple[float, dict[str, float]]:
    """How likely such differences are by chance, and the largest in standard deviations."""
    design = design_of(trial.panel)
    if not design.told:
        return 1.0, {}
    statistic, many, free = wald(
        design.columns,
        trial.is_treated.astype(np.float64),
        trial.panel.person,
        len(design.told),
    )
    told = design.columns[:, : len(design.told)]
    apart = told[trial.is_treated].mean(axis=0) - told[~trial.is_treated].mean(axis=0)
    most = np.argsort(-np.abs(apart), kind="stable")[:MOST_TOLD]
    names = {design.told[place]: round(float(apart[place]), 3) for place in most}
    return float(f.sf(statistic / many, many, free)), names


def effect(outcome: Floats, is_treated: Labels, person: Column) -> Measure:
    """By how much more often it came to the treated, with 95 % (Neyman 1923).

    The rows of a person are taken as one (Liang and Zeger 1986).
    """
    means = [float(outcome[arm].mean()) for arm in (is_treated, ~is_treated)]
    value, treated = means[0] - means[1], int(is_treated.sum())
    apart = np.where(is_treated, outcome - means[0], means[1] - outcome)
    sums = _by_person(apart / np.where(is_treated, treated, len(outcome) - treated), person)
    half = Z95 * float(np.sqrt(len(sums) / (len(sums) - 1) * (sums**2).sum()))
    return Measure(value, value - half, value + half)
