"""Least squares with errors that neither unequal spread nor rows of one person fool.

The variance is the jackknife over persons (CV3: MacKinnon, Nielsen and Webb 2023, Cluster-robust
inference: a guide to empirical practice, section 3), which is HC3 (MacKinnon and White 1985) where
everybody has one row. Of many coefficients, p-values are Holm's (1979) and false discovery rates
those of Benjamini and Hochberg (1995).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, t

from stamgast_learn.calibration import Floats

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Fitted:
    """Coefficients of the first `told` columns: with 95 % each, and with 95 % all at once."""

    coefficients: Floats
    errors: Floats
    low: Floats
    high: Floats
    low_all: Floats
    high_all: Floats
    p: Floats
    p_holm: Floats
    q: Floats


def regress(columns: Floats, outcome: Floats, person: NDArray[Any], told: int) -> Fitted:
    """The regression of an outcome; needs columns of full rank and more people than columns."""
    inverse = np.asarray(np.linalg.inv(columns.T @ columns), np.float64)
    coefficients = inverse @ (columns.T @ outcome)
    spread, people = _jackknifed(columns, outcome - columns @ coefficients, inverse, person)
    errors = np.sqrt(np.maximum(np.diag(spread), 0.0))[:told]
    beta, free = coefficients[:told], max(1, people - 1)
    p = np.asarray(2 * t.sf(np.abs(beta) / np.maximum(errors, 1e-300), free))
    one, many = (t.ppf(1 - ALPHA / 2 / share, free) for share in (1, max(1, told)))
    return Fitted(
        *(coefficients, errors),
        *(beta - one * errors, beta + one * errors),
        *(beta - many * errors, beta + many * errors),
        *(p, holm(p), false_discovery_control(p) if told else p),
    )


def _jackknifed(
    columns: Floats, off: Floats, inverse: Floats, person: NDArray[Any]
) -> tuple[Floats, int]:
    """The variance of the coefficients from leaving out one person after another; how many."""
    _, of, counts = np.unique(person, return_inverse=True, return_counts=True)
    order = np.argsort(of, kind="stable")
    starts = np.append(0, np.cumsum(counts))[:-1]
    meat = np.zeros_like(inverse)
    for size in np.unique(counts):
        first = starts[counts == size]
        rows = order[first[:, None] + np.arange(size)]
        part = columns[rows]
        hat = part @ inverse @ part.transpose(0, 2, 1)
        alone = np.linalg.solve(np.eye(size) - hat + 1e-12 * np.eye(size), off[rows][:, :, None])
        scores = (part.transpose(0, 2, 1) @ alone)[:, :, 0]
        meat += scores.T @ scores
    people = len(counts)
    return (people - 1) / people * (inverse @ meat @ inverse), people


def wald(
    columns: Floats, outcome: Floats, person: NDArray[Any], told: int
) -> tuple[float, int, int]:
    """Wald's statistic that the first `told` coefficients are all nothing; it is about F times the
    first number of degrees of freedom, which follow."""
    inverse = np.asarray(np.linalg.inv(columns.T @ columns), np.float64)
    coefficients = inverse @ (columns.T @ outcome)
    spread, people = _jackknifed(columns, outcome - columns @ coefficients, inverse, person)
    beta = coefficients[:told]
    statistic = float(beta @ np.linalg.solve(spread[:told, :told], beta))
    return statistic, told, max(1, people - columns.shape[1])


def holm(p: Floats) -> Floats:
    """Holm's step-down p-values."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    told = np.empty_like(p)
    told[order] = np.minimum(1.0, stepped)
    return told
