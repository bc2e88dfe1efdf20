"""Labels cut by time: the older train, later ones calibrate, the latest judge."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Labels
from stamgast_learn.faults import AbstainedError

TRAINING_SHARE, CALIBRATION_SHARE = 0.6, 0.8
PARTS = 3
LEAST_SHARE_LATER = 0.1
"""Of the least number of labels, how many of each class calibration and judgement need at least."""


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows train, calibrate and judge, and the panel with which each part ends."""

    train: Labels
    calibrate: Labels
    judge: Labels
    train_until: int
    calibrate_until: int


def split_by_time(panel: NDArray[np.int64], labels: Labels, least: int) -> Split:
    """Whole panels to each part, as near to the shares as they go, and none without a panel.

    Panels count backwards, so the largest number is the oldest.
    Raises AbstainedError below `least` positives or negatives, or when a later part has too few to
    say anything.
    """
    require(labels, least, "in all")
    ages, counts = np.unique(-panel, return_counts=True)
    if len(ages) < PARTS:
        raise AbstainedError(f"labels of {len(ages)} weeks; needs {PARTS} to judge by later ones")
    told = np.cumsum(counts) / len(panel)
    first = int(np.abs(told[:-2] - TRAINING_SHARE).argmin())
    second = first + 1 + int(np.abs(told[first + 1 : -1] - CALIBRATION_SHARE).argmin())
    train_until, calibrate_until = int(-ages[first]), int(-ages[second])
    split = Split(
        panel >= train_until,
        (panel < train_until) & (panel >= calibrate_until),
        panel < calibrate_until,
        train_until,
        calibrate_until,
    )
    later = max(5, int(least * LEAST_SHARE_LATER))
    require(labels[split.train], later, "to train on")
    require(labels[split.calibrate], later, "to calibrate on")
    require(labels[split.judge], later, "to judge by")
    return split


def halves_by_time(panel: NDArray[np.int64], labels: Labels, least: int) -> Labels:
    """Which rows calibrate, where nothing is trained; the rest, whole later panels, judges.

    Raises AbstainedError as `split_by_time` does.
    """
    require(labels, least, "in all")
    ages, counts = np.unique(-panel, return_counts=True)
    if len(ages) < PARTS - 1:
        raise AbstainedError("labels of one week; needs 2 to judge by later ones")
    told = np.cumsum(counts) / len(panel)
    until = int(-ages[int(np.abs(told[:-1] - TRAINING_SHARE).argmin())])
    earlier: Labels = panel >= until
    later = max(5, int(least * LEAST_SHARE_LATER))
    require(labels[earlier], later, "to calibrate on")
    require(labels[~earlier], later, "to judge by")
    return earlier


def require(labels: Labels, least: int, why: str) -> None:
    """Raises AbstainedError with the reason unless both classes have this many."""
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if min(positives, negatives) < least:
        raise AbstainedError(
            f"{positives} positives and {negatives} negatives {why}; needs {least} of each"
        )
