"""Seeds that a few questions tell: a model that learns of such a seed repeats its rule.

No feature tells it by itself, and a line of them all may order people with an area far from one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.alone import SEED, are_told, few, half_of
from stamgast_learn.predict.panel import Panel

MOST_QUESTIONS, LEAST_PEOPLE, ENOUGH = 3, 5, 20_000
SAME = 0.9
"""Of whom a tree takes for the seed so many are of it, and so many of the seed it takes."""
LARGEST = 3e38
"""Trees of single questions compare numbers of 32 bits."""


@dataclass(frozen=True, slots=True)
class ShortRule:
    """The features that a few questions ask for; of people held out, how many that were taken for
    the seed are of it, and how many of the seed were taken."""

    features: tuple[str, ...]
    precision: float
    recall: float


def short_rule(panel: Panel, labels: Labels) -> ShortRule | None:
    """A rule of two questions, or of three, one after another, that makes the seed; else None."""
    rows = few(np.ones(len(panel), np.bool_), ENOUGH)
    asked, seed = panel.at(rows), labels[rows]
    half = half_of(asked.person) if len(asked) else seed
    if not (are_told(seed[half]) and are_told(seed[~half])):
        return None
    columns = np.clip(asked.measured, -LARGEST, LARGEST)
    for questions in range(2, MOST_QUESTIONS + 1):
        taken = np.zeros(len(seed), np.bool_)
        for held in (half, ~half):
            taken[held] = _tree(columns[~held], seed[~held], questions).predict(columns[held])
        right = float((taken & seed).sum())
        precision, recall = right / max(1, int(taken.sum())), right / int(seed.sum())
        if min(precision, recall) >= SAME:
            used = _tree(columns, seed, questions).tree_.feature
            names = tuple(panel.features[place] for place in np.unique(used[used >= 0]))
            return ShortRule(names, precision, recall)
    return None


def _tree(columns: Floats, seed: Labels, questions: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(
        max_depth=questions, min_samples_leaf=LEAST_PEOPLE, random_state=SEED
    )
    return tree.fit(columns, seed)
