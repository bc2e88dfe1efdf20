"""Which features moved a person's score, in its own unit: along the trees' own paths.

Saabas (2014), Interpreting random forests, over boosted trees: each split moves the value of a node
to that of its child, and the moves of all trees sum up to the score. Of a logistic line it is the
weight times the standardised value.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from stamgast_learn.calibration import Floats
from stamgast_learn.predict.estimate import Estimate

Explainer = Callable[[Floats], Floats]


def contributions(estimate: Estimate, measured: Floats) -> Floats:
    """What each feature adds to each row's log-odds (rows, features)."""
    return explainer(estimate)(measured)


def explainer(estimate: Estimate) -> Explainer:
    """A function of rows that answers what each feature adds: log-odds, or a regression's unit."""
    if hasattr(estimate.estimator, "_predictors"):
        return _of_trees(estimate.estimator)
    return lambda measured: _of_line(estimate.estimator, measured)


def _of_trees(estimator: Any) -> Explainer:
    """What the way to each leaf adds is worked out once; rows are then sums over their leaves.

    Leaves are found by scikit-learn's own code: it is asked for trees whose values are numbers of
    nodes.
    """
    predictors = [predictor for (predictor,) in estimator._predictors]
    ways = np.concatenate([_ways(one.nodes, estimator.n_features_in_) for one in predictors])
    starts = np.cumsum([0, *(len(one.nodes) for one in predictors)])
    numbered = [_numbered(one, start) for one, start in zip(predictors, starts, strict=False)]
    bitsets = estimator._bin_mapper.make_known_categories_bitsets()

    def explain(measured: Floats) -> Floats:
        rows = np.ascontiguousarray(measured)
        leaves = np.column_stack([one.predict(rows, *bitsets, 1) for one in numbered])
        each = np.arange(0, leaves.size + 1, len(numbered))
        ones = np.ones(leaves.size)
        told: Floats = (
            csr_array((ones, leaves.astype(np.int64).ravel(), each), shape=(len(rows), len(ways)))
            @ ways
        )
        return told

    return explain


def _numbered(predictor: Any, start: int) -> Any:
    """The same tree, whose nodes have their numbers for values."""
    nodes = predictor.nodes.copy()
    nodes["value"] = start + np.arange(len(nodes))
    return type(predictor)(nodes, predictor.binned_left_cat_bitsets, predictor.raw_left_cat_bitsets)


def _ways(nodes: Any, features: int) -> Floats:
    """What each feature adds on the way from the root to each node (nodes, features)."""
    values, told = _values(nodes), np.zeros((len(nodes), features))
    for place, node in enumerate(nodes):
        for below in () if node["is_leaf"] else (int(node["left"]), int(node["right"])):
            told[below] = told[place]
            told[below, node["feature_idx"]] += values[below] - values[place]
    return told


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
    moved = scaler.transform(imputer.transform(measured)) * np.atleast_2d(line.coef_)[0]
    told = np.array(moved[:, : measured.shape[1]])
    if imputer.indicator_ is None:
        return told
    for place, feature in enumerate(imputer.indicator_.features_):
        told[:, feature] += moved[:, measured.shape[1] + place]
    return told
