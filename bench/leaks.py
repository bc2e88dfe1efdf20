"""Leaks: how often honest features are suspected, and how many planted leaks are found.

    python bench/leaks.py [--worlds 20] [--first 0] [--people 600] [--of shop] [--honest] [--json]

Four honest worlds of single events: customers who buy at their own rate and leave, people who buy
every month, people who look around before they buy, and silence as the outcome. Each is told by
sixteen behaviours, and by recency and count alone. And three honest worlds in which one true cause
orders people with an area of about 0.85 by itself: it lasts, it changes slowly, or it is of the
moment. And seeds of look-alikes among customers who buy at their own rate, at one moment that has
no past: `bench/leak_seeds.py` has the kinds, and rules, which a look-alike must refuse to repeat;
of seeds `found` is what is refused, too. A leak is then added to the sixteen: a noisy copy of the
outcome by its area, which has nothing to copy yet where people are scored, a column filled for a
part of those to whom it came, one category of eight, a flag, what was noted when the outcome came
under an older date, an id in the order of what came, two copies at once, and notes of each purchase
that bear a date up to twenty days older.
`found` is what keeps a version out; of the others, so many more are told as a question.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from bench.leak_seeds import CONDITIONS, HONEST, honest_seed, is_refused, rule_seed
from stamgast_learn.calibration import Floats
from stamgast_learn.predict.leaks import Leak, leaks
from stamgast_learn.predict.panel import Panel
from stamgast_learn.predict.questions import questions

DAYS, WITHIN = 300, 30
UNTIL, UNKNOWN = DAYS + WITHIN, 400.0
CUTS = (120, 150, 180, 210, 240, 270)
WINDOWS = (7, 30, 90)
KINDS = ("shop", "monthly", "looking", "silence")
NAMES = (
    *("days_known", "days_since_order", "orders", "rhythm", "spent", "mean_order"),
    *(f"orders_{days}d" for days in (*WINDOWS, 365)),
    *(f"views_{days}d" for days in WINDOWS),
    *("revenue_30d", "days_since_view", "noise"),
)
FEW = ("days_since_order", "orders")
CAUSES = {"a cause that lasts": 1.0, "a cause that changes": 0.9, "a cause of the moment": 0.0}
CAUSED = ("orders", "orders_30d", "orders_90d", "days_since_order", "views", "noise", "cause")
STRONG, CAUSED_KIND, SEED_KIND = 1.9, "caused", "seed"
Random = np.random.Generator
World = tuple[Panel, Floats]
Plants = dict[str, Callable[[World, Random], Panel]]


def bought(random: Random, kind: str) -> Floats:
    """The days on which somebody buys."""
    start, until = random.uniform(0, 90), random.uniform(0, 90) + random.exponential(220)
    if kind == "monthly":
        return np.arange(start, min(UNTIL, until), 30.0 + random.normal(0, 0.5))
    mean = random.gamma(2.0, 30.0) if kind == "looking" else 1 / (random.gamma(1.0, 0.025) + 0.002)
    days = start + np.cumsum(np.append(0.0, random.exponential(mean, 400) + 0.2))
    return np.asarray(days[days < (UNTIL if kind == "looking" else min(UNTIL, until))])


def looked(random: Random, kind: str, orders: Floats) -> Floats:
    """The days on which they look around."""
    if kind == "looking":
        before = orders - random.uniform(0, 25, len(orders))
        return np.concatenate([before, random.uniform(0, UNTIL, random.poisson(2))])
    return np.asarray(random.uniform(0, UNTIL, random.poisson(6)))


def behaviours(
    random: Random, cut: int, orders: Floats, views: Floats, spend: float
) -> list[float]:
    """What is known of somebody at a cut-off."""
    past, seen = orders[orders < cut], views[views < cut]
    known, count = cut - past[0], len(past)
    of_orders = [float((past >= cut - days).sum()) for days in (*WINDOWS, 365)]
    of_views = [float((seen >= cut - days).sum()) for days in WINDOWS]
    rhythm = (cut - past[-1]) * count / max(known, 1.0)
    since = cut - seen.max() if len(seen) else np.nan
    return [
        *(known, cut - past[-1], count, rhythm, spend * count, spend + random.normal()),
        *(*of_orders, *of_views, spend * of_orders[1], since, random.normal()),
    ]


def world(kind: str, people: int, seed: int) -> World:
    """A panel in which nothing leaks, and in how many days of each row the next purchase comes.

    On the last day people are scored: what comes is not known, and no leak can know it either.
    """
    random, rows = np.random.default_rng((seed, KINDS.index(kind))), []
    for person in range(people):
        orders = bought(random, kind)
        views, spend = looked(random, kind, orders), random.gamma(4.0, 10.0)
        for cut in (*CUTS, DAYS):
            if len(orders) and orders[0] < cut:
                ahead = np.append(orders[orders >= cut], cut + UNKNOWN)[0] - cut
                told = behaviours(random, cut, orders, views, spend)
                rows.append((person, cut, ahead, told))
    ahead = np.array([row[2] for row in rows])
    measured = np.array([row[3] for row in rows], dtype=np.float64)
    persons, cuts = (np.array([row[place] for row in rows]) for place in (0, 1))
    came = ahead >= WITHIN if kind == "silence" else ahead < WITHIN
    label = np.where(cuts < DAYS, came, np.nan)
    return Panel(persons, cuts, label, measured, NAMES), np.where(cuts < DAYS, ahead, UNKNOWN)


def caused(stays: float, people: int, seed: int) -> Panel:
    """An honest panel of months, in which one cause of what is bought is known at each cut-off."""
    random, cause = np.random.default_rng((seed, 77)), np.zeros(people)
    came, parts = np.zeros((0, people)), []
    for month in range(5 + len(CUTS)):
        kept = stays if month else 0.0
        cause = kept * cause + np.sqrt(1 - kept**2) * random.normal(size=people)
        odds = -1.2 + STRONG * cause + 0.5 * random.normal(size=people)
        bought_now = 1.0 * (random.random(people) < 1 / (1 + np.exp(-odds)))
        if month >= 4:
            told = _of_months(random, came, cause)
            known = bought_now if month < 4 + len(CUTS) else np.full(people, np.nan)
            parts.append((np.full(people, 30 * month), known, told))
        came = np.vstack([came, bought_now])
    cuts, label, measured = (np.concatenate([part[n] for part in parts]) for n in range(3))
    panel = Panel(np.tile(np.arange(people), 1 + len(CUTS)), cuts, label, measured, CAUSED)
    return panel.at(measured[:, 0] > 0)


def _of_months(random: Random, came: Floats, cause: Floats) -> Floats:
    people = len(cause)
    since = 30 * np.argmax(came[::-1], axis=0) + random.uniform(0, 30, people)
    told = (came.sum(axis=0), came[-1], came[-3:].sum(axis=0), since)
    views, noise = random.poisson(2 + came[-1]), random.normal(size=people)
    return np.column_stack([*told, views, noise, cause])


def narrowed(panel: Panel) -> Panel:
    """The panel with recency and count alone."""
    places = [NAMES.index(name) for name in FEW]
    return Panel(panel.person, panel.cut_on, panel.label, panel.measured[:, places], FEW)


def planted(panel: Panel, *columns: NDArray[Any]) -> Panel:
    """The panel with leaks beside its features."""
    names = tuple(f"leak_{place}" for place in range(len(columns)))
    measured = np.column_stack([panel.measured, *columns])
    features = (*panel.features, *names)
    return Panel(panel.person, panel.cut_on, panel.label, measured, features)


def copy(area: float) -> Callable[[World, Random], Panel]:
    """A noisy copy of the outcome that orders people so well."""
    return lambda told, random: planted(told[0], _copy(told[0], random, area))


def _copy(panel: Panel, random: Random, area: float) -> Floats:
    apart = float(np.sqrt(2) * norm.ppf(area))
    return np.asarray((panel.label == 1) * apart + random.normal(size=len(panel)))


def _drawn(told: World, random: Random, share: float) -> NDArray[np.bool_]:
    return np.asarray((told[0].label == 1) & (random.random(len(told[0])) < share))


def filled(told: World, random: Random) -> Panel:
    """A value for half of those to whom it came."""
    return planted(told[0], np.where(_drawn(told, random, 0.5), 1.0, np.nan))


def category(told: World, random: Random) -> Panel:
    """One category of eight that stands for the outcome."""
    others = random.integers(0, 7, len(told[0]))
    return planted(told[0], np.where(_drawn(told, random, 0.3), 7.0, others))


def flag(told: World, random: Random) -> Panel:
    """What is noted of seven in ten, and of one in a hundred others."""
    mistaken = (told[0].label == 0) & (random.random(len(told[0])) < 0.01)
    return planted(told[0], 1.0 * (_drawn(told, random, 0.7) | mistaken))


def noted(told: World, random: Random) -> Panel:
    """What was noted of eight in ten when the newest outcomes came, under the oldest date."""
    newest = _drawn(told, random, 0.8) & (told[0].cut_on == CUTS[-1])
    return planted(told[0], np.where(np.isin(told[0].person, told[0].person[newest]), 1.0, np.nan))


def numbered(told: World, random: Random) -> Panel:
    """A number in the order in which purchases came, give or take twenty days."""
    moment = told[1] + random.normal(0, 20, len(told[1]))
    return planted(told[0], np.argsort(np.argsort(moment)))


def two(told: World, random: Random) -> Panel:
    """Two copies, each of which hides the other."""
    return planted(told[0], *(_copy(told[0], random, 0.92) for _ in range(2)))


def notes(told: World, random: Random) -> Panel:
    """The number of notes ever, one a purchase, of which those of the next purchase came before."""
    before = told[1] < random.uniform(1, 20, len(told[1]))
    return planted(told[0], before + told[0].measured[:, NAMES.index("orders")])


LEAKS: Plants = {
    "copy, area 0.75": copy(0.75),
    "copy, area 0.80": copy(0.80),
    "copy, area 0.85": copy(0.85),
    "copy, area 0.90": copy(0.90),
    "copy, area 0.95": copy(0.95),
    "filled for half of them": filled,
    "one category": category,
    "flag": flag,
    "noted under an older date": noted,
    "number in order": numbered,
    "two copies": two,
    "notes counted for ever": notes,
}


OF_SEEDS = ("filled for half of them", "one category", "flag")
"""What is noted of those who are in a seed; the other leaks are of what comes."""


def seeded(people: int, seed: int) -> World:
    """An honest seed at one moment: the better part of what decides is no feature."""
    told, ahead = world("shop", people, seed)
    now = told.cut_on == CUTS[-1]
    panel = honest_seed(told.at(now), "a faint line", np.random.default_rng((seed, 78)))
    return panel, ahead[now]


def _of_seeds(worlds: range, found: list[World]) -> Iterator[dict[str, Any]]:
    """Honest seeds of every kind, and rules: of how many a look-alike abstains."""
    at = [(seed, one) for seed, (one, _) in zip(worlds, found, strict=True)]
    for place, name in enumerate(HONEST):
        drawn = [
            honest_seed(one, name, np.random.default_rng((seed, 79, place))) for seed, one in at
        ]
        yield _row(SEED_KIND, f"honest seed: {name}", drawn, "", is_refused)
    for is_any in (False, True):
        for many in CONDITIONS:
            drawn = [
                rule_seed(one, many, np.random.default_rng((seed, 80, many)), is_any=is_any)
                for seed, one in at
            ]
            what = f"rule: {'any' if is_any else 'all'} of {many}"
            yield _row(SEED_KIND, what, drawn, "none", is_refused)


def figures(
    worlds: range, people: int, kinds: Sequence[str], planned: Plants
) -> Iterator[dict[str, Any]]:
    """A row a world and set of features, or a leak: of how many something, and what, was found."""
    for name, stays in CAUSES.items() if CAUSED_KIND in kinds else ():
        yield _row(
            CAUSED_KIND, f"honest: {name}", [caused(stays, people, one) for one in worlds], ""
        )
    for kind in (one for one in KINDS if one in kinds):
        found = [world(kind, people, seed) for seed in worlds]
        yield from _of_worlds(kind, worlds, found, planned)
    if SEED_KIND in kinds:
        of_seeds = {name: one for name, one in planned.items() if name in OF_SEEDS}
        found = [seeded(people, seed) for seed in worlds]
        yield from _of_worlds(SEED_KIND, worlds, found, of_seeds)
        yield from _of_seeds(worlds, found)


def _of_worlds(
    kind: str, worlds: range, found: list[World], planned: Plants
) -> Iterator[dict[str, Any]]:
    yield _row(kind, "honest: sixteen behaviours", [one for one, _ in found], "")
    yield _row(kind, "honest: recency and count", [narrowed(one) for one, _ in found], "")
    for name, plant in planned.items():
        told = zip(worlds, found, strict=True)
        panels = [plant(one, np.random.default_rng(seed)) for seed, one in told]
        yield _row(kind, name, panels, "leak")


def _row(
    kind: str,
    what: str,
    panels: list[Panel],
    named: str,
    is_found: Callable[[Panel], bool] = lambda _: False,
) -> dict[str, Any]:
    """In how many panels a feature so named was suspected, and in how many more asked about."""
    found = [
        is_found(panel) or any(named in one.feature for one in _leaks(panel)) for panel in panels
    ]
    rest = [panel for panel, one in zip(panels, found, strict=True) if not one]
    asked = [any(named in name for name, _ in _asked(panel)) for panel in rest]
    told = {"world": kind, "what": what, "worlds": len(panels)}
    return told | {"found": sum(found), "asked": sum(asked)}


def _leaks(panel: Panel) -> tuple[Leak, ...]:
    return leaks(panel.labelled, WITHIN, panel.to_score)


def _asked(panel: Panel) -> Iterator[tuple[str, str]]:
    return questions(panel.labelled, panel.features, WITHIN)


def main() -> None:
    """Prints a row at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--people", type=int, default=600)
    every = (CAUSED_KIND, *KINDS, SEED_KIND)
    parser.add_argument("--of", nargs="+", choices=every, default=every)
    parser.add_argument("--honest", action="store_true", help="nothing is planted")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    worlds = range(asked.first, asked.first + asked.worlds)
    for row in figures(worlds, asked.people, asked.of, {} if asked.honest else LEAKS):
        text = f"{row['world']:9} {row['what']:28} {row['found']:4} of {row['worlds']}"
        text += f", {row['asked']} more asked about"
        print(json.dumps(row) if asked.json else text, flush=True)


if __name__ == "__main__":
    main()
