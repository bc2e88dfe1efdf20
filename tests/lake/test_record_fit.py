"""The fit of a model of records over patterns that are counted by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stamgast_lake.records.expectation import Beliefs, Patterns, fit

EQUAL, OTHER = 0, 1
GIVEN, BORN, STREET, SURNAME = range(4)
MEMBERS = (OTHER, OTHER, EQUAL, EQUAL)
COUNTED = {
    (EQUAL, EQUAL, EQUAL, EQUAL): 900,
    (OTHER, EQUAL, EQUAL, EQUAL): 9,
    (EQUAL, OTHER, EQUAL, EQUAL): 9,
    (EQUAL, EQUAL, OTHER, EQUAL): 40,
    MEMBERS: 300,
    (EQUAL, OTHER, OTHER, OTHER): 9_000,
    (OTHER, OTHER, OTHER, OTHER): 990_000,
}
"""People twice in a file, those who live with them, namesakes and strangers."""


def believed(levels: Any, vouched: Sequence[tuple[int, int]]) -> tuple[Patterns, Beliefs]:
    pairs = np.array(list(COUNTED.values()), dtype=np.float64)
    patterns = Patterns(levels, pairs, float(pairs.sum()), np.ones(4))
    shown = [
        np.array([pairs[levels[:, place] == level].sum() for level in (EQUAL, OTHER)]) / pairs.sum()
        for place in (GIVEN, BORN, STREET, SURNAME)
    ]
    first = [np.array([0.7, 0.3])] * 4
    beliefs = Beliefs(shown, first, [0.2, 0.2, 0.5, 0.2], (), patterns, 1e-3, vouched=vouched)
    return patterns, beliefs


def members_taken_for_one_person(vouched: Sequence[tuple[int, int]]) -> float:
    """How many of the pairs that differ in given name and birth date the fit calls matches."""
    levels = np.array(list(COUNTED), dtype=np.int64)
    fitted = fit(*believed(levels, vouched))
    return float(fitted.matches[list(COUNTED).index(MEMBERS)])


def test_who_lives_together_does_not_teach_that_one_persons_names_and_birth_dates_differ() -> None:
    assert members_taken_for_one_person(((GIVEN, BORN), (BORN, GIVEN))) == 0


def test_a_fit_that_hears_nobody_vouch_takes_a_household_for_one_person() -> None:
    assert members_taken_for_one_person(()) > 150
