"""How well recommendations foretold what was bought: recall, discounted gain, and coverage at k.

Järvelin and Kekäläinen (2002), Cumulated gain-based evaluation, with gains of 1. Intervals are
bootstraps by person; that of coverage is a jackknife, for a bootstrap sees fewer people than there
are, and so fewer items.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from stamgast_learn.calibration import Floats
from stamgast_learn.predict.ranking import Measure, replicates
from stamgast_learn.recommend.baskets import Codes
from stamgast_learn.reliability import Z95


@dataclass(frozen=True, slots=True)
class Sureness:
    """Of everybody who was offered something, whether they then bought or not: the mean probability
    that was stated of what was offered, and which part of it was bought."""

    person: Codes
    stated: Floats
    came: Floats


@dataclass(frozen=True, slots=True)
class Tried:
    """Offers to people who then bought something: a row each; `came` is (people, items)."""

    person: Codes
    cut_on: Codes
    came: csr_array
    offers: Mapping[str, Codes]
    sureness: Sureness
    catalogue: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What one way of offering reached; each with 95 %."""

    recall: Measure
    ndcg: Measure
    hit_rate: Measure
    coverage: Measure


@dataclass(frozen=True, slots=True)
class Judgement:
    """The model and each baseline, and by how much the model's discounted gain is higher.

    `stated` is the mean probability of what the model offered to everybody, `observed` which part
    was bought.
    """

    people: int
    offers: int
    number: int
    catalogue: int
    figures: Mapping[str, Figures]
    gains: Mapping[str, Measure]
    shares: Mapping[str, float]
    stated: float
    observed: Measure
    cuts: tuple[Mapping[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """The judgement as plain data."""
        return asdict(self)


MODEL = "model"


def judge(tried: Tried) -> Judgement:
    """Everything that is said of the model and its baselines."""
    number = tried.offers[MODEL].shape[1]
    rows = {name: rows_of(offered, tried.came) for name, offered in tried.offers.items()}
    weights = list(replicates(tried.person))
    figures = {
        name: Figures(
            recall=_mean(rows[name][:, 0], weights),
            ndcg=_mean(rows[name][:, 1], weights),
            hit_rate=_mean(rows[name][:, 2], weights),
            coverage=coverage(tried.offers[name], tried.person, tried.catalogue),
        )
        for name in rows
    }
    ours = rows[MODEL][:, 1]
    gains = {
        name: _mean(ours - told[:, 1], weights) for name, told in rows.items() if name != MODEL
    }
    return Judgement(
        people=len(np.unique(tried.person)),
        offers=len(tried.person),
        number=number,
        catalogue=tried.catalogue,
        figures=figures,
        gains=gains,
        shares={n: one.value / max(figures[n].ndcg.value, 1e-9) for n, one in gains.items()},
        stated=float(tried.sureness.stated.mean()),
        observed=_mean(tried.sureness.came, list(replicates(tried.sureness.person))),
        cuts=tuple(_at(tried, rows, int(cut)) for cut in np.unique(tried.cut_on)),
    )


def rows_of(offered: Codes, came: csr_array) -> Floats:
    """Recall, nDCG, and whether anything was hit, of each person (people, 3)."""
    hits = hits_of(offered, came)
    number = offered.shape[1]
    wanted = np.asarray(came.sum(axis=1)).ravel()
    discount = 1 / np.log2(np.arange(number) + 2)
    ideal = np.cumsum(discount)[np.minimum(wanted, number).astype(np.int64) - 1]
    found = hits.sum(axis=1)
    return np.column_stack([found / wanted, hits @ discount / ideal, found > 0])


def sureness(person: Codes, offered: Codes, odds: Floats, came: csr_array) -> Sureness:
    """What was stated of offers to everybody, and what came of them."""
    is_shown = offered >= 0
    shown = is_shown.sum(axis=1)
    asked = shown > 0
    stated, found = np.where(is_shown, odds, 0.0).sum(axis=1), hits_of(offered, came).sum(axis=1)
    return Sureness(person[asked], stated[asked] / shown[asked], found[asked] / shown[asked])


def hits_of(offered: Codes, came: csr_array) -> Floats:
    """Which of the offers were bought (people, k)."""
    rows = np.repeat(np.arange(len(offered)), offered.shape[1])
    told = np.asarray(came[rows, np.maximum(offered, 0).ravel()]).ravel() > 0
    return np.where(offered >= 0, told.reshape(offered.shape), 0).astype(np.float64)


def _mean(values: Floats, weights: list[Floats]) -> Measure:
    drawn = [float((one * values).sum() / max(one.sum(), 1e-9)) for one in weights]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Measure(float(values.mean()), float(low), float(high))


def coverage(offered: Codes, person: NDArray[Any], catalogue: int) -> Measure:
    """Which part of the items is offered to anybody, with the interval of a jackknife by person."""
    _, of = np.unique(person, return_inverse=True)
    pairs = np.unique(np.column_stack([np.repeat(of, offered.shape[1]), offered.ravel()]), axis=0)
    pairs = pairs[pairs[:, 1] >= 0]
    persons, items = int(of.max()) + 1, np.bincount(pairs[:, 1]) if len(pairs) else np.zeros(1)
    alone = pairs[items[pairs[:, 1]] == 1, 0]
    lost = np.bincount(alone, minlength=persons) / catalogue
    half = Z95 * float(np.sqrt((persons - 1) / persons * ((lost - lost.mean()) ** 2).sum()))
    value = float((items > 0).sum()) / catalogue
    return Measure(value, max(0.0, value - half), min(1.0, value + half))


def _at(tried: Tried, rows: Mapping[str, Floats], cut: int) -> dict[str, Any]:
    here = tried.cut_on == cut
    told = {name: float(one[here, 1].mean()) for name, one in rows.items()}
    return {"cut_on": str(np.datetime64(cut, "D")), "people": int(here.sum()), "ndcg": told}
