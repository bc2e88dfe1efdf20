"""The BG/NBD model of Fader, Hardie and Lee (2005): purchases of customers who may leave unseen.

"Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model. Marketing Science
24(2), 275–284. Numbers of equations are that paper's.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import betaln, digamma, gammaln, hyp2f1

from stamgast_learn.faults import AbstainedError
from stamgast_learn.lifetime.histories import Floats, Histories
from stamgast_learn.lifetime.likelihood import LogLikelihood, Maximum, maximise

SINGULAR = 1e-6
"""Equation 10 has poles at a = 1 and at a + b + x = 1; so near to them it is taken from beside."""


@dataclass(frozen=True, slots=True)
class BgNbd:
    """While alive one buys as a Poisson process, and leaves after a purchase with probability p.

    Rates are Gamma(r, α) over customers, p is Beta(a, b); α has the unit of the histories' time.
    """

    r: float
    alpha: float
    a: float
    b: float

    def to_json(self) -> dict[str, float]:
        """The model as plain data."""
        return asdict(self)


def bg_nbd_of(told: Mapping[str, float]) -> BgNbd:
    """The model that `to_json` told."""
    return BgNbd(told["r"], told["alpha"], told["a"], told["b"])


def fit(histories: Histories) -> tuple[BgNbd, Maximum]:
    """The model of these customers and its maximum, α in their unit of time.

    Customers with the same history are counted, not repeated. Raises AbstainedError when nobody
    came back.
    """
    if not histories.repeats.any():
        raise AbstainedError("nobody bought a second time")
    unit = float(histories.age.mean()) or 1.0
    maximum = maximise(
        _log_likelihood(histories, unit), np.array([0.5, 0.5, 1.0, 2.0]), len(histories)
    )
    r, alpha, a, b = (float(value) for value in maximum.parameters)
    return BgNbd(r, alpha * unit, a, b), maximum


def _log_likelihood(histories: Histories, unit: float) -> LogLikelihood:
    """Equation 6 as ln A1 + ln A2 + ln(A3 + [x > 0] A4), after the authors' note on Excel."""
    columns = np.stack([histories.repeats, histories.recency / unit, histories.age / unit])
    (x, recency, age), times = _counted(columns)
    share = times / len(histories)
    counts, of = np.unique(x, return_inverse=True)
    repeated = x > 0

    def at(parameters: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = parameters
        until_cut, until_last = np.log(alpha + age), np.log(alpha + recency)
        stayed = -(r + x) * until_cut
        left = np.log(a / (b + np.maximum(x, 1) - 1)) - (r + x) * until_last
        both = np.where(repeated, np.logaddexp(stayed, left), stayed)
        w = np.where(repeated, np.exp(left - both), 0.0)
        fixed, fixed_slope = _of_counts(counts, parameters)
        slope = [
            fixed_slope[0][of] - (1 - w) * until_cut - w * until_last,
            fixed_slope[1][of] - (r + x) * ((1 - w) / (alpha + age) + w / (alpha + recency)),
            fixed_slope[2][of] + w / a,
            fixed_slope[3][of] - w / (b + np.maximum(x, 1) - 1),
        ]
        value = float((share * (fixed[of] + both)).sum())
        return value, np.array([(share * part).sum() for part in slope])

    return at


def _counted(columns: Floats) -> tuple[Floats, Floats]:
    """Distinct columns (3, m) and how often each comes."""
    order = np.lexsort(columns)
    sorted_columns = columns[:, order]
    is_new = np.append(True, (np.diff(sorted_columns, axis=1) != 0).any(axis=0))
    starts = np.flatnonzero(is_new)
    return sorted_columns[:, starts], np.diff(np.append(starts, len(order))).astype(np.float64)


def _of_counts(x: Floats, parameters: Floats) -> tuple[Floats, list[Floats]]:
    """ln A1 + ln A2, which depend on the count alone, and their slopes by r, α, a and b."""
    r, alpha, a, b = parameters
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    both = digamma(a + b) - digamma(a + b + x)
    slopes = [
        digamma(r + x) - digamma(r) + np.log(alpha),
        np.full_like(x, r / alpha),
        both,
        both + digamma(b + x) - digamma(b),
    ]
    return value, slopes


def alive(model: BgNbd, of: Histories) -> Floats:
    """P(alive) of each customer at the cut-off, in [0, 1].

    Fader, Hardie and Lee (2008), Computing P(alive) Using the BG/NBD Model; 1 without a repeat.
    """
    x = of.repeats.astype(np.float64)
    odds = np.log(model.a / (model.b + np.maximum(x, 1) - 1))
    odds += (model.r + x) * np.log((model.alpha + of.age) / (model.alpha + of.recency))
    told: Floats = np.where(of.repeats > 0, 1 / (1 + np.exp(np.minimum(odds, 700))), 1.0)
    return told


def expected_purchases(model: BgNbd, of: Histories, within: float) -> Floats:
    """E(Y(t)) of each customer in a time `within` after the cut-off (equation 10).

    The hypergeometric function is taken through Euler's transformation (DLMF 15.8.1), which holds
    for any number of repeats where the paper's own form overflows.
    """
    a = model.a if abs(model.a - 1) > SINGULAR else 1 + SINGULAR
    of_x = a + model.b + of.repeats - 1
    of_x = np.where(np.abs(of_x) > SINGULAR, of_x, SINGULAR)
    z = within / (model.alpha + of.age + within)
    curve = hyp2f1(a + model.b - 1 - model.r, a - 1, of_x, z)
    while_alive = of_x / (a - 1) * (1 - (1 - z) ** (a - 1) * curve)
    told: Floats = alive(model, of) * np.maximum(while_alive, 0.0)
    return told


def expected_since_first(model: BgNbd, age: Floats) -> Floats:
    """E(X(t)) of customers of whom only the age is known (equation 9): what a fit is checked by."""
    nobody = Histories(np.zeros(1, np.int64), np.zeros(1), np.zeros(1))
    return np.array([expected_purchases(model, nobody, float(t))[0] for t in age])
