"""How far people now differ from those a model was learnt of: the population stability index.

Siddiqi (2006), Credit Risk Scorecards: below 0.1 stable, above 0.25 shifted. Bins are told with the
model, so that shards are counted apart and added up.
"""

from collections.abc import Mapping, Sequence
from math import log
from typing import Any

SHIFTED = 0.25
FLOOR = 1e-4
"""A bin that nobody is in counts as so large a share."""
SCORE = "the score"
"""Under this name the score stands among the features."""
Counts = Mapping[str, Sequence[int]]


def stability(before: Sequence[float], now: Sequence[int]) -> float:
    """PSI of counts now against shares before, bin by bin; 0 where nobody is."""
    people = sum(now)
    if not people:
        return 0.0
    pairs = (
        (max(was, FLOOR), max(many / people, FLOOR)) for was, many in zip(before, now, strict=True)
    )
    return sum((share - was) * log(share / was) for was, share in pairs)


def drift_of(reference: Mapping[str, Any], counted: Sequence[Counts]) -> dict[str, float]:
    """The index of each feature, and of the score, of shards counted by the reference's bins."""
    told = {}
    for name, bins in reference.items():
        parts = [one[name] for one in counted if name in one]
        if parts:
            summed = [sum(places) for places in zip(*parts, strict=True)]
            told[name] = round(stability(bins["shares"], summed), 4)
    return told


def has_shifted(scored: Mapping[str, Any]) -> bool:
    """Whether a version says other things than it did first; or, on the day on which it comes into
    use, the one before it would."""
    return any(is_shifted(scored.get(name) or {}) for name in ("drift", "since_before"))


def is_shifted(drift: Mapping[str, float]) -> bool:
    """Whether scores are others than they were; a feature such as an age moves by itself."""
    return drift.get(SCORE, 0.0) > SHIFTED
