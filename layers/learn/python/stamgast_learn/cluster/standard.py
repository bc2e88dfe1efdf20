"""Features on one scale: known values, long tails drawn in, no unit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stamgast_learn.calibration import Floats
from stamgast_learn.faults import AbstainedError
from stamgast_learn.predict.honesty import constant_features
from stamgast_learn.predict.panel import Panel

SKEWED = 2.0
FARTHEST = 4.0
"""Standard deviations at which a value ends, so that no single one makes a cluster."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How a panel's features become numbers of one scale; unknown ones are the median.

    `is_long` names those of which the logarithm of 1 + x is taken: none negative, and skewed.
    """

    features: tuple[str, ...]
    medians: tuple[float, ...]
    is_long: tuple[bool, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]

    def of(self, panel: Panel) -> Floats:
        """The features of a panel's rows (rows, features)."""
        places = [panel.features.index(name) for name in self.features]
        known = _known(panel.measured[:, places], np.array(self.medians))
        told = np.where(self.is_long, np.log1p(np.maximum(known, 0)), known)
        scaled = (told - np.array(self.means)) / np.array(self.spreads)
        return np.asarray(np.clip(scaled, -FARTHEST, FARTHEST))

    def to_json(self) -> dict[str, Any]:
        """The scale as plain data."""
        return asdict(self)


def scale_of(told: Mapping[str, Any]) -> Scale:
    """The scale that `to_json` told."""
    return Scale(**{name: tuple(one) for name, one in told.items()})


def scale(panel: Panel) -> Scale:
    """The scale of a panel; raises AbstainedError where no feature tells people apart."""
    constant = constant_features(panel)
    names = [name for name in panel.features if name not in constant]
    measured = panel.measured[:, [panel.features.index(name) for name in names]]
    medians = np.array([float(np.median(one[~np.isnan(one)])) for one in measured.T])
    known = _known(measured, medians)
    moves = known.std(axis=0) > 0 if known.size else np.zeros(0, np.bool_)
    if not moves.any():
        raise AbstainedError("every feature says the same of everybody")
    known, medians = known[:, moves], medians[moves]
    is_long = (known.min(axis=0) >= 0) & (_skew(known) > SKEWED)
    drawn_in = np.where(is_long, np.log1p(np.maximum(known, 0)), known)
    return Scale(
        features=tuple(name for name, one in zip(names, moves, strict=True) if one),
        medians=tuple(medians.tolist()),
        is_long=tuple(is_long.tolist()),
        means=tuple(drawn_in.mean(axis=0).tolist()),
        spreads=tuple(drawn_in.std(axis=0).tolist()),
    )


def _known(measured: Floats, medians: Floats) -> Floats:
    return np.where(np.isnan(measured), medians, measured)


def _skew(known: Floats) -> Floats:
    centred = (known - known.mean(axis=0)) / known.std(axis=0)
    skew: Floats = (centred**3).mean(axis=0)
    return skew
