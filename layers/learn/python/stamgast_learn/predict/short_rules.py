"""Seeds that a few questions tell: a model that learns of such a seed repeats its rule.

No feature tells it by itself, and a line of them all may order people with an area far from one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.alone import SEED, are_told, few, half_of
from stamgast_learn.predict.estimate import binnable, trees
from stamgast_learn.predict.folds import folds
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.ranking import auc_of

SAME = {2: 0.9, 3: 0.9, 4: 0.95, 5: 0.95, 6: 0.95}
"""By the number of questions: of whom a tree takes for the seed so many are of it, and so many of
the seed it takes; and so it is of those outside, or who takes everybody would know a large seed."""
LEAST_PEOPLE, ENOUGH = 5, 20_000
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
    """A rule of two questions, up to six, one after another, that makes the seed; else None."""
    rows = few(np.ones(len(panel), np.bool_), ENOUGH)
    asked, seed = panel.at(rows), labels[rows]
    half = half_of(asked.person) if len(asked) else seed
    if not (are_told(seed[half]) and are_told(seed[~half])):
        return None
    columns = np.clip(asked.measured, -LARGEST, LARGEST)
    for questions, same in SAME.items():
        taken = np.zeros(len(seed), np.bool_)
        for held in (half, ~half):
            taken[held] = _tree(columns[~held], seed[~held], questions).predict(columns[held])
        found = _both(taken, seed)
        if min(*found, *_both(~taken, ~seed)) >= same:
            used = _tree(columns, seed, questions).tree_.feature
            names = tuple(panel.features[place] for place in np.unique(used[used >= 0]))
            return ShortRule(names, *found)
    return None


def _both(taken: Labels, seed: Labels) -> tuple[float, float]:
    """Precision and recall."""
    right = float((taken & seed).sum())
    return right / max(1, int(taken.sum())), right / max(1, int(seed.sum()))


def skill_of_trees(panel: Panel, labels: Labels) -> float:
    """The area under the curve by which boosted trees order people held out: of rules of many
    conditions it is near 1, where that of a line is not."""
    scores = np.zeros(len(panel))
    for held in folds(panel.person):
        fitted = trees().fit(binnable(panel.measured[~held]), labels[~held])
        scores[held] = fitted.predict_proba(panel.measured[held])[:, 1]
    return auc_of(scores, labels)


def _tree(columns: Floats, seed: Labels, questions: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(
        max_depth=questions, min_samples_leaf=LEAST_PEOPLE, random_state=SEED
    )
    return tree.fit(columns, seed)
