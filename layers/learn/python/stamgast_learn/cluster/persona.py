"""Clusters as personas: how many people, what distinguishes them, what they are typically like."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stamgast_learn.calibration import Floats
from stamgast_learn.cluster.stability import NORMAL
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.ranking import Measure
from stamgast_learn.reliability import Z95

NONE = -1
FARTHER = 4.0
NOTABLE = 0.5
NAMED, TOLD = 2, 5


@dataclass(frozen=True, slots=True)
class Trait:
    """A feature that distinguishes: by how many standard deviations, and its median with 95 %."""

    feature: str
    difference: float
    median: Measure | None
    median_of_others: float | None


@dataclass(frozen=True, slots=True)
class Persona:
    """A cluster: its name, its people, and the features that distinguish it, most first."""

    place: int
    name: str
    people: int
    share: Measure
    traits: tuple[Trait, ...]


def reaches(points: Floats, centres: Floats) -> Floats:
    """How far from each centre somebody still belongs to it."""
    nearest, far = nearest_of(points, centres)
    told = []
    for place in range(len(centres)):
        here = far[nearest == place]
        middle = float(np.median(here))
        spread = NORMAL * float(np.median(np.abs(here - middle)))
        told.append(middle + FARTHER * spread)
    return np.array(told)


def nearest_of(points: Floats, centres: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The nearest centre of each point, and how far it is."""
    apart = np.stack([np.sqrt(((points - one) ** 2).sum(axis=1)) for one in centres], axis=1)
    nearest = apart.argmin(axis=1)
    return nearest, apart[np.arange(len(points)), nearest]


def belongs(points: Floats, centres: Floats, reach: Floats) -> NDArray[np.int64]:
    """The cluster of each point; -1 for whoever is too far from all."""
    nearest, far = nearest_of(points, centres)
    return np.where(far <= reach[nearest], nearest, NONE)


def personas(
    panel: Panel, points: Floats, features: tuple[str, ...], of: NDArray[np.int64], clusters: int
) -> tuple[Persona, ...]:
    """The persona of each cluster, names apart from each other."""
    told = [_persona(panel, points, features, of, place) for place in range(clusters)]
    return _apart(told)


def _persona(
    panel: Panel, points: Floats, features: tuple[str, ...], of: NDArray[np.int64], place: int
) -> Persona:
    inside = of == place
    away = points[inside].mean(axis=0) - points[~inside].mean(axis=0)
    most = np.argsort(-np.abs(away), kind="stable")
    columns = [panel.measured[:, panel.features.index(features[n])] for n in most[:TOLD]]
    traits = tuple(
        Trait(
            features[n],
            float(away[n]),
            _median(column[inside]),
            _middle(column[~inside]),
        )
        for n, column in zip(most[:TOLD], columns, strict=True)
    )
    people = int(inside.sum())
    return Persona(place, _name(traits, NAMED), people, _share(people, len(of)), traits)


def _name(traits: tuple[Trait, ...], number: int) -> str:
    notable = [one for one in traits if abs(one.difference) >= NOTABLE] or list(traits[:1])
    words = (f"{'high' if t.difference > 0 else 'low'} {t.feature}" for t in notable[:number])
    return ", ".join(words)


def _apart(told: list[Persona]) -> tuple[Persona, ...]:
    """Names that no two share: a third feature where two are alike, then the place."""
    names = [one.name for one in told]
    longer = [
        _name(one.traits, NAMED + 1) if names.count(one.name) > 1 else one.name for one in told
    ]
    told_apart = [
        f"{name} ({one.place + 1})" if longer.count(name) > 1 else name
        for name, one in zip(longer, told, strict=True)
    ]
    return tuple(
        Persona(one.place, name, one.people, one.share, one.traits)
        for name, one in zip(told_apart, told, strict=True)
    )


def _middle(column: Floats) -> float | None:
    told = _median(column)
    return None if told is None else told.value


def _median(column: Floats) -> Measure | None:
    """The median of what is known, with the interval of its ranks (Conover 1999, section 3.2)."""
    known = np.sort(column[~np.isnan(column)])
    if not len(known):
        return None
    half = Z95 * np.sqrt(len(known)) / 2
    low = max(0, int(np.floor(len(known) / 2 - half)))
    high = min(len(known) - 1, int(np.ceil(len(known) / 2 + half)))
    return Measure(float(np.median(known)), float(known[low]), float(known[high]))


def _share(people: int, everyone: int) -> Measure:
    """A share with Wilson's interval (1927)."""
    rate, z = people / everyone, Z95**2 / everyone
    middle = (rate + z / 2) / (1 + z)
    half = Z95 * np.sqrt(rate * (1 - rate) / everyone + z / everyone / 4) / (1 + z)
    return Measure(rate, float(middle - half), float(middle + half))
