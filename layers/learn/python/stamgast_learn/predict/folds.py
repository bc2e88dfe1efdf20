"""People in folds, each of whom is held out once, with all that is known of them at any cut-off."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Labels

SEED = 20_080_824
FOLDS, FEWER_FOLDS, FINE_FOLDS = 5, 3, 10
ENOUGH, FEW = 100_000, 20_000
"""Of `ENOUGH` rows two thirds teach as much as four fifths do; of `FEW` each tenth counts."""


def folds(person: NDArray[Any]) -> Iterator[Labels]:
    """Masks of rows, the rows of a person in one of them: five, or three where rows are many."""
    return _in(FOLDS if len(person) < ENOUGH else FEWER_FOLDS, person)


def fine_folds(person: NDArray[Any]) -> Iterator[Labels]:
    """The same, and ten where rows are few: what stands for the model in use learns of nine tenths
    of what that one does (Kohavi, 1995)."""
    return _in(FINE_FOLDS, person) if len(person) < FEW else folds(person)


def _in(many: int, person: NDArray[Any]) -> Iterator[Labels]:
    people, of = np.unique(person, return_inverse=True)
    shuffled: NDArray[np.int64] = np.random.default_rng(SEED).permutation(len(people))
    for fold in range(min(many, len(people))):
        yield shuffled[of] % many == fold
