"""What is fitted: boosted trees where there is enough to fit them of, else a logistic line.

Ke et al. (2017), LightGBM, in scikit-learn's histogram form. An estimator is kept by skops, which
loads no type that is not on a list: a model is data, never code.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.honesty import require_people

SEED = 20_050_401
"""Fixed, so that equal data make an equal model."""
ENOUGH_FOR_TREES = 2_000
"""Below about this many rows trees fit the noise that they are judged against."""
TRUSTED = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
"""Beside skops' own list: arrays of nodes, and the type of numbers; neither runs anything."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A fitted classifier over the features; its scores are not yet probabilities."""

    estimator: Any

    def scores(self, measured: Floats) -> Floats:
        """A score in [0, 1] for each row."""
        return np.asarray(self.estimator.predict_proba(measured)[:, 1], dtype=np.float64)

    def dumped(self) -> bytes:
        """The estimator as data."""
        import skops.io  # type: ignore[import-untyped]

        return bytes(skops.io.dumps(self.estimator))


def loaded(told: bytes) -> Estimate:
    """The estimator that `dumped` told; raises skops' UntrustedTypesFoundException for others."""
    import skops.io

    return Estimate(skops.io.loads(told, trusted=list(TRUSTED)))


def fit(measured: Floats, labels: Labels, rows: int | None = None) -> Estimate:
    """The classifier of these rows, or the one that so many `rows` would be fitted by.

    Whatever stands for another model in a judgement is of that one's family, or it would tell of
    a model that nobody uses. Raises AbstainedError where there is nobody, or nothing, to learn of.
    """
    require_people(len(labels))
    if not measured.shape[1]:
        raise AbstainedError("no feature is left: each says the same of everybody, or nothing")
    make = trees if (len(labels) if rows is None else rows) >= ENOUGH_FOR_TREES else _line
    estimator = make()
    estimator.fit(binnable(measured), labels)
    return Estimate(estimator)


def binnable(measured: Floats) -> Floats:
    """The same, with 0 for what is unknown of everybody: trees can bin no column of nothing."""
    return np.where(np.isnan(measured).all(axis=0), 0.0, measured)


def trees() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=0.06,
        max_iter=120,
        max_leaf_nodes=15,
        min_samples_leaf=40,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=SEED,
    )


def _line() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.3, max_iter=2_000, random_state=SEED),
    )
