"""How far stated probabilities can be trusted, measured on labels that came later.

Pure functions of arrays: the Brier score with its interval, the calibration curve, precision and
recall by threshold, and whether a model beats the base rate.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Floats, Labels

Z95 = 1.959963984540054
MOST_BINS = 10
LEAST_IN_A_BIN = 20
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Bin:
    """One point of the calibration curve: what was stated, what came true, and how sure that is.

    `low` and `high` bound the observed rate with 95 % (Wilson, 1927).
    """

    count: int
    stated: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What a purpose gets that takes links from this probability on; None where nothing is."""

    threshold: float
    links: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Reliability:
    """The report on held-out labels; `brier_low` and `brier_high` bound the score with 95 %.

    `gain` is the Brier score of the base rate minus the model's, `gain_low` its lower bound: a
    model whose lower bound is not above zero has not been shown to be better than no model. `off`
    is by how much the mean of what was stated lies above what came true, with 95 %.
    """

    labels: int
    positives: int
    brier: float
    brier_low: float
    brier_high: float
    base_rate: float
    base_rate_brier: float
    gain: float
    gain_low: float
    calibration_error: float
    off: float
    off_low: float
    off_high: float
    curve: tuple[Bin, ...]
    thresholds: tuple[AtThreshold, ...]

    @property
    def is_better_than_base_rate(self) -> bool:
        """Whether the model beats the base rate beyond chance."""
        return self.gain_low > 0.0

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return asdict(self)


def reliability(
    stated: Floats, labels: Labels, base_rate: float, person: NDArray[Any] | None = None
) -> Reliability:
    """The report of stated probabilities against labels; `base_rate` comes from earlier labels.

    Where rows tell of a `person`, intervals of means take the rows of one as one.
    """
    truth, of = labels.astype(np.float64), np.arange(len(labels)) if person is None else person
    errors = (stated - truth) ** 2
    gains = (base_rate - truth) ** 2 - errors
    brier, half, off_by = float(errors.mean()), spread(errors, of), float((stated - truth).mean())
    off_half = spread(stated - truth, of)
    curve = calibration_curve(stated, labels)
    off = sum(one.count * abs(one.stated - one.observed) for one in curve) / len(labels)
    return Reliability(
        labels=len(labels),
        positives=int(labels.sum()),
        brier=brier,
        brier_low=max(0.0, brier - half),
        brier_high=brier + half,
        base_rate=base_rate,
        base_rate_brier=float(((base_rate - truth) ** 2).mean()),
        gain=float(gains.mean()),
        gain_low=float(gains.mean()) - spread(gains, of),
        calibration_error=off,
        off=off_by,
        off_low=off_by - off_half,
        off_high=off_by + off_half,
        curve=curve,
        thresholds=tuple(at_threshold(stated, labels, one) for one in THRESHOLDS),
    )


def calibration_curve(stated: Floats, labels: Labels) -> tuple[Bin, ...]:
    """Bins of equal size along the stated probability; ties never fall into two bins."""
    bins = max(1, min(MOST_BINS, len(stated) // LEAST_IN_A_BIN))
    edges = np.unique(np.quantile(stated, np.linspace(0.0, 1.0, bins + 1)[1:-1]))
    place = np.searchsorted(edges, stated, side="left")
    return tuple(_bin(stated[place == one], labels[place == one]) for one in np.unique(place))


def at_threshold(stated: Floats, labels: Labels, threshold: float) -> AtThreshold:
    """Precision and recall of taking every pair at or above a threshold."""
    taken = stated >= threshold
    links, right, all_right = int(taken.sum()), int(labels[taken].sum()), int(labels.sum())
    return AtThreshold(
        threshold, links, right / links if links else None, right / all_right if all_right else None
    )


def wilson(successes: float, trials: int, deviations: float = Z95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson, 1927), at 95 % unless it is said how wide."""
    p, z2 = successes / trials, deviations**2
    middle = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(p * (1 - p) / trials + z2 / (4 * trials**2)) * deviations / (1 + z2 / trials)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _bin(stated: Floats, labels: Labels) -> Bin:
    count, right = len(labels), int(labels.sum())
    return Bin(count, float(stated.mean()), right / count, *wilson(right, count))


def spread(values: Floats, person: NDArray[Any]) -> float:
    """Half the 95 % interval of a mean, the values of a person taken as one (Liang & Zeger 1986).

    Of a single person nothing can be said.
    """
    _, of = np.unique(person, return_inverse=True)
    apart = np.bincount(of, weights=values - values.mean())
    if len(apart) < 2:
        return float("inf")
    few = len(apart) / (len(apart) - 1)
    return float(Z95 * np.sqrt(few * (apart**2).sum()) / len(values))
