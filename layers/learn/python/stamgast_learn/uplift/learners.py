"""The effect of a treatment on each person: the X-learner, and the T-learner beside it.

Künzel et al. (2019), Metalearners for estimating heterogeneous treatment effects using machine
learning. Outcomes are learnt by the same classifier that propensities are.
"""

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.contributions import contributions
from stamgast_learn.predict.estimate import (
    ENOUGH_FOR_TREES,
    SEED,
    TRUSTED,
    Estimate,
    binnable,
    fit,
)
from stamgast_learn.predict.honesty import require_both

TREATED, HELD_OUT = "treated.skops", "held_out.skops"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcome with and without the treatment: the T-learner."""

    treated: Estimate
    held_out: Estimate

    def uplift(self, measured: Floats) -> Floats:
        """How much more likely it comes to each row with the treatment."""
        return self.treated.scores(measured) - self.held_out.scores(measured)


@dataclass(frozen=True, slots=True)
class Effects:
    """The effect as learnt of the treated and of those held out, weighed by the arms' share."""

    treated: Any
    held_out: Any
    treated_share: float

    def uplift(self, measured: Floats) -> Floats:
        """How much more likely it comes to each row with the treatment."""
        share = self.treated_share
        first, second = (one.predict(measured) for one in (self.treated, self.held_out))
        told: Floats = np.clip((1 - share) * first + share * second, -1.0, 1.0)
        return told

    def explain(self, measured: Floats) -> Floats:
        """What each feature adds to each row's effect (rows, features)."""
        share = self.treated_share
        first, second = (
            contributions(Estimate(one), measured) for one in (self.treated, self.held_out)
        )
        told: Floats = (1 - share) * first + share * second
        return told

    def dumped(self) -> bytes:
        """Both regressions as data."""
        import skops.io  # type: ignore[import-untyped]

        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("share", str(self.treated_share))
            archive.writestr(TREATED, skops.io.dumps(self.treated))
            archive.writestr(HELD_OUT, skops.io.dumps(self.held_out))
        return kept.getvalue()


def effects_of(told: bytes) -> Effects:
    """The effects that `dumped` told."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(told)) as archive:
        treated, held_out = (
            skops.io.loads(archive.read(name), trusted=list(TRUSTED))
            for name in (TREATED, HELD_OUT)
        )
        return Effects(treated, held_out, float(archive.read("share")))


def outcomes(measured: Floats, came: Labels, is_treated: Labels) -> Outcomes:
    """The T-learner; raises AbstainedError where one outcome alone came to an arm."""
    require_both(came[is_treated], "of those who were treated")
    require_both(came[~is_treated], "of those who held out")
    return Outcomes(
        fit(measured[is_treated], came[is_treated]),
        fit(measured[~is_treated], came[~is_treated]),
    )


def effects(measured: Floats, came: Labels, is_treated: Labels, told: Outcomes) -> Effects:
    """The X-learner of what the T-learner told: each arm's outcome less the other's expectation."""
    first = came[is_treated] - told.held_out.scores(measured[is_treated])
    second = told.treated.scores(measured[~is_treated]) - came[~is_treated]
    return Effects(
        _regressor(len(first)).fit(binnable(measured[is_treated]), first),
        _regressor(len(second)).fit(binnable(measured[~is_treated]), second),
        float(is_treated.mean()),
    )


def _regressor(rows: int) -> Any:
    """Few and shallow trees: effects are small beside the noise of outcomes."""
    if rows >= ENOUGH_FOR_TREES:
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(
            learning_rate=0.05,
            max_iter=60,
            max_leaf_nodes=6,
            min_samples_leaf=100,
            l2_regularization=5.0,
            early_stopping=False,
            random_state=SEED,
        )
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler(), Ridge(alpha=max(1.0, rows / 20)))
