"""Purchase histories whose truth is known: CDNOW's published ones, and simulated ones."""

import csv
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from stamgast_learn.lifetime.bg_nbd import BgNbd
from stamgast_learn.lifetime.gamma_gamma import GammaGamma
from stamgast_learn.lifetime.histories import Counts, Floats, Histories

BUYING = BgNbd(0.8, 10.0, 0.8, 2.5)
SPENDING = GammaGamma(6.0, 4.0, 60.0)


def cdnow() -> Histories:
    """The 2,357 customers of the BG/NBD paper in weeks and dollars, as `lifetimes` has them."""
    package = find_spec("lifetimes")
    assert package is not None
    assert package.origin is not None
    data = Path(package.origin).parent / "datasets"
    with (data / "cdnow_customers_summary_with_transactions.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    columns = {
        name: np.array([float(row[name]) for row in rows]) for name in ("x", "t_x", "T", "zbar")
    }
    return Histories(columns["x"].astype(np.int64), columns["t_x"], columns["T"], columns["zbar"])


Buyer = Callable[[np.random.Generator], tuple[float, float, float, float]]
"""Draws a customer: their rate, their chance of leaving, and shape and rate of what they spend."""


def usual(random: np.random.Generator) -> tuple[float, float, float, float]:
    """A customer of `BUYING` and `SPENDING`."""
    rate, leaves = random.gamma(BUYING.r, 1 / BUYING.alpha), random.beta(BUYING.a, BUYING.b)
    return rate, leaves, SPENDING.p, random.gamma(SPENDING.q, 1 / SPENDING.gamma)


def simulated(
    customers: int, within: float, seed: int, buyer: Buyer = usual
) -> tuple[Histories, Counts, Floats]:
    """Customers, and what each bought and spent after the cut-off."""
    random = np.random.default_rng(seed)
    told = [_customer(random, within, buyer) for _ in range(customers)]
    x, recency, age, mean, later, value = (np.array(column) for column in zip(*told, strict=True))
    return Histories(x.astype(np.int64), recency, age, mean), later.astype(np.int64), value


def _customer(random: np.random.Generator, within: float, buyer: Buyer) -> tuple[float, ...]:
    """Repeats, recency, age and mean spend until the cut-off; purchases and money after it."""
    age = random.uniform(20, 52)
    rate, leaves, p, nu = buyer(random)
    at, times, spent = 0.0, [], []
    while (at := at + random.exponential(1 / max(rate, 1e-9))) <= age + within:
        times.append(at)
        spent.append(random.gamma(p, 1 / nu))
        if random.random() < leaves:
            break
    repeats = sum(time <= age for time in times)
    recency = times[repeats - 1] if repeats else 0.0
    mean = float(np.mean(spent[:repeats])) if repeats else 0.0
    return repeats, recency, age, mean, len(times) - repeats, float(sum(spent[repeats:]))
