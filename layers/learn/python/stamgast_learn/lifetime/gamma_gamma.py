"""The Gamma-Gamma model of Fader and Hardie (2013): what a customer spends a purchase.

The Gamma-Gamma Model of Monetary Value, brucehardie.com/notes/025. It takes spend as independent
of how often one buys; `correlation` says how far that holds.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import digamma, gammaincinv, gammaln

from stamgast_learn.faults import AbstainedError, BadHistoryError
from stamgast_learn.lifetime.histories import Floats, Histories
from stamgast_learn.lifetime.likelihood import LogLikelihood, Maximum, maximise


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """A purchase is Gamma(p, ν), and ν is Gamma(q, γ) over customers; γ has the unit of money."""

    p: float
    q: float
    gamma: float

    def to_json(self) -> dict[str, float]:
        """The model as plain data."""
        return asdict(self)


def gamma_gamma_of(told: Mapping[str, float]) -> GammaGamma:
    """The model that `to_json` told."""
    return GammaGamma(told["p"], told["q"], told["gamma"])


def fit(histories: Histories) -> tuple[GammaGamma, Maximum]:
    """The model of those who bought again and spent, γ in their unit of money.

    Raises AbstainedError when nobody did.
    """
    x, spent = _repeated(histories)
    if not len(x):
        raise AbstainedError("nobody spent anything in a second purchase")
    unit = float(spent.mean())
    maximum = maximise(_log_likelihood(x, spent / unit), np.array([2.0, 2.0, 2.0]), len(x))
    p, q, gamma = (float(value) for value in maximum.parameters)
    return GammaGamma(p, q, gamma * unit), maximum


def _repeated(histories: Histories) -> tuple[Floats, Floats]:
    if histories.mean_spend is None:
        raise BadHistoryError("purchase histories hold no spend")
    spent = (histories.repeats > 0) & (histories.mean_spend > 0)
    return histories.repeats[spent].astype(np.float64), histories.mean_spend[spent]


def _log_likelihood(x: Floats, mean: Floats) -> LogLikelihood:
    """Equation 1a of the note, and its slopes by p, q and γ."""
    counts, of = np.unique(x, return_inverse=True)
    logs = np.log(mean) + np.log(x)

    def at(parameters: Floats) -> tuple[float, Floats]:
        p, q, gamma = parameters
        known = np.log(gamma + mean * x)
        grown = counts * (digamma(p * counts + q) - digamma(p * counts))
        of_count = gammaln(p * counts + q) - gammaln(p * counts) - gammaln(q) + q * np.log(gamma)
        value = of_count[of] + p * x * logs - np.log(mean) - (p * x + q) * known
        by_p = grown[of] + x * (logs - known)
        by_q = digamma(p * counts + q)[of] - digamma(q) + np.log(gamma) - known
        by_gamma = q / gamma - (p * x + q) / (gamma + mean * x)
        return float(value.mean()), np.array([by_p.mean(), by_q.mean(), by_gamma.mean()])

    return at


def expected_spend(model: GammaGamma, of: Histories) -> Floats:
    """E(M) of each customer's next purchase in money (equation 5 of the note).

    Someone without a repeat is expected to spend what the population does. Where q ≤ 1 no mean
    exists for them, and the median of the population's means stands in.
    """
    spent = np.zeros(len(of)) if of.mean_spend is None else of.mean_spend
    known = (of.repeats > 0) & (spent > 0)
    x = np.where(known, of.repeats, 0).astype(np.float64)
    below = model.p * x + model.q - 1
    mean = model.p * (model.gamma + spent * x) / np.where(below > 0, below, 1.0)
    return np.where(below > 0, mean, _median(model))


def _median(model: GammaGamma) -> float:
    """Of p/ν with ν in Gamma(q, γ): by the median of that Gamma distribution."""
    return float(model.p * model.gamma / gammaincinv(model.q, 0.5))


def correlation(of: Histories) -> float:
    """Pearson's between repeats and mean spend of those who repeat; the model assumes none."""
    x, spent = _repeated(of)
    if len(x) < 3 or not x.std() or not spent.std():
        return 0.0
    return float(np.corrcoef(x, spent)[0, 1])
