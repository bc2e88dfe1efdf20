"""People in folds, each of whom is held out once, with all that is known of them at any cut-off."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Labels

SEED = 20_080_824
FOLDS, FEWER_FOLDS = 5, 3
ENOUGH = 100_000
"""With so many rows, two thirds of them teach as much as four fifths do."""


def folds(person: NDArray[Any]) -> Iterator[Labels]:
    """Masks of rows, the rows of a person in one of them: five, or three where rows are many."""
    many = FOLDS if len(person) < ENOUGH else FEWER_FOLDS
    people, of = np.unique(person, return_inverse=True)
    shuffled: NDArray[np.int64] = np.random.default_rng(SEED).permutation(len(people))
    for fold in range(min(many, len(people))):
        yield shuffled[of] % many == fold
