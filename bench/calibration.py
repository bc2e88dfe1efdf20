"""Calibration: what is stated in the mean over what is true, where an end of it is a few people.

    python bench/calibration.py [--worlds 300] [--people 2500 10000] [--rates 0.05 0.02] [--json]

Worlds whose odds are a line, and scores that are these odds: as many people as calibrate a version,
to whom an outcome comes at a rate. A row a size and a rate, and a way: by the calibrator as it is,
where an end says no more than the block beside it, and by Laplace's rule for everybody, which was
the way before: no probability less, or more, than what the lowest, or highest, few say of
themselves. Of the ratios of all worlds the least and the largest hundredth are told, and how many
are beyond 1.25.
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from stamgast_learn.calibration import ENOUGH_FOR_ISOTONIC, Floats, Labels, apply, fit_calibrator

FRESH, SLOPE, BEYOND = 20_000, 1.0, 1.25
WAYS = ("beside its neighbour", "Laplace for everybody")
Random = np.random.Generator


def crowd(random: Random, people: int, rate: float) -> Floats:
    """The probability of each person's outcome, whose mean is the rate."""
    line = SLOPE * random.normal(size=people)
    low, high = -20.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _odds(line + middle).mean() < rate else (low, middle)
    return _odds(line + middle)


def _odds(line: Floats) -> Floats:
    told: Floats = 1 / (1 + np.exp(-line))
    return told


def of_everybody(stated: Floats, scores: Floats, labels: Labels) -> Floats:
    """The same, none less or more than what the few at either end say of themselves."""
    from sklearn.isotonic import IsotonicRegression

    blocks = IsotonicRegression(out_of_bounds="clip").fit(scores, labels * 1.0).predict(scores)
    ends = [int((blocks == one).sum()) for one in (blocks.min(), blocks.max())]
    told: Floats = np.clip(stated, 1 / (ends[0] + 2), 1 - 1 / (ends[1] + 2))
    return told


def ratios(seed: int, people: int, rate: float) -> list[float]:
    """The stated mean over the true one of people nobody has seen, by each way."""
    random = np.random.default_rng((seed, people, round(1000 * rate)))
    scores, fresh = crowd(random, people, rate), crowd(random, FRESH, rate)
    labels = random.random(people) < scores
    now = apply(fit_calibrator(scores, labels), fresh)
    return [float(one.mean() / fresh.mean()) for one in (now, of_everybody(now, scores, labels))]


def rows(worlds: int, sizes: list[int], rates: list[float]) -> Iterator[dict[str, Any]]:
    """A row a size, rate and way."""
    for people in sizes:
        for rate in rates:
            told = np.array([ratios(seed, people, rate) for seed in range(worlds)])
            for name, one in zip(WAYS, told.T, strict=True):
                low, middle, high = np.quantile(one, [0.01, 0.5, 0.99])
                figures = {"low": low, "median": middle, "high": high}
                beyond = float((one > BEYOND).mean())
                of = {"people": people, "rate": rate, "way": name, "beyond": beyond}
                yield of | {name: float(value) for name, value in figures.items()}


def main() -> None:
    """Prints a row at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=300)
    parser.add_argument("--people", type=int, nargs="+", default=[2_500, 10_000])
    parser.add_argument("--rates", type=float, nargs="+", default=[0.05, 0.02])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if min(asked.people) < ENOUGH_FOR_ISOTONIC:
        parser.error(f"below {ENOUGH_FOR_ISOTONIC} people another calibrator is fitted")
    for row in rows(asked.worlds, asked.people, asked.rates):
        text = f"{row['people']:7,} people, {row['rate']:.0%}  {row['way']:22} median"
        text += f" {row['median']:.2f}, 98 % within {row['low']:.2f} to {row['high']:.2f},"
        text += f" {row['beyond']:.1%} beyond {BEYOND}"
        print(json.dumps(row) if asked.json else text, flush=True)


if __name__ == "__main__":
    main()
