"""Which features moved a person's score, in log-odds: along the trees' own paths.

Saabas (2014), Interpreting random forests, over boosted trees: each split moves the value of a node
to that of its child, and the moves of all trees sum up to the score. Of a logistic line it is the
weight times the standardised value.
"""

from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.predict.estimate import Estimate


def contributions(estimate: Estimate, measured: Floats) -> Floats:
    """What each feature adds to each row's log-odds (rows, features)."""
    if hasattr(estimate.estimator, "_predictors"):
        return _of_trees(estimate.estimator, measured)
    return _of_line(estimate.estimator, measured)


def _of_trees(estimator: Any, measured: Floats) -> Floats:
    told = np.zeros(measured.shape)
    for (predictor,) in estimator._predictors:
        _of_tree(predictor.nodes, measured, told)
    return told


def _of_tree(nodes: Any, measured: Floats, told: Floats) -> None:
    """Walks all rows down a tree at once, level by level."""
    values = _values(nodes)
    rows, place = np.arange(len(measured)), np.zeros(len(measured), np.int64)
    while len(rows):
        here = nodes[place]
        going = here["is_leaf"] == 0
        rows, place, here = rows[going], place[going], here[going]
        feature = here["feature_idx"]
        value = measured[rows, feature]
        is_left = np.where(
            np.isnan(value), here["missing_go_to_left"] == 1, value <= here["num_threshold"]
        )
        below = np.where(is_left, here["left"], here["right"]).astype(np.int64)
        np.add.at(told, (rows, feature), values[below] - values[place])
        place = below


def _values(nodes: Any) -> Floats:
    """The value of each node: a leaf's own, of others the mean of those below, by their counts."""
    values: Floats = nodes["value"].astype(np.float64)
    for place in reversed(range(len(nodes))):
        node = nodes[place]
        if not node["is_leaf"]:
            left, right = int(node["left"]), int(node["right"])
            counts = nodes["count"][[left, right]].astype(np.float64)
            values[place] = (values[[left, right]] * counts).sum() / counts.sum()
    return values


def _of_line(estimator: Any, measured: Floats) -> Floats:
    """A value that is missing speaks through its indicator, which counts to the same feature."""
    imputer, scaler, line = (step for _, step in estimator.steps)
    moved = scaler.transform(imputer.transform(measured)) * line.coef_[0]
    told = np.array(moved[:, : measured.shape[1]])
    for place, feature in enumerate(imputer.indicator_.features_):
        told[:, feature] += moved[:, measured.shape[1] + place]
    return told
