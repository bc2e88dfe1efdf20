"""How well recommendations foretold what was bought: recall, discounted gain, and coverage at k.

Järvelin and Kekäläinen (2002), Cumulated gain-based evaluation, with gains of 1. Intervals are
bootstraps by person; that of coverage is a jackknife, for a bootstrap sees fewer people than there
are, and so fewer items. Figures are of the newest cut-off: at older ones less had been bought to go
by, and of several together more is offered than on any day.
"""

from collections.abc import Mapping, Sequence
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
    """Offers at a cut-off to people who then bought something: a row each; `came` is (people,
    items). `covered` is which part of the `catalogue` is offered to anybody, buyer or not."""

    cut_on: int
    person: Codes
    came: csr_array
    offers: Mapping[str, Codes]
    sureness: Sureness
    catalogue: int
    covered: Mapping[str, Measure]


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

    All but `cuts` is of the cut-off `ranked_on`. `stated` is the mean probability of what the model
    offered to everybody, `observed` which part was bought.
    """

    ranked_on: str
    people: int
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


def judge(parts: Sequence[Tried]) -> Judgement:
    """Everything that is said of the model and its baselines, of cut-offs with the newest last."""
    tried = parts[-1]
    number = tried.offers[MODEL].shape[1]
    rows = {name: rows_of(offered, tried.came) for name, offered in tried.offers.items()}
    weights = list(replicates(tried.person))
    figures = {
        name: Figures(
            recall=_mean(rows[name][:, 0], weights),
            ndcg=_mean(rows[name][:, 1], weights),
            hit_rate=_mean(rows[name][:, 2], weights),
            coverage=tried.covered[name],
        )
        for name in rows
    }
    ours = rows[MODEL][:, 1]
    gains = {
        name: _mean(ours - told[:, 1], weights) for name, told in rows.items() if name != MODEL
    }
    return Judgement(
        ranked_on=_day(tried.cut_on),
        people=len(tried.person),
        number=number,
        catalogue=tried.catalogue,
        figures=figures,
        gains=gains,
        shares={n: one.value / max(figures[n].ndcg.value, 1e-9) for n, one in gains.items()},
        stated=float(tried.sureness.stated.mean()),
        observed=_mean(tried.sureness.came, list(replicates(tried.sureness.person))),
        cuts=tuple(_at(one) for one in parts),
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
    """Which part of the items is offered to anybody, with the interval of a jackknife by person.

    One more item than was seen hangs on a single person, or where nothing is left nothing is sure.
    """
    _, of = np.unique(person, return_inverse=True)
    catalogue = max(1, catalogue)
    many, persons = int(offered.max(initial=0)) + 1, int(of.max()) + 1
    of, item = np.divmod(np.unique((many * of[:, None] + offered)[offered >= 0]), many)
    items = np.bincount(item, minlength=1)
    alone = of[items[item] == 1]
    lost = np.bincount(alone, minlength=persons) / catalogue
    spread = (persons - 1) / persons * ((lost - lost.mean()) ** 2).sum() + 1 / catalogue**2
    half = Z95 * float(np.sqrt(spread))
    value = float((items > 0).sum()) / catalogue
    return Measure(value, max(0.0, value - half), min(1.0, value + half))


def _at(tried: Tried) -> dict[str, Any]:
    told = {n: float(rows_of(one, tried.came)[:, 1].mean()) for n, one in tried.offers.items()}
    return {"cut_on": _day(tried.cut_on), "people": len(tried.person), "ndcg": told}


def _day(cut: int) -> str:
    return str(np.datetime64(cut, "D"))
