"""Features that tell who was treated: chance cannot have told them, so they were written after it.

The balance of the arms compares means. A feature that is there of the treated alone, or that says
something else of them, can have the same mean in both.
"""

import numpy as np
from scipy.stats import chi2_contingency

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.alone import codes
from stamgast_learn.predict.leaks import Leak
from stamgast_learn.predict.panel import Panel
from stamgast_learn.uplift.trial import rows_as_one

LEAST_EXPECTED = 5.0
"""Of either arm in a cell of a table; rarer values are one cell (Cochran 1954)."""


def telling_arms(panel: Panel, is_treated: Labels, least: float) -> tuple[Leak, ...]:
    """The features whose values, or having one, go with the arm less likely than this by chance.

    The probability is that any of them all does so (Bonferroni).
    """
    each = rows_as_one(is_treated, panel.person)
    told = (
        (name, _p(one, is_treated, each))
        for name, one in zip(panel.features, panel.measured.T, strict=True)
    )
    many = len(panel.features)
    return tuple(
        Leak(name, is_certain=True, why=_words(name, p * many))
        for name, p in told
        if p * many < least
    )


def _p(column: Floats, is_treated: Labels, each: float) -> float:
    """How likely values go so with the arms by chance: Pearson's, with `each` rows as one."""
    of = codes(column)
    arms = np.array(
        [np.bincount(of[one], minlength=of.max() + 1) for one in (is_treated, ~is_treated)]
    )
    people, smaller = arms.sum(axis=0), arms.sum(axis=1).min() / max(1, arms.sum())
    is_rare = people * smaller < LEAST_EXPECTED
    table = np.column_stack([arms[:, ~is_rare], arms[:, is_rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return 1.0
    return float(chi2_contingency(table / each, correction=False).pvalue)


def _words(name: str, p: float) -> str:
    return (
        f"feature {name} tells who was treated (p = {p:.2g} by chance): it was written after the"
        " treatment, or chance did not make the arms; nothing causal can be said of it"
    )
