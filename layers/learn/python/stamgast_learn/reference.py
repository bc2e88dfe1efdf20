"""Bins of features and scores of those a version first scored, and later people counted by them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.parquet import Columns

BINS = 10
Json = dict[str, Any]


def reference_of(measured: Columns) -> Json:
    """Deciles of each column as edges, and the share of each bin; the last is of the unknown."""
    return {name: _bins(column) for name, column in measured.items() if len(column)}


def counted(reference: Mapping[str, Any], measured: Columns) -> Json:
    """How many of these people lie in each bin of each column that both know."""
    return {
        name: _counts(measured[name], np.array(bins["edges"])).tolist()
        for name, bins in reference.items()
        if name in measured
    }


def _bins(column: Floats) -> Json:
    known = column[~np.isnan(column)]
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.unique(np.quantile(known, inner)) if len(known) else np.zeros(0)
    counts = _counts(column, edges)
    return {"edges": edges.tolist(), "shares": (counts / len(column)).tolist()}


def _counts(column: Floats, edges: Floats) -> Any:
    place = np.searchsorted(edges, column, side="left")
    return np.bincount(np.where(np.isnan(column), len(edges) + 1, place), minlength=len(edges) + 2)
