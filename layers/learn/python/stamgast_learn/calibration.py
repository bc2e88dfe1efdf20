"""Scores to probabilities, out of time: isotonic regression with enough labels, else Platt's.

A calibrator is data (`to_json`), never a pickle. Fitting needs scikit-learn, applying numpy alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.faults import AbstainedError

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]

ENOUGH_FOR_ISOTONIC = 1_000
"""Below about this many labels isotonic regression overfits (Niculescu-Mizil & Caruana, 2005)."""
LEAST_OF_EACH = 2
SMALLEST = 1e-6


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Probabilities at knots of the score, straight lines between, flat beyond.

    Platt's sigmoid is kept as `slope` and `intercept` over the score's log-odds, without knots.
    """

    method: str
    labels: int
    knots: tuple[tuple[float, float], ...] = ()
    slope: float = 1.0
    intercept: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The calibrator as plain data."""
        return {
            "method": self.method,
            "labels": self.labels,
            "knots": [list(knot) for knot in self.knots],
            "slope": self.slope,
            "intercept": self.intercept,
        }


def calibrator_of(told: Mapping[str, Any]) -> Calibrator:
    """The calibrator that `to_json` told."""
    knots = tuple((float(x), float(y)) for x, y in told["knots"])
    return Calibrator(
        told["method"], int(told["labels"]), knots, float(told["slope"]), float(told["intercept"])
    )


def fit_calibrator(scores: Floats, labels: Labels) -> Calibrator:
    """The calibrator of scores in [0, 1] that labels (true for a match) came after.

    The labels must be later than those the scores were trained on. Raises AbstainedError where one
    class has fewer than two.
    """
    positives = int(labels.sum())
    if min(positives, len(labels) - positives) < LEAST_OF_EACH:
        raise AbstainedError(f"{positives} positives of {len(labels)} labels cannot calibrate")
    return (_isotonic if len(labels) >= ENOUGH_FOR_ISOTONIC else _platt)(scores, labels)


def apply(calibrator: Calibrator, scores: Floats) -> Floats:
    """The calibrated probabilities of scores in [0, 1]."""
    if calibrator.knots:
        x, y = (np.array(column) for column in zip(*calibrator.knots, strict=True))
        return np.asarray(np.interp(scores, x, y), dtype=np.float64)
    z = calibrator.slope * log_odds(scores) + calibrator.intercept
    return np.asarray(1.0 / (1.0 + np.exp(-z)), dtype=np.float64)


def log_odds(scores: Floats) -> Floats:
    """log(p / (1 - p)), with p kept off 0 and 1."""
    p = np.clip(scores, SMALLEST, 1.0 - SMALLEST)
    return np.asarray(np.log(p / (1.0 - p)), dtype=np.float64)


def _isotonic(scores: Floats, labels: Labels) -> Calibrator:
    """Pool adjacent violators (Zadrozny & Elkan, 2002); no end claims more than its labels carry.

    A first or last block of m labels of one class says 1/(m+2) or (m+1)/(m+2): Laplace's rule of
    succession, where plain isotonic regression would say never or always; but never more, or less,
    than the block beside it, or three people at an end would speak for everybody.
    """
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(out_of_bounds="clip").fit(scores, labels.astype(np.float64))
    blocks, people = np.unique(np.round(fitted.predict(scores), 12), return_counts=True)
    beside = slice(1, 2), slice(-2, -1)
    least = min(1.0 / (int(people[0]) + 2), *blocks[beside[0]])
    most = max(1.0 - 1.0 / (int(people[-1]) + 2), *blocks[beside[1]])
    knots = tuple(
        (float(x), float(np.clip(v, least, most)))
        for x, v in zip(fitted.X_thresholds_, fitted.y_thresholds_, strict=True)
    )
    return Calibrator("isotonic", len(labels), knots)


def _platt(scores: Floats, labels: Labels) -> Calibrator:
    """Platt (1999): a sigmoid over log-odds, fitted to (N+ + 1)/(N+ + 2) and 1/(N- + 2)."""
    from sklearn.linear_model import LogisticRegression

    positives, z = int(labels.sum()), log_odds(scores).reshape(-1, 1)
    yes, no = (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2)
    target = np.where(labels, yes, no)
    model = LogisticRegression(C=np.inf, max_iter=1_000)
    both = np.concatenate((np.ones(len(z)), np.zeros(len(z))))
    weights = np.concatenate((target, 1.0 - target))
    model.fit(np.concatenate((z, z)), both, sample_weight=weights)
    slope = max(0.0, float(model.coef_[0, 0]))
    return Calibrator("platt", len(labels), (), slope, float(model.intercept_[0]))
