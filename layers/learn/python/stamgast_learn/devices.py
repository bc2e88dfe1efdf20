"""Which devices belong together: a logistic regression over pair features, calibrated in time.

A model is data: coefficients over standardised features and the calibrator's knots. So it can be
read, compared and pinned, and each link says how much every feature spoke for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import (
    Calibrator,
    Floats,
    Labels,
    apply,
    calibrator_of,
    fit_calibrator,
)
from stamgast_learn.faults import AbstainedError
from stamgast_learn.reliability import Reliability, reliability
from stamgast_learn.split import Split, split_by_time

REGULARISATION = 1.0
MOST_STEPS = 2_000
SEED = 20_030_711
"""Fixed, so that equal data make an equal model."""


@dataclass(frozen=True, slots=True)
class DeviceModel:
    """The log-odds of a pair: intercept plus the weight of each standardised feature."""

    version: str
    features: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    calibrator: Calibrator

    def to_json(self) -> dict[str, Any]:
        """The model as plain data."""
        return {
            "version": self.version,
            "features": list(self.features),
            "means": list(self.means),
            "scales": list(self.scales),
            "weights": list(self.weights),
            "intercept": self.intercept,
            "calibrator": self.calibrator.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, how it fared on the latest labels, and how the labels were cut."""

    model: DeviceModel
    reliability: Reliability
    split: Split


def model_of(told: Mapping[str, Any]) -> DeviceModel:
    """The model that `to_json` told."""
    return DeviceModel(
        version=told["version"],
        features=tuple(told["features"]),
        means=tuple(told["means"]),
        scales=tuple(told["scales"]),
        weights=tuple(told["weights"]),
        intercept=told["intercept"],
        calibrator=calibrator_of(told["calibrator"]),
    )


def train(
    version: str,
    features: tuple[str, ...],
    measured: Floats,
    labels: Labels,
    panel: NDArray[np.int64],
    least: int,
) -> Trained:
    """A model of labelled pairs: `measured` has a row a pair and a column a feature.

    Older panels train, later ones calibrate, the latest judge; the base rate to beat is that of
    all earlier labels. Raises AbstainedError with too little data.
    """
    split = split_by_time(panel, labels, least)
    raw = _fitted(version, features, measured[split.train], labels[split.train])
    scores = _scores(raw, measured)
    calibrator = fit_calibrator(scores[split.calibrate], labels[split.calibrate])
    model = _calibrated(raw, calibrator)
    stated = apply(calibrator, scores[split.judge])
    earlier = float(labels[~split.judge].mean())
    return Trained(model, reliability(stated, labels[split.judge], earlier), split)


def require_better(trained: Trained) -> None:
    """Raises AbstainedError for a model that was not shown to be better than the base rate."""
    told = trained.reliability
    if not told.is_better_than_base_rate:
        raise AbstainedError(
            f"Brier score {told.brier:.4f} against {told.base_rate_brier:.4f} of the base rate:"
            " not shown to be better than no model"
        )


def probabilities(model: DeviceModel, measured: Floats) -> Floats:
    """The calibrated probability of each pair."""
    return apply(model.calibrator, _scores(model, measured))


def contributions(model: DeviceModel, measured: Floats) -> Floats:
    """How far each feature moves each pair's log-odds from those of an average pair."""
    standard = (measured - np.array(model.means)) / np.array(model.scales)
    return np.asarray(standard * np.array(model.weights), dtype=np.float64)


def _scores(model: DeviceModel, measured: Floats) -> Floats:
    z = contributions(model, measured).sum(axis=1) + model.intercept
    return np.asarray(1.0 / (1.0 + np.exp(-z)), dtype=np.float64)


def _fitted(
    version: str, features: tuple[str, ...], measured: Floats, labels: Labels
) -> DeviceModel:
    """The uncalibrated model; a constant feature gets scale 1 and so no weight."""
    from sklearn.linear_model import LogisticRegression

    means, scales = measured.mean(axis=0), measured.std(axis=0)
    scales = np.where(scales > 0, scales, 1.0)
    fitted = LogisticRegression(C=REGULARISATION, max_iter=MOST_STEPS, random_state=SEED)
    fitted.fit((measured - means) / scales, labels)
    as_is = Calibrator("none", 0, ((0.0, 0.0), (1.0, 1.0)))
    return DeviceModel(
        version,
        features,
        tuple(float(x) for x in means),
        tuple(float(x) for x in scales),
        tuple(float(x) for x in fitted.coef_[0]),
        float(fitted.intercept_[0]),
        as_is,
    )


def _calibrated(raw: DeviceModel, calibrator: Calibrator) -> DeviceModel:
    told = {**raw.to_json(), "calibrator": calibrator.to_json()}
    return model_of(told)
