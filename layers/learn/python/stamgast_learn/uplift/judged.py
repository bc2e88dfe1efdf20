"""How well an order of people finds those whom the treatment moves: Qini, AUUC, and the curve.

Radcliffe (2007), Using control groups to target on predicted lift, for the Qini curve: treated
outcomes less those of the held out, scaled to as many people. Both areas are per person, so they
are comparable between experiments; those of random order are taken off.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Floats, Labels
from stamgast_learn.predict.ranking import Measure, replicates

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, slots=True)
class AtShare:
    """The best share of people: by how much more often it comes to them if they are treated."""

    share: float
    people: int
    effect: Measure
    gained: Measure


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order of people: area of the Qini curve and of uplift above those of random order."""

    qini: Measure
    auuc: Measure

    def to_json(self) -> dict[str, Any]:
        """The order as plain data."""
        return asdict(self)


def curve(
    scores: Floats, outcome: Floats, is_treated: Labels, weights: Floats
) -> tuple[Floats, Floats, Floats]:
    """Along falling scores: share of people, Qini and uplift gained per person, by tied groups."""
    order = np.argsort(-scores, kind="stable")
    told, weight, treated = outcome[order], weights[order], is_treated[order]
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    with_, without = np.cumsum(weight * treated)[ends], np.cumsum(weight * ~treated)[ends]
    came_with = np.cumsum(weight * told * treated)[ends]
    came_without = np.cumsum(weight * told * ~treated)[ends]
    people = with_ + without
    everyone = max(people[-1], 1e-9)
    share = people / everyone
    qini = came_with - came_without * with_ / np.maximum(without, 1e-9)
    gained = (
        came_with / np.maximum(with_, 1e-9) - came_without / np.maximum(without, 1e-9)
    ) * share
    return share, np.where(without > 0, qini, 0.0) / max(with_[-1], 1e-9), gained


def areas(scores: Floats, outcome: Floats, is_treated: Labels, weights: Floats) -> list[float]:
    """Area of Qini and of uplift between the curve and the straight line of random order."""
    share, qini, gained = curve(scores, outcome, is_treated, weights)
    return [_area(share, one) - one[-1] / 2 for one in (qini, gained)]


def _area(share: Floats, curve: Floats) -> float:
    return float(np.trapezoid(np.append(0.0, curve), np.append(0.0, share)))


def judge(
    stated: Mapping[str, Floats], outcome: Floats, is_treated: Labels, person: NDArray[Any]
) -> dict[str, Any]:
    """Each order's areas with the interval of a bootstrap by person, and the first one's curve."""
    weights = [np.ones(len(outcome)), *replicates(person)]
    ordered = {
        name: Ordered(*_measures([areas(one, outcome, is_treated, w) for w in weights]))
        for name, one in stated.items()
    }
    first = next(iter(stated.values()))
    points = [_points(first, outcome, is_treated, w) for w in weights]
    measures = _measures(points)
    people = [round(share * len(outcome)) for share in SHARES]
    half = len(SHARES)
    rows = zip(SHARES, people, measures[:half], measures[half:], strict=True)
    return {
        "orders": {name: one.to_json() for name, one in ordered.items()},
        "curve": [asdict(AtShare(*row)) for row in rows],
    }


def _points(scores: Floats, outcome: Floats, is_treated: Labels, weights: Floats) -> list[float]:
    """The effect among each best share, then what treating only it gains per person of all."""
    share, _, gained = curve(scores, outcome, is_treated, weights)
    told = np.interp(SHARES, np.append(0.0, share), np.append(0.0, gained))
    return [*(told / np.array(SHARES)), *told]


def _measures(rows: list[list[float]]) -> list[Measure]:
    lows, highs = np.quantile(rows[1:], [0.025, 0.975], axis=0)
    told = zip(rows[0], lows, highs, strict=True)
    return [Measure(float(value), float(low), float(high)) for value, low, high in told]
