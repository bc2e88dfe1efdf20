"""How far people now differ from those that were learnt of: the population stability index.

Siddiqi (2006), Credit Risk Scorecards: below 0.1 stable, above 0.25 shifted.
"""

from collections.abc import Sequence

import numpy as np

from stamgast_learn.calibration import Floats

BINS = 10
SHIFTED = 0.25
FLOOR = 1e-4
"""A bin that nobody is in counts as so large a share."""


def stability_index(then: Floats, now: Floats) -> float:
    """PSI over deciles of `then`; nothing known is a bin of its own."""
    known = then[~np.isnan(then)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else None
    before, after = (_shares(values, edges) for values in (then, now))
    return float(((after - before) * np.log(after / before)).sum())


def _shares(values: Floats, edges: Floats | None) -> Floats:
    if edges is None:
        edges = np.zeros(0)
    place = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
    counted = np.bincount(place, minlength=len(edges) + 2)
    return np.maximum(counted / max(1, len(values)), FLOOR)


def drift_of(names: Sequence[str], then: Floats, now: Floats) -> dict[str, float]:
    """The index of each feature (columns) by its name, rounded to four places."""
    told = zip(names, then.T, now.T, strict=True)
    return {name: round(stability_index(before, after), 4) for name, before, after in told}
