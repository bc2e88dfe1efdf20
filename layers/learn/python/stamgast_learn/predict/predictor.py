"""A calibrated model of a panel: fitted on older cut-offs, calibrated on the newest of them."""

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from stamgast_learn.calibration import Calibrator, Floats, apply, calibrator_of, fit_calibrator
from stamgast_learn.predict.estimate import Estimate, fit, loaded
from stamgast_learn.predict.honesty import constant_features, require_both, require_people
from stamgast_learn.predict.panel import Panel

ABOUT, ESTIMATOR = "about.json", "estimator.skops"


@dataclass(frozen=True, slots=True)
class Predictor:
    """Probabilities from features, which it takes by name.

    `learnt_until` is the newest cut-off it has seen, in days since 1970; `constant` names features
    that said the same of everybody and were left out.
    """

    features: tuple[str, ...]
    constant: tuple[str, ...]
    estimate: Estimate
    calibrator: Calibrator
    learnt_until: int

    def probabilities(self, panel: Panel) -> Floats:
        """The calibrated probability of each row."""
        return apply(self.calibrator, self.estimate.scores(self.chosen(panel)))

    def chosen(self, panel: Panel) -> Floats:
        """The columns of a panel that it takes, in its order."""
        places = [panel.features.index(name) for name in self.features]
        return panel.measured[:, places]

    def dumped(self) -> bytes:
        """The predictor as an archive of data."""
        about = {
            "features": list(self.features),
            "constant": list(self.constant),
            "calibrator": self.calibrator.to_json(),
            "learnt_until": self.learnt_until,
        }
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(ABOUT, json.dumps(about, sort_keys=True))
            archive.writestr(ESTIMATOR, self.estimate.dumped())
        return kept.getvalue()


def predictor_of(told: bytes) -> Predictor:
    """The predictor that `dumped` told."""
    with zipfile.ZipFile(io.BytesIO(told)) as archive:
        about: dict[str, Any] = json.loads(archive.read(ABOUT))
        estimate = loaded(archive.read(ESTIMATOR))
    return Predictor(
        features=tuple(about["features"]),
        constant=tuple(about["constant"]),
        estimate=estimate,
        calibrator=calibrator_of(about["calibrator"]),
        learnt_until=about["learnt_until"],
    )


def rows_to_train_on(panel: Panel) -> int:
    """How many rows a predictor of the panel is fitted to: all but those of the newest cut-off."""
    return int((panel.cut_on < panel.cuts[-1]).sum())


def learn(panel: Panel) -> Predictor:
    """The predictor of a labelled panel of at least two cut-offs.

    Raises AbstainedError of nobody, or when all but the newest, or the newest, has one class alone.
    """
    require_people(len(panel))
    newest = int(panel.cuts[-1])
    older, calibrating = panel.at(panel.cut_on < newest), panel.at(panel.cut_on == newest)
    require_both(older.label == 1, "in the cut-offs to train on")
    require_both(calibrating.label == 1, "in the cut-off to calibrate on")
    constant = constant_features(older)
    kept = tuple(name for name in panel.features if name not in constant)
    places = [panel.features.index(name) for name in kept]
    estimate = fit(older.measured[:, places], older.label == 1)
    scores = estimate.scores(calibrating.measured[:, places])
    calibrator = fit_calibrator(scores, calibrating.label == 1)
    return Predictor(kept, constant, estimate, calibrator, newest)
