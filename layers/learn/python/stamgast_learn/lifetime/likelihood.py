"""Maximum likelihood over positive parameters, by their logarithms and the exact gradient."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from stamgast_learn.faults import AbstainedError
from stamgast_learn.lifetime.histories import Floats

LogLikelihood = Callable[[Floats], tuple[float, Floats]]
"""Of parameters (k,): the mean log-likelihood of a customer and its gradient (k,)."""

SMALLEST, LARGEST = 1e-6, 1e3
"""Where customers differ in nothing a parameter runs away: at 1,000 they are as good as alike."""
STEP = 1e-4


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where a likelihood is largest: parameters (k,) and the covariance (k, k) of their logs.

    The covariance is none of a parameter at its bound.
    """

    parameters: Floats
    log_covariance: Floats
    log_likelihood: float


def maximise(of: LogLikelihood, start: Floats, customers: int) -> Maximum:
    """The maximum within the bounds from this start, by L-BFGS-B over the logs of the parameters.

    The covariance is the inverse of the observed information, by central differences of the exact
    gradient. Raises AbstainedError when no likelihood is finite.
    """

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, gradient = of(np.exp(logs))
        return -value, -gradient * np.exp(logs)

    bound = (np.log(SMALLEST), np.log(LARGEST))
    options = {"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8}
    bounds = [bound] * len(start)
    found = minimize(
        loss, np.log(start), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    if not np.isfinite(found.fun):
        raise AbstainedError("no likelihood of these purchases is finite")
    return Maximum(np.exp(found.x), _covariance(loss, found.x, customers), -float(found.fun))


def _covariance(loss: LogLikelihood, at: Floats, customers: int) -> Floats:
    steps = np.eye(len(at)) * STEP
    rows = [(loss(at + step)[1] - loss(at - step)[1]) / (2 * STEP) for step in steps]
    hessian = np.array(rows)
    inverse = np.linalg.pinv((hessian + hessian.T) / 2 * customers, hermitian=True)
    return np.asarray(inverse, np.float64)
